"""The user's cache: what can be made or fetched again, and is not, because that takes long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cache_folder(env: Mapping[str, str]) -> Path:
    """Where this package keeps it (XDG Base Directory Specification)."""
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbk-local"
