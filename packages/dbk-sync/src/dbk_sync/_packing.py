"""A plan on its way: how much its pack has to say, and how it is compressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dbk_sync import _zstd
from dbk_sync._content import ContentReader
from dbk_sync._pack import Codec, pack
from dbk_sync._pack_header import is_left_out, to_reuse
from dbk_sync._parts import Parts
from dbk_sync._plan import Plan

ZSTD_FROM_BYTES: Final = 16 << 20
"""Contents from which zstd is used. A pack of less is made in a moment by zlib, too, and a driver may have to load a
large library to read the other."""


class Packing:
    """The pack of `plan`, which is made when it is asked for.

    Args:
        plan: What to pack.
        reuse: Whether contents of the base tree may be left out: whoever unpacks it has that tree at hand.
    """

    def __init__(self, plan: Plan, *, reuse: bool = True) -> None:
        self._plan = plan
        self._reader = ContentReader(plan.source)
        self._reused = to_reuse(plan) if reuse else frozenset()
        self.content_bytes = sum(one.size_bytes for one in plan.puts if not is_left_out(one, self._reused))
        """The contents that are sent, before they are compressed."""

    @property
    def suits_zstd(self) -> bool:
        """Whether zstd is worth it, and can be done here."""
        return self.content_bytes >= ZSTD_FROM_BYTES and _zstd.is_available()

    def pieces(self, codec: Codec = "zlib") -> Iterator[bytes]:
        """The pack, as it is made."""
        return pack(self._plan, self._reader, codec=codec, reuse=self._reused, time_of=self._reader.modified_ns)

    def expected_bytes(self, parts: Parts) -> int:
        """The size of the pack; while it is being made, what it will be if the rest of it is like what there is."""
        size_bytes, given_bytes = parts.size_bytes, self._reader.given_bytes
        if parts.ended:
            return size_bytes
        return max(size_bytes, size_bytes * self.content_bytes // max(given_bytes, 1))
