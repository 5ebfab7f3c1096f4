"""Notes what the user reads with `dbutils.secrets`, so that it is never shown."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .core import Core


def install(core: Core) -> None:
    """Note what the user's `dbutils.secrets` gives."""
    handler = getattr(core.shell.user_ns.get("dbutils"), "secrets", None)
    for name in ("get", "getBytes"):
        read = getattr(handler, name, None)
        if read is not None:
            core.seams.put(handler, name, _noting(read, core.redaction.note))


def _noting(read: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(read)
    def reading(*args: Any, **kwargs: Any) -> Any:
        value = read(*args, **kwargs)
        note(value)
        return value

    return reading
