"""Work on a source that does not hold still."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final, TypeVar

from dbk_sync.errors import ChangedWhileReadingError

__all__ = ["again_when_changed"]

Made = TypeVar("Made")
_TRIES: Final = 3


def again_when_changed(work: Callable[[], Made]) -> Made:
    """Does what plans and sends; again, up to three times, when a file is another by then than when it was planned.

    An editor that saves at that very moment should fail nothing.

    Args:
        work: Scans or plans anew each time, and sends that plan.

    Raises:
        ChangedWhileReadingError: A file was rewritten each time.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(ChangedWhileReadingError):
            return work()
    return work()
