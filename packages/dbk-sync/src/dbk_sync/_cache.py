"""What is known about files already read, so that an unchanged file is not read again."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from dbk_sync._manifest import Entry

RACY: Final = 1
"""Flag: changed so shortly before it was read that a later change could leave the same times; read it again."""
SECRET_NAME: Final = 2
"""Flag: the name is one that secrets have."""
SECRET_CONTENT: Final = 4
"""Flag: the first bytes look like a secret."""


class Row(NamedTuple):
    """An entry with the file's identity *before* its content was read.

    Times in nanoseconds since the epoch; `st_mode` is the whole mode word; `flags` as above.
    """

    mtime_ns: int
    ctime_ns: int
    size_bytes: int
    inode: int
    st_mode: int
    flags: int
    entry: Entry


HashCache: TypeAlias = dict[bytes, Row]
"""Rows by path."""
