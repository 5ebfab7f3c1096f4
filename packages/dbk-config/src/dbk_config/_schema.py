"""The JSON schema of our table in `pyproject.toml`, from the declaration: for editors and validators."""

from __future__ import annotations

from typing import Any

from dbk_config._pyproject import TABLE
from dbk_config._setting import Setting
from dbk_config._settings import SETTINGS

__all__ = ["schema"]

_TYPES = {"flag": "boolean", "integer": "integer", "number": "number", "list": "array"}
_PATTERNS = {
    "cluster_id": r"^[^\s/:?&]+$",
    "sync.volume": r"^/Volumes/[^/]+/[^/]+/[^/]+",
    "sync.extract_to": r"^(workspace|driver|/.+)$",
}


def schema() -> dict[str, Any]:
    """JSON schema (draft 7) of the table `[tool.jupyter-databricks-kernel]`, closed: other keys are not allowed."""
    allowed = {name: setting for name, setting in SETTINGS.items() if "pyproject" in setting.layers}
    own = {name: _property(setting) for name, setting in allowed.items() if "." not in name}
    sync = {name.removeprefix("sync."): _property(setting) for name, setting in allowed.items() if "." in name}
    own["sync"] = {
        "description": "Which project files follow to the cluster, and how.",
        **_table(sync),
        # As loading does: this store is nothing without its volume.
        "if": {"properties": {"store": {"const": "volume"}}, "required": ["store"]},
        "then": {"required": ["volume"]},
    }
    title = ".".join(TABLE)
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **_table(own)}


def _table(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(setting: Setting) -> dict[str, Any]:
    unit = f" Unit: {setting.unit}." if setting.unit else ""
    found: dict[str, Any] = {"description": setting.help + unit, "type": _TYPES.get(setting.kind, "string")}
    if setting.default is not None:
        found["default"] = list(setting.default) if setting.kind == "list" else setting.default
    if setting.kind == "list":
        found["items"] = {"type": "string", "minLength": 1}
    if setting.choices:
        found["enum"] = list(setting.choices)
    elif found["type"] == "string":
        found |= {"pattern": _PATTERNS[setting.name]} if setting.name in _PATTERNS else {"minLength": 1}
    if setting.minimum is not None:
        found["minimum"] = setting.minimum
    if setting.above is not None:
        found["exclusiveMinimum"] = setting.above
    return found
