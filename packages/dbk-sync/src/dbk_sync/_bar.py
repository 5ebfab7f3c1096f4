"""A progress bar for a terminal."""

from __future__ import annotations

import time
from typing import Final, TextIO

_REDRAW_S: Final = 0.1
_WIDTH: Final = 30


class Bar:
    """One line that is drawn over itself, ten times a second at most."""

    def __init__(self, err: TextIO) -> None:
        self._err = err
        self._drawn_s = 0.0
        self._shown = False

    def draw(self, done: int, total: int, text: str) -> None:
        """Shows how much is done, and a text beside it."""
        now_s = time.monotonic()
        if now_s - self._drawn_s < _REDRAW_S and done < total:
            return
        self._drawn_s, self._shown = now_s, True
        filled = _WIDTH * done // max(total, 1)
        self._err.write(f"\r\033[K[{'#' * filled}{'.' * (_WIDTH - filled)}] {text}")
        self._err.flush()

    def clear(self) -> None:
        """Makes room for a line of text."""
        if self._shown:
            self._err.write("\r\033[K")
            self._shown = False
