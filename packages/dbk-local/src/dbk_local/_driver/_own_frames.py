"""Where the traceback of an interrupt ends: at the user's line, though it waited in the driver's own code below it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

_OURS = (str(Path(__file__).parent), contextlib.__file__)


def cut_own_end(traceback: TracebackType | None) -> None:
    """Take the frames of this package off the end of a traceback; frames between others, and those alone, stay."""
    last, entry = None, traceback
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(_OURS):
            last = entry
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None
