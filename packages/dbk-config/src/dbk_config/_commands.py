"""What each subcommand of `dbk-config` does: parsed arguments in, text out, exit code back."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import textwrap
from pathlib import Path

from dbk_config._check import Finding
from dbk_config._check import check as findings
from dbk_config._edit import value_from_words
from dbk_config._files import change, chosen_file
from dbk_config._options import settings_of
from dbk_config._reference import reference as reference_page
from dbk_config._schema import schema as table_schema
from dbk_config._settings import SETTINGS
from dbk_config._show import as_json, as_table, notes, plain
from dbk_config.errors import DbkError

__all__ = ["check", "get", "reference", "schema", "set_", "show", "unset"]

_MARKS = {"ok": "ok", "warning": "warning", "failed": "FAILED", "skipped": "skipped"}


def show(arguments: argparse.Namespace) -> None:
    """Prints every setting, its value, and where it came from."""
    settings = settings_of(arguments)
    if arguments.json:
        _print_json(as_json(settings, Path.cwd(), os.environ))
        return
    print(as_table(settings, Path.cwd()), end="")
    for note in notes(settings, Path.cwd(), os.environ):
        print(f"note: {note}")


def get(arguments: argparse.Namespace) -> int | None:
    """Prints one value, a list with an item a line; exit code 1 when it is not set."""
    value = plain(settings_of(arguments).get(arguments.name))
    if arguments.json:
        _print_json(value)
    elif isinstance(value, list):
        print("".join(f"{item}\n" for item in value), end="")
    elif value is not None:
        print(json.dumps(value) if isinstance(value, (bool, int, float)) else value)
    return 1 if value is None else None


def set_(arguments: argparse.Namespace) -> None:
    """Sets one value in the project's file."""
    value = value_from_words(arguments.name, arguments.value)
    for line in change(chosen_file(arguments.file), {arguments.name: value}):
        print(line)
    variable = SETTINGS[arguments.name].env
    if variable and os.environ.get(variable):
        print(f"note: the environment variable {variable} is set and outranks it")


def unset(arguments: argparse.Namespace) -> None:
    """Removes keys from the project's file, also such as are no settings: that corrects a typing error."""
    file = chosen_file(arguments.file)
    if not file.exists():
        raise DbkError(f"{file} does not exist", "There is nothing to remove.")
    for line in change(file, dict.fromkeys(arguments.names)):
        print(line)


def check(arguments: argparse.Namespace) -> int:
    """Asks the workspace, prints each finding; 1 when something cannot work."""
    settings = settings_of(arguments)
    made: list[Finding] = []
    for finding in findings(settings):
        made.append(finding)
        if not arguments.json:
            print(_lines(finding), flush=True)
    if arguments.json:
        _print_json([dataclasses.asdict(finding) for finding in made])
    return 1 if any(finding.level == "failed" for finding in made) else 0


def schema(_: argparse.Namespace) -> None:
    """Prints the JSON schema of the table in `pyproject.toml`."""
    _print_json(table_schema())


def reference(_: argparse.Namespace) -> None:
    """Prints the reference page of all settings, Markdown."""
    print(reference_page(), end="")


def _lines(finding: Finding) -> str:
    head = f"{_MARKS[finding.level]:<8} {finding.name:<12}"
    width = max(shutil.get_terminal_size().columns, 60) - len(head) - 1
    text = textwrap.wrap(finding.message, width, break_long_words=False, break_on_hyphens=False) or [""]
    if finding.hint:
        wrapped = textwrap.wrap(finding.hint, width - 2, break_long_words=False, break_on_hyphens=False)
        text += [("> " if index == 0 else "  ") + line for index, line in enumerate(wrapped)]
    return "\n".join(f"{head if index == 0 else ' ' * len(head)} {line}" for index, line in enumerate(text))


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
