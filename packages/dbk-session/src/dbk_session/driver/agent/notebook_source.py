"""Databricks notebooks as `.py` files: header, cell separators, and `# MAGIC` lines.

Format: https://docs.databricks.com/notebooks/notebook-export-import.html. Pure; the client uses it too.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
TITLE = "# DBTITLE"


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook file.

    Attributes:
        source: The text to run, with magics as a notebook has them (`%sql` ...).
        line: The line of the file, from 1, at which the source starts.
    """

    source: str
    line: int


def is_notebook(text: str) -> bool:
    """Whether a `.py` file is a notebook."""
    return text.lstrip("\ufeff").startswith(HEADER)


def split_cells(text: str) -> list[Cell]:
    """The cells of a notebook file, without those that are empty."""
    cells: list[Cell] = []
    lines: list[str] = []
    start = 1
    for number, line in enumerate([*text.lstrip("\ufeff").splitlines(), SEPARATOR], 1):
        if number == 1 and line.startswith(HEADER):
            # An empty line keeps the numbers of those after it.
            lines.append("")
        elif line.strip() == SEPARATOR:
            cells += _cell(lines, start)
            lines, start = [], number + 1
        else:
            lines.append("" if line.startswith(TITLE) else line)
    return cells


def _cell(lines: list[str], start: int) -> list[Cell]:
    while lines and not lines[0].strip():
        lines, start = lines[1:], start + 1
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [Cell(strip_magic("\n".join(lines)), start)] if lines else []


def strip_magic(source: str) -> str:
    """A cell's text without `# MAGIC` in front of its lines; text without it comes back as it is."""
    lines = source.split("\n")
    if not any(_is_magic(line) for line in lines):
        return source
    return "\n".join(_unmagic(line) for line in lines)


def _is_magic(line: str) -> bool:
    return line == MAGIC or line.startswith(MAGIC + " ")


def _unmagic(line: str) -> str:
    if not _is_magic(line):
        return line
    return line[len(MAGIC) + 1 :]
