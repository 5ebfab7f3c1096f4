"""The reference pages are made from the code, and every command explains itself on one screen."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCREEN_LINES = {100: 40, 80: 45}
"""Columns of a terminal -> the lines that a help text may have there."""


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


@pytest.mark.parametrize("columns", SCREEN_LINES)
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_help_fits_a_screen_has_an_example_and_exits_with_0(parser, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))

    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--help"])

    text = capsys.readouterr().out
    assert end.value.code == 0
    assert len(text.splitlines()) <= SCREEN_LINES[columns]
    assert max(map(len, text.splitlines())) <= 100
    assert parser.prog.split()[-1] in re.split(r"(?im)^examples?:\n", text)[1]


def examples():
    """Every command line that a help text shows: its words up to what is the shell's."""
    for parser in PARSERS:
        for line in re.split(r"(?im)^examples?:\n", parser.format_help())[1].splitlines():
            words = re.split(r" [>|&]", f" {line.strip()}")[0].split("#")[0]
            if words.strip().startswith(("dbk-", "python -m jupyter_databricks_kernel")):
                yield shlex.split(words)


@pytest.mark.parametrize("words", list(examples()), ids=" ".join)
def test_an_example_of_a_help_text_is_understood_as_it_is_meant(words):
    asked = [known for known in PARSERS if words[: len(known.prog.split())] == known.prog.split()]

    options = asked[0].parse_args(words[len(asked[0].prog.split()) :])

    own = {option for action in asked[-1]._actions for option in action.option_strings}
    assert not own & set(getattr(options, "arguments", ())), "an option of ours went to the script"


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


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_every_command_can_say_more_and_tells_its_version(parser, capsys):
    options = {option for action in parser._actions for option in action.option_strings}
    package = parser.prog.split()[0].replace("python", "jupyter-databricks-kernel")

    with pytest.raises(SystemExit) as end:
        parser.parse_args(["--version"])

    assert {"-v", "--verbose", "--debug"} <= options
    assert (end.value.code, capsys.readouterr().out) == (0, f"{package} {version(package)}\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_kernel_explains_itself_and_not_what_it_is_derived_from(option):
    command = [sys.executable, "-m", "jupyter_databricks_kernel", option]

    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    if option == "--version":
        assert told == f"jupyter-databricks-kernel {version('jupyter-databricks-kernel')}\n"
    else:
        assert "python -m jupyter_databricks_kernel.install" in " ".join(told.split())
        assert "Examples\n" in told
        assert "IPython" not in told
        assert len(told.splitlines()) <= SCREEN_LINES[80]


COMMAND = re.compile(r"\b(?P<prog>dbk-(?:config|session|sync|local)|python -m jupyter_databricks_kernel\.install)\b")
CODE = re.compile(r"^```(?:bash|console|yaml)\n(?P<block>.*?)^```|`(?P<inline>[^`\n]+)`", re.M | re.S)
TOP = {parser.prog: parser for parser in PARSERS}


def named_commands(page):
    """Every command line in a page's shell blocks and inline code, up to what ends it: (the command, its words)."""
    for found in CODE.finditer(page.read_text(encoding="utf-8")):
        for line in (found["block"] or found["inline"]).replace("\\\n", " ").splitlines():
            starts = [match for match in COMMAND.finditer(line) if line[match.end() :][:1] in ("", " ")]
            ends = [*(match.start() for match in starts[1:]), len(line)]
            for start, end in zip(starts, ends, strict=False):
                words = re.split(r"[|;&#>)\"]| -- ", line[start.end() : end])[0].split()
                yield start["prog"], words


def wrong_words(prog, words):
    """The options, and the subcommand, that the command does not have."""
    subcommand = words[0] if words and re.fullmatch(r"[a-z][a-z-]+", words[0]) else ""
    parser = TOP.get(f"{prog} {subcommand}".strip(), TOP[prog])
    is_unknown = subcommand and parser is TOP[prog] and prog != "python -m jupyter_databricks_kernel.install"
    script = next((n for n, word in enumerate(words) if word.endswith((".py", ".ipynb"))), len(words))
    known = {option for each in (parser, TOP[prog]) for action in each._actions for option in action.option_strings}
    given = [word.partition("=")[0].strip("[]") for word in words[:script]]
    return [subcommand] * bool(is_unknown) + [
        word for word in given if re.fullmatch(r"--[a-z][a-z-]*", word) and word not in known
    ]


def test_every_command_and_option_named_in_a_page_exists():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("packages/*/README.md")]
    pages += ROOT.glob(".github/*.md")

    found = [(page, prog, words) for page in pages for prog, words in named_commands(page)]

    assert len(found) > 100
    assert [
        f"{page.relative_to(ROOT)}: {prog} {' '.join(words)}: {wrong}"
        for page, prog, words in found
        if (wrong := wrong_words(prog, words))
    ] == []


def test_every_option_is_in_the_reference():
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")

    for parser in PARSERS:
        section = page[page.index(f"# `{parser.prog}`") :].partition("\n```\n")[0]
        shown = section.replace("--[no-]", "--no-") + section.replace("--[no-]", "--")
        options = {
            option for action in parser._actions for option in action.option_strings if action.help != "==SUPPRESS=="
        }
        assert {option for option in options if option not in shown} == set(), parser.prog
