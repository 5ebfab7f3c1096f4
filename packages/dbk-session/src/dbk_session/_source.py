"""Files as cells: scripts, notebooks in Databricks source format, .ipynb notebooks. Text in, values out."""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbk_session.errors import UnreadableSource

__all__ = ["Source", "source_of", "text_of"]

_HEADER = "# Databricks notebook source"
_SEPARATOR = re.compile(r"(?m)^# COMMAND ----------[ \t]*$")
_MAGIC = re.compile(r"^# MAGIC ?")
_TITLE = re.compile(r"(?m)^# DBTITLE .*$\n?")


@dataclass(frozen=True, slots=True)
class Source:
    """A file, ready to run.

    Attributes:
        cells: the code of each cell, in order; a script is one.
        positions: where each came from: its index among the cells of an .ipynb notebook.
        is_script: results of last expressions are not shown, and an exit status is passed on.
        notebook: the parsed .ipynb notebook, None for the others.
    """

    cells: tuple[str, ...]
    positions: tuple[int, ...]
    is_script: bool
    notebook: dict[str, Any] | None = None


def text_of(data: bytes, name: str) -> str:
    """The text of a file called `name`, decoded as Python does: by its byte order mark or coding comment, else UTF-8.

    Raises:
        UnreadableSource: the bytes are not in that encoding, or there is no such encoding.
    """
    file = io.BytesIO(data)
    try:
        encoding = "utf-8-sig" if name.endswith(".ipynb") else tokenize.detect_encoding(file.readline)[0]
        file.seek(0)
        return io.TextIOWrapper(file, encoding).read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UnreadableSource(f"{name} cannot be read: {error}.", "Save it as UTF-8.") from error


def source_of(text: str, name: str) -> Source:
    """Reads the content of a file called `name`.

    Raises:
        UnreadableSource: an .ipynb file that is no notebook, or holds no Python.
    """
    if name.endswith(".ipynb"):
        return _notebook(text, name)
    if text.startswith(_HEADER):
        cells = [cell for cell in map(_databricks_cell, _SEPARATOR.split(text.removeprefix(_HEADER))) if cell.strip()]
        return Source(tuple(cells), tuple(range(len(cells))), is_script=False)
    return Source((text,), (0,), is_script=True)


def _databricks_cell(text: str) -> str:
    """One cell without its comment marks; text cells come out empty."""
    body = _TITLE.sub("", text).strip("\n")
    lines = body.split("\n")
    if lines and _MAGIC.match(lines[0]):
        lines = [_MAGIC.sub("", line) for line in lines]
    cell = "\n".join(lines)
    return "" if re.match(r"%md\b", cell) else cell


def _notebook(text: str, name: str) -> Source:
    try:
        notebook = json.loads(text)
        cells: list[Mapping[str, Any]] = notebook["cells"]
        code = [(index, _joined(cell["source"])) for index, cell in enumerate(cells) if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableSource(f"{name} is not a notebook ({error}).", "Save it as version 4 of the format.") from error
    kept = [(index, source) for index, source in code if source.strip()]
    return Source(tuple(s for _, s in kept), tuple(i for i, _ in kept), is_script=False, notebook=notebook)


def _joined(source: object) -> str:
    return "".join(source) if isinstance(source, list) else str(source)
