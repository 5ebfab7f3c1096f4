"""The settings in force as a table, or as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dbk_config._former import notes_on
from dbk_config._load import projects
from dbk_config._origin import Origin
from dbk_config._pyproject import table_of
from dbk_config._secret import Secret
from dbk_config._settings import SETTINGS, Settings
from dbk_config._unknown import nearest
from dbk_config._values import as_text
from dbk_config.errors import UnreadableFile

__all__ = ["as_json", "as_table", "columns", "notes", "plain"]


def as_table(settings: Settings, cwd: Path) -> str:
    """Name, value and origin of every setting, one a line."""
    rows = [("setting", "value", "from")]
    for name, setting in SETTINGS.items():
        value = as_text(settings.get(name))
        unit = f" {setting.unit}" if setting.unit and settings.get(name) is not None else ""
        rows.append((name, value + unit, _short(settings.origin(name), cwd)))
    return columns(rows)


def as_json(settings: Settings, cwd: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """`{"project_dir", "settings": {name: {"value", "unit", "origin": {"layer", "file", "line", "key"}}}, "notes"}`."""
    return {
        "project_dir": str(settings.project_dir),
        "settings": {
            name: {
                "value": plain(settings.get(name)),
                "unit": setting.unit,
                "origin": _origin(settings.origin(name)),
            }
            for name, setting in SETTINGS.items()
        },
        "notes": notes(settings, cwd, env),
    }


def notes(settings: Settings, cwd: Path, env: Mapping[str, str]) -> list[str]:
    """What a reader of the table might wonder about: files not read, projects hidden, variables nobody reads."""
    found = [note.strip("()") for note in settings.notes]
    ours = [project for project in projects(cwd) if not isinstance(project, UnreadableFile) and project.is_ours]
    found += [f"{hidden.file} is not used: {ours[0].file} is nearer." for hidden in ours[1:]]
    sync = (table_of(ours[0].document) or {}).get("sync", {}) if ours else {}
    found += notes_on(sync, env)
    known = {setting.env for setting in SETTINGS.values()}
    for variable in sorted(env):
        if variable.startswith("DBK_") and variable not in known:
            closest = nearest(variable, known, likeness=0.85)
            found += [f"{variable} is not the name of a setting. Did you mean {closest}?"] if closest else []
    return found


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Rows of texts, aligned; the last column as it is."""
    rows = list(rows)
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
    lines = ("  ".join([*(t.ljust(w) for t, w in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _short(origin: Origin, cwd: Path) -> str:
    if origin.file is None:
        return str(origin)
    relative = os.path.relpath(origin.file, cwd)
    home = os.path.expanduser("~")
    text = str(origin.file)
    if not relative.startswith(os.pardir + os.sep + os.pardir + os.sep + os.pardir) and origin.layer == "pyproject":
        text = relative
    elif text.startswith(home + os.sep):
        text = "~" + text.removeprefix(home)
    return text if origin.line is None else f"{text}:{origin.line}"


def plain(value: Any) -> Any:
    """A value as JSON has it; a secret is `***`."""
    if isinstance(value, (Secret, Path)):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _origin(origin: Origin) -> dict[str, Any]:
    file = str(origin.file) if origin.file else None
    return {"layer": origin.layer, "file": file, "line": origin.line, "key": origin.key}
