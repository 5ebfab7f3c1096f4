"""Which `pyproject.toml` to change, and the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbk_config._edit import changed
from dbk_config._load import projects, read_text
from dbk_config._pyproject import table_of
from dbk_config._toml import parse
from dbk_config._write import write_text
from dbk_config.errors import UnreadableFile

__all__ = ["change", "chosen_file"]


def chosen_file(given: Path | None) -> Path:
    """The file given; else the one `load` reads; else the nearest there is; else a new one in this folder.

    Raises:
        UnreadableFile: one that is in the way of finding it is not TOML.
    """
    if given is not None:
        return given.absolute() / "pyproject.toml" if given.is_dir() else given.absolute()
    nearest: Path | None = None
    for project in projects(Path.cwd()):
        if isinstance(project, UnreadableFile):
            raise project
        if project.is_ours:
            return project.file
        nearest = nearest or project.file
    return nearest or Path.cwd() / "pyproject.toml"


def change(file: Path, changes: Mapping[str, Any]) -> list[str]:
    """Sets (None: removes) settings in the file; gives a line for each about what happened.

    Raises:
        SettingsError: the file would not be valid any more; nothing was changed.
        DbkError: it cannot be edited or written; nothing was changed.
    """
    old = read_text(file) if file.exists() else None
    new = changed(old or "", file, changes)
    if new == (old or ""):
        return [
            f"{file}: {name} is {'not there' if value is None else 'so already'}" for name, value in changes.items()
        ]
    write_text(file, new, instead_of=old)
    lines = [f"{file}: {name} {'removed' if value is None else 'set'}" for name, value in changes.items()]
    if not _is_ours(old or "", file):
        # A file becomes a project of ours by its table, and the folder of the project is what is put on the cluster.
        lines.append(f"The project is now the folder {file.parent}: its files follow to the cluster.")
    return lines


def _is_ours(text: str, file: Path) -> bool:
    return table_of(parse(text, file)) is not None
