"""Unpacks a stream of zlib (RFC 1950) in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ._refusals import BadPack
from ._stream import SLICE_BYTES, Readable


def unpacked(raw: Readable) -> Iterator[bytes]:
    """What `raw` unpacks to, in slices; it must be one stream, and nothing else."""
    inflate = zlib.decompressobj()
    while not inflate.eof:
        compressed = inflate.unconsumed_tail or raw.read(SLICE_BYTES)
        try:
            # The bound keeps a pack that unpacks to far more than it says from filling the memory.
            piece = inflate.decompress(compressed, SLICE_BYTES)
        except zlib.error as error:
            raise BadPack(f"The pack is damaged: {error}.") from error
        if piece:
            yield piece
        elif not compressed:
            raise BadPack("The pack stops short of its end.")
    if inflate.unused_data or raw.read(1):
        raise BadPack("The pack goes on after its end.")
