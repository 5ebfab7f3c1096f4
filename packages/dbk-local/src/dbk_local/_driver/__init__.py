"""Everything that happens inside a cluster's driver: interpreters, the notebook environment, Spark."""

from __future__ import annotations

from pathlib import Path

from dbk_local._driver._process import Driver
from dbk_local._seam import DriverProcess, Truth

__all__ = ["open_driver"]


def open_driver(truth: Truth, folder: Path) -> DriverProcess:
    """A driver that is not started yet; `folder` holds its private files and log and may be emptied between runs."""
    return Driver(truth, folder)
