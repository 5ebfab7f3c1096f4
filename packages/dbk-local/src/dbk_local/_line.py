"""The line to the workspace: as wide as an option says, and the same for all requests that are on it at a time."""

from __future__ import annotations

import asyncio
import time

LATE_S = 0.05
"""Waking up takes a busy machine a moment, in which bytes go on arriving: shorter gaps are not the line's."""


class Line:
    """One direction of a line. What passes waits for what came before it, whoever sent it."""

    def __init__(self) -> None:
        self._free_s = 0.0

    async def carry(self, size: int, bytes_per_s: int) -> None:
        """Take the time that `size` bytes need."""
        now_s = time.monotonic()
        begun_s = self._free_s if now_s - self._free_s < LATE_S else now_s
        self._free_s = begun_s + size / bytes_per_s
        await asyncio.sleep(self._free_s - now_s)


class Lines:
    """Both directions."""

    def __init__(self) -> None:
        self.inward = Line()
        self.outward = Line()
