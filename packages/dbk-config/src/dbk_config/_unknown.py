"""The error for a name that is not one of those there are, with the nearest that is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dbk_config.errors import UnknownSetting

__all__ = ["nearest", "unknown"]


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The known name most like `name`, or "" when none is (`likeness` from 0 to 1)."""
    import difflib  # only on the way to an error

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)), "")


def unknown(
    message: str, name: str, known: Iterable[str], *, file: Path | None = None, line: int | None = None
) -> UnknownSetting:
    """The error about `name`, its hint naming the nearest of `known`."""
    closest = nearest(name, known)
    hint = f"Did you mean {closest!r}?" if closest else "See all settings with: dbk-config show"
    return UnknownSetting(message, hint, name=name, file=file, line=line)
