"""Where a value came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["LAYERS", "OUTSIDE", "PROJECT", "Layer", "Origin"]

Layer = Literal["argument", "environment", "pyproject", "profile", "default"]

# Strongest first. Loading takes each value from the first layer that has it.
LAYERS: tuple[Layer, ...] = ("argument", "environment", "pyproject", "profile", "default")

# A cloned project must not be able to send the user's token to a stranger's server, so `pyproject.toml` gives neither
# host nor token; it may name a profile, which pairs the two on the user's own machine.
OUTSIDE: tuple[Layer, ...] = ("argument", "environment", "profile")
PROJECT: tuple[Layer, ...] = ("argument", "environment", "pyproject")


@dataclass(frozen=True)
class Origin:
    """Where a value came from.

    Attributes:
        layer: `argument`, `environment`, `pyproject`, `profile` or `default`, strongest first.
        file: the file, for `pyproject` and `profile`; None for the others.
        line: 1-based line of the key in `file`; None where there is no file.
        key: how the value is called there: `DATABRICKS_HOST`, `tool.jupyter-databricks-kernel.cluster_id`,
            `[dev] host`, or the setting's own name.
    """

    layer: Layer
    file: Path | None = None
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        """One short phrase: `environment DATABRICKS_HOST`, `/project/pyproject.toml:4`, `default`."""
        if self.file is None:
            return f"{self.layer} {self.key}" if self.layer == "environment" else self.layer
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"
