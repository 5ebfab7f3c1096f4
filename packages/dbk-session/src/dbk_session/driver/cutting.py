"""Leaves out what nobody wants to read any more: the outputs of a run that was interrupted, but for the last of them.

Both sides of the driver run this. As where the output limit is reached, only what shows something is left out: errors,
questions and the end of the run are kept.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from . import wire

_KIND = re.compile(rb'\{"n":\d+,"run":"[^"]*","t":"(\w+)"')
# What is kept travels in one answer, which holds more than this even when nothing can be compressed.
_KEPT_BYTES = 20_000
# What one answer unpacks to at most, however well it compresses: both sides hold it in memory, and it is shown at once.
MOST_BYTES = 16 * 1024 * 1024


def cut(file: BinaryIO, offset: int, tail_bytes: int) -> dict[str, Any] | None:
    """Where to read on, so that about `tail_bytes` are left; None while not even twice as much is unread.

    Args:
        file: the records of a run, whole lines from `offset` on; the last may be half written.
        offset: where the unread ones begin.
        tail_bytes: what is wanted of them.

    Returns:
        `to` (where to read on), `bytes` (outputs left out) and `data` (all other records of that part, packed).
    """
    target = file.seek(0, 2) - tail_bytes
    if target - offset < tail_bytes:
        return None
    kept: list[bytes] = []
    left_out = room = 0
    at = file.seek(offset)
    while at < target and (line := file.readline()).endswith(b"\n"):
        kind = _KIND.match(line)
        if kind is not None and kind.group(1).decode() in wire.OUTPUTS:
            left_out += len(line)
        elif (room := room + len(line)) <= _KEPT_BYTES:
            kept.append(line)
        else:
            break
        at += len(line)
    if not left_out:
        return None
    data = b"".join(kept)
    return {"to": at, "bytes": left_out, "data": wire.pack_piece(data, 2 * _KEPT_BYTES)[0]}


def piece(file: BinaryIO, given: dict[str, Any], max_chars: int) -> dict[str, Any]:
    """The answer to a `read`: as much from `offset` on as fits in `max_chars`, or, with `tail_bytes`, what is cut.

    What is left after a cut is not in the same answer: while outputs still pour in, it would be cut the next time.
    """
    offset = int(given.get("offset", 0))
    tail_bytes = given.get("tail_bytes")
    left_out = cut(file, offset, int(tail_bytes)) if tail_bytes is not None else None
    if left_out is not None:
        offset = left_out["to"]
    size = file.seek(0, 2)
    file.seek(offset)
    data = file.read(min(max_chars * 64, MOST_BYTES)) if left_out is None else b""
    text, used = wire.pack_piece(data, max_chars)
    answer = {"offset": offset, "bytes": used, "data": text, "size": size}
    return answer if left_out is None else {**answer, "cut": left_out}
