"""Reads packs that this package has written, to check them."""

from __future__ import annotations

import io
from collections import deque

from dbk_sync._delta import Delta, apply
from dbk_sync._entry import parse_entries
from dbk_sync._manifest import Manifest
from dbk_sync.driver._pack import PackReader
from dbk_sync.driver._refusals import BadPack
from dbk_sync.errors import FormatError


def read_pack(blob: bytes, base: Manifest | None) -> Manifest:
    """The manifest after the pack in `blob`, every content of it hashed.

    Raises:
        FormatError: It is damaged, or does not start from `base`.
    """
    try:
        reader = PackReader(io.BytesIO(blob))
        for _, content in reader.contents():
            deque(content, maxlen=0)
        puts = tuple(parse_entries(b"".join(reader.records.values()), list(reader.records), len(reader.records)))
    except BadPack as error:
        raise FormatError(error.message) from error
    header = reader.header
    return apply(Delta(header.base, header.tree, puts, tuple(header.deletes)), base)
