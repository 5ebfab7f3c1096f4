"""The header of a pack: what is to be done with a tree.

It is (integers big-endian):

```
32 bytes  base tree hash; 32 zero bytes when no base is needed (the puts are the whole tree)
32 bytes  new tree hash
 4 bytes  number of puts, P
 4 bytes  number of deletes, D
 P * 9    records: mode (1 byte: 1 "644", 2 "755", 3 "link", 4 "dir"; 128 more when the content is left out, because
          a file of the base tree has it, 64 more when its time is told), size (8 bytes)
 R * 32   SHA-256 of each content that is left out, in header order
 T * 8    each modification time that is told, in nanoseconds since the epoch, signed, in header order
 rest     P paths of the puts, then D paths of the deletes, each ended by a NUL byte
```
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from typing import Final

from dbk_sync._delta import FULL, Delta
from dbk_sync._entry import MODE_CODES, Entry
from dbk_sync._plan import Plan

TimeOf = Callable[[Entry], int | None]

REUSED: Final = 128
"""Added to the mode of a file whose content the base tree has, under whatever name, so that a rename sends none."""
TIMED: Final = 64
"""Added to the mode of a file whose modification time goes with it."""

_RECORD = struct.Struct(">BQ")
_COUNTS = struct.Struct(">II")
_TIME = struct.Struct(">q")


def header(delta: Delta, puts: list[Entry], reused: frozenset[bytes], time_of: TimeOf | None) -> bytes:
    """The header of a pack of `delta`, whose puts stand in the order `puts`.

    Args:
        delta: What is to be done.
        puts: Those of `delta`, in the order of their contents.
        reused: Hashes of contents to leave out.
        time_of: Gives the modification time of an entry; None to tell no times.
    """
    base = bytes(32) if delta.base_tree == FULL else bytes.fromhex(delta.base_tree)
    paths = [entry.path + b"\0" for entry in puts] + [path + b"\0" for path in delta.deletes]
    counts = _COUNTS.pack(len(puts), len(delta.deletes))
    absent = [is_left_out(entry, reused) for entry in puts]
    times_ns = [None if time_of is None else _in_range(time_of(entry)) for entry in puts]
    modes = [
        MODE_CODES[entry.mode] | REUSED * left_out | TIMED * (time_ns is not None)
        for entry, left_out, time_ns in zip(puts, absent, times_ns, strict=True)
    ]
    records = [_RECORD.pack(mode, entry.size_bytes) for mode, entry in zip(modes, puts, strict=True)]
    hashes = [entry.sha256 for entry in itertools.compress(puts, absent)]
    times = [_TIME.pack(time_ns) for time_ns in times_ns if time_ns is not None]
    return b"".join([base, bytes.fromhex(delta.new_tree), counts, *records, *hashes, *times, *paths])


def to_reuse(plan: Plan) -> frozenset[bytes]:
    """Hashes of files to send that the base tree has already, under whatever name."""
    if plan.base is None or plan.delta.base_tree == FULL:
        return frozenset()
    wanted = {entry.sha256 for entry in plan.puts if entry.is_file}
    if not wanted:
        return frozenset()
    return frozenset(entry.sha256 for entry in plan.base.entries if entry.sha256 in wanted and entry.is_file)


def is_left_out(entry: Entry, reused: frozenset[bytes]) -> bool:
    """Whether a pack has no content for the entry, because the base tree has it."""
    return entry.is_file and entry.sha256 in reused


def _in_range(time_ns: int | None) -> int | None:
    """A time that eight bytes can say; file systems keep some that they cannot."""
    return time_ns if time_ns is not None and -(1 << 63) <= time_ns < 1 << 63 else None
