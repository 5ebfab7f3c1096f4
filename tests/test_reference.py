"""The reference pages are made from the code, and every command explains itself on one screen."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCREEN_LINES = 40


def load_script():
    spec = importlib.util.spec_from_file_location("reference", ROOT / ".github/scripts/reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load_script()


def all_parsers():
    """Every command and subcommand: (its name, its parser)."""
    waiting = [reference.parser_of(module) for module in (*reference.COMMANDS, *reference.COMMANDS_OF_THE_KERNEL)]
    while waiting:
        parser = waiting.pop(0)
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                waiting += action.choices.values()


PARSERS = list(all_parsers())


@pytest.mark.parametrize("page", reference.PAGES)
def test_a_page_is_what_the_code_says_now(page):
    if sys.version_info[:2] != (3, 11) and page == "commands.md":
        pytest.skip("argparse writes help in another form from one Python to the next; the page is made on 3.11")

    assert (ROOT / "docs/reference" / page).read_text(encoding="utf-8") == reference.PAGES[page]().rstrip() + "\n"


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_help_fits_a_screen_and_has_an_example(parser, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    text = parser.format_help()

    assert len(text.splitlines()) <= SCREEN_LINES
    assert re.search(r"(?im)^examples?:", text)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_every_option_has_a_help_text(parser):
    groups = argparse._SubParsersAction  # a list of commands, which have help texts of their own
    bare = [action.dest for action in parser._actions if not action.help and not isinstance(action, groups)]

    assert bare == []


@pytest.mark.parametrize("command", ["dbk-config", "dbk-session", "dbk-sync", "dbk-local"])
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_every_command_answers_help_and_version(command, option):
    program = Path(sys.executable).parent / command

    run = subprocess.run(
        [program, option], capture_output=True, text=True, timeout=60, env={**os.environ, "COLUMNS": "100"}
    )

    assert run.returncode == 0, run.stderr
    assert command in run.stdout


def test_every_option_named_in_a_page_exists():
    """An option in a page's shell block belongs to the command it follows."""
    known = {option for parser in PARSERS for action in parser._actions for option in action.option_strings}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("packages/*/README.md")]

    unknown = [
        f"{page.name}: {line.strip()}"
        for page in pages
        for block in re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for line in block.splitlines()
        if (ours := re.search(r"\bdbk-(config|session|sync|local)\b[^|;&#]*", line))
        for option in re.findall(r"(?<=\s)--[a-z][a-z-]+", ours[0].split(" -- ")[0])
        if option not in known and " run job.py" not in line
    ]

    assert unknown == []
