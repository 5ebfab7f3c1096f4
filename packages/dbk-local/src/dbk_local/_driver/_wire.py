"""`Truth` as JSON, for the way from the server into an interpreter."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from dbk_local._seam import Truth

_PATHS = ("dbfs_root", "workspace_root", "volumes_root", "local_disk", "secrets_file")


def truth_to_json(truth: Truth) -> dict[str, Any]:
    """All fields by name, paths as text."""
    fields = {field.name: getattr(truth, field.name) for field in dataclasses.fields(truth)}
    return {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}


def truth_from_json(fields: dict[str, Any]) -> Truth:
    """The inverse of `truth_to_json`."""
    values = dict(fields)
    for name in _PATHS:
        values[name] = None if values[name] is None else Path(values[name])
    values["spark_env_vars"] = tuple((name, value) for name, value in values["spark_env_vars"])
    return Truth(**values)
