"""The settings in a `pyproject.toml`: from its text to raw values with origins, and the problems it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbk_config import _toml
from dbk_config._former import FORMER
from dbk_config._found import Found, Values
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS
from dbk_config._unknown import unknown
from dbk_config.errors import MisplacedSetting, UnknownSetting

__all__ = ["TABLE", "from_pyproject", "table_of"]

TABLE = ("tool", "jupyter-databricks-kernel")


def table_of(document: Mapping[str, Any]) -> Any:
    """Our table in a parsed pyproject.toml, or None when it has none."""
    value: Any = document
    for part in TABLE:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def from_pyproject(text: str, document: Mapping[str, Any], file: Path) -> Values:
    """The settings in our table of a `pyproject.toml`, if it has one: its text (for the lines), its parsed document."""
    values = Values()
    table = table_of(document)
    if table is not None:
        _read_table(values, table, (), file, _toml.key_lines(text))
    return values


def _read_table(values: Values, table: Any, path: _toml.Key, file: Path, lines: Mapping[_toml.Key, int]) -> None:
    where = Origin("pyproject", file, _line(lines, TABLE + path), ".".join(TABLE + path))
    if not isinstance(table, Mapping):
        message = f"{where}: {where.key}: must be a table"
        values.problems.append(UnknownSetting(message, name=".".join(path), file=file, line=where.line))
        return
    for key, value in table.items():
        here = (*path, key)
        name = ".".join(here)
        origin = Origin("pyproject", file, _line(lines, TABLE + here), ".".join(TABLE + here))
        if name == "sync":
            _read_table(values, value, here, file, lines)
        elif path and key in FORMER:
            if FORMER[key]:
                values.found.setdefault(FORMER[key], Found(value, origin))  # the name of today wins
        elif name not in SETTINGS:
            known = ["sync", *(known for known in SETTINGS if "pyproject" in SETTINGS[known].layers)]
            message = f"{origin}: unknown setting {name!r}"
            values.problems.append(unknown(message, name, known, file=file, line=origin.line))
        elif "pyproject" not in SETTINGS[name].layers:
            values.problems.append(_misplaced(name, origin))
        else:
            values.found[name] = Found(value, origin)


def _misplaced(name: str, origin: Origin) -> MisplacedSetting:
    setting = SETTINGS[name]
    why = {
        "token": "a token does not belong in pyproject.toml, which is shared with the project",
        "host": "the host does not belong in pyproject.toml: a project could send your token to another server",
    }.get(name, f"{name} is not read from pyproject.toml")
    way = f"Set {setting.env} environment variable"
    way += ", or name a profile of ~/.databrickscfg with the key `profile`" if name != "config_file" else ""
    revoke = " If this file was ever shared, revoke the token." if setting.is_secret else ""
    hint = f"Remove the line. {way}.{revoke}"
    return MisplacedSetting(f"{origin}: {name}: {why}", hint, name=name, file=origin.file, line=origin.line)


def _line(lines: Mapping[_toml.Key, int], path: _toml.Key) -> int | None:
    """The line of a key, or of the nearest table around it: keys of inline tables have none of their own."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)
