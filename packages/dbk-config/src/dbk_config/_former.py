"""What version 1 of the kernel read and is called otherwise now, or needed no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dbk_config._settings import SETTINGS

__all__ = ["FORMER", "FORMER_ENV", "notes_on"]

FORMER: Final[Mapping[str, str]] = {"compression_level": "", "workspace_extract_dir": "sync.extract_to"}
"""Former key of the table `sync` in `pyproject.toml` -> the setting that takes its value, "" where none does."""
FORMER_ENV: Final[Mapping[str, str]] = {"JUPYTER_DATABRICKS_KERNEL_EXTRACT_DIR": "sync.extract_to"}
"""Former variable -> the setting that takes its value."""


def notes_on(sync: Mapping[str, Any], env: Mapping[str, str]) -> Iterator[str]:
    """A sentence about each former name in the table `sync` and in the environment."""
    for key, now in FORMER.items():
        if key in sync:
            yield f"sync.{key} is called {now} since version 2." if now else f"sync.{key} has no effect any more."
    for variable, now in FORMER_ENV.items():
        if env.get(variable, "").strip():
            yield f"{variable} is called {SETTINGS[now].env} since version 2."
