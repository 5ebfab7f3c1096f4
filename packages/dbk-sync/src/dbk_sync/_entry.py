"""What a tree consists of, and the records that entries become in a manifest."""

from __future__ import annotations

import hashlib
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple

from dbk_sync.errors import FormatError

Mode = Literal["644", "755", "link", "dir"]

RECORD: Final = struct.Struct(">BQ32s")
MODE_CODES: Final[Mapping[Mode, int]] = {"644": 1, "755": 2, "link": 3, "dir": 4}
MODES: Final[Mapping[int, Mode]] = {code: mode for mode, code in MODE_CODES.items()}
FILE_MODES: Final = frozenset({"644", "755"})

_NOTHING = hashlib.sha256().digest()


class Entry(NamedTuple):
    """One file, link or empty directory of a tree.

    A link's content is its target, as in git: `size_bytes` and `sha256` are those of the target's bytes. A directory
    has none, and nothing below it is in the tree: one with files is there because of them.
    """

    path: bytes
    mode: Mode
    size_bytes: int
    sha256: bytes

    @property
    def is_file(self) -> bool:
        """Whether it is neither a link nor a directory."""
        return self.mode in FILE_MODES

    @property
    def name(self) -> bytes:
        """The path as a person knows it: that of a directory ends with `/`."""
        return self.path + b"/" if self.mode == "dir" else self.path


def directory(path: bytes) -> Entry:
    """The entry of an empty directory."""
    return Entry(path, "dir", 0, _NOTHING)


new_entry: Final = partial(tuple.__new__, Entry)
"""Makes an entry of a tuple of its four parts: the same object as by the class, at half the cost, for long loops."""


def mode_of(st_mode: int) -> Mode:
    """The mode class of a file or link with this mode word: as in git, only the owner's execute bit counts."""
    if stat.S_ISLNK(st_mode):
        return "link"
    return "755" if st_mode & stat.S_IXUSR else "644"


def pack_records(entries: Iterable[Entry]) -> bytes:
    """The fixed-size records of `entries`, 41 bytes each, in the given order."""
    pack, codes = RECORD.pack, MODE_CODES
    return b"".join([pack(codes[mode], size, sha256) for _, mode, size, sha256 in entries])


def parse_entries(records: bytes, paths: list[bytes], count: int) -> Iterator[Entry]:
    """The entries of `count` records and as many paths.

    Raises:
        FormatError: The lengths differ, or a mode is unknown.
    """
    if len(records) != count * RECORD.size or len(paths) != count:
        raise FormatError("The manifest is damaged: its parts differ in length.")
    try:
        for path, (code, size_bytes, sha256) in zip(paths, RECORD.iter_unpack(records), strict=True):
            yield Entry(path, MODES[code], size_bytes, sha256)
    except KeyError as error:
        raise FormatError(f"The manifest is damaged: {error.args[0]} is no mode.") from error
