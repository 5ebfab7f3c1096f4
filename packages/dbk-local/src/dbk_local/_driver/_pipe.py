"""The text of commands: one pipe per context, cut into commands by random end markers."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from typing import cast

SKIPPED_IN_THE_MIDDLE = "\n\n*** WARNING: max output size exceeded, skipping output. ***\n\n"
SKIPPED_AT_THE_END = "\n*** WARNING: skipped {count} bytes of output ***"


class CappedText:
    """Text kept up to a number of characters: the head alone (`end`), or head and tail in equal parts (`middle`).

    Memory stays within about the cap, however much is written.
    """

    def __init__(self, cap_chars: int, truncation: str) -> None:
        self._head_room = cap_chars // 2 if truncation == "middle" else cap_chars
        self._tail_room = cap_chars - self._head_room
        self._truncation = truncation
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_chars = 0
        self._skipped_bytes = 0

    def write(self, data: bytes) -> None:
        """Add bytes; they may end in the middle of a character."""
        self._add(self._decoder.decode(data))

    def close(self) -> str:
        """The text as the API gives it: without the last newline, with the marker where something is missing."""
        self._add(self._decoder.decode(b"", final=True))
        head, tail = "".join(self._head), "".join(self._tail)
        if len(tail) > self._tail_room:
            tail, self._skipped_bytes = tail[-self._tail_room :], self._skipped_bytes + 1
        if not self._skipped_bytes:
            return (head + tail).removesuffix("\n")
        if self._truncation == "middle":
            return head + SKIPPED_IN_THE_MIDDLE + tail.removesuffix("\n")
        return head + SKIPPED_AT_THE_END.format(count=self._skipped_bytes)

    def _add(self, text: str) -> None:
        if self._head_room:
            self._head.append(text[: self._head_room])
            text = text[self._head_room :]
            self._head_room -= len(self._head[-1])
        if not text:
            return
        if not self._tail_room:
            self._skipped_bytes += len(text.encode(errors="replace"))
            return
        self._tail.append(text)
        self._tail_chars += len(text)
        while self._tail_chars - len(self._tail[0]) >= self._tail_room:
            gone = self._tail.popleft()
            self._tail_chars -= len(gone)
            self._skipped_bytes += len(gone.encode(errors="replace"))


class OutputPipe(asyncio.Protocol):
    """The reading end. It is always drained; what arrives while no command runs belongs to nobody and is dropped."""

    def __init__(self) -> None:
        self._transport: asyncio.ReadTransport | None = None
        self._marker = b""
        self._pending = b""
        self._text: CappedText | None = None
        self._ended: asyncio.Future[str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.ReadTransport, transport)

    def begin(self, marker: bytes, text: CappedText) -> asyncio.Future[str]:
        """Collect from now on; the future gives the text up to the marker, or all there is when the pipe ends."""
        self._marker, self._pending, self._text = marker, b"", text
        self._ended = asyncio.get_running_loop().create_future()
        return self._ended

    def data_received(self, data: bytes) -> None:
        if self._text is None:
            return
        data = self._pending + data
        before, found, _after = data.partition(self._marker)
        # A marker may come in two parts: the last bytes wait for what follows.
        keep = 0 if found else min(len(data), len(self._marker) - 1)
        self._text.write(before[: len(before) - keep])
        self._pending = before[len(before) - keep :]
        if found:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._text is not None:
            self._text.write(self._pending)
            self._finish()

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()

    def _finish(self) -> None:
        text, ended = self._text, self._ended
        self._text = self._ended = None
        if text is not None and ended is not None and not ended.done():
            ended.set_result(text.close())
