"""A workspace notebook as the commands that running it makes."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbk_local import _notebooks
from dbk_local._notebook_index import NotebookIndex

_LANGUAGES = {"%python": "python", "%sql": "sql", "%scala": "scala", "%r": "r"}
_MOST_NESTED = 20


class NotebookNotFound(Exception):
    """There is no such notebook; the text is its path."""


class NotebookUnsuitable(Exception):
    """A cell that cannot be run here; the text says why."""


@dataclass(frozen=True)
class Cell:
    """One command."""

    language: str
    text: str


def absolute(path: str, folder: str | None) -> str | None:
    """The one form of a notebook's path, without `/Workspace`; None for a relative path where there is no folder."""
    if not path.startswith("/") and folder is None:
        return None
    whole = posixpath.normpath(posixpath.join(folder or "/", path))
    return whole.removeprefix("/Workspace") if whole.startswith("/Workspace/") else whole


def cells_of(root: Path, path: str, nested: int = 0) -> Iterator[Cell]:
    """The commands of the notebook at an absolute path of the tree kept in `root`; `%run` is replaced by what it runs.

    Raises:
        NotebookNotFound: it, or one that it runs, is not there, or is a file.
        NotebookUnsuitable: one of its cells cannot be run.
    """
    text, language = _read(root, path)
    for kind, cell in _notebooks.source_cells(text, language):
        magic, _, rest = cell.strip().partition("\n")
        name, _, line = magic.partition(" ")
        if kind == "markdown":
            continue
        if name == "%run":
            if nested == _MOST_NESTED:
                raise NotebookUnsuitable(f"{path} is run by %run more than {_MOST_NESTED} levels deep.")
            yield from cells_of(root, _run_by(line, path), nested + 1)
        else:
            yield _cell(name, line, rest, cell, language.lower())


def _read(root: Path, path: str) -> tuple[str, str]:
    language = NotebookIndex(root).language(path)
    try:
        text = (root / path.lstrip("/")).read_text()
    except (OSError, ValueError):
        raise NotebookNotFound(path) from None
    if not language:
        raise NotebookNotFound(path)
    return text, language


def _run_by(line: str, path: str) -> str:
    words = shlex.split(line)
    if len(words) != 1:
        raise NotebookUnsuitable(f"%run {line}: arguments of %run are not embedded.")
    return absolute(words[0], posixpath.dirname(path)) or words[0]


def _cell(name: str, line: str, rest: str, cell: str, language: str) -> Cell:
    if name in _LANGUAGES:
        return Cell(_LANGUAGES[name], f"{line}\n{rest}")
    if name == "%sh":
        return Cell("python", f"%%sh\n{line}\n{rest}")
    if name == "%fs":
        call, *arguments = shlex.split(line)
        return Cell("python", f"dbutils.fs.{call}(*{arguments!r})")
    return Cell("python" if cell.lstrip().startswith("%") else language, cell)
