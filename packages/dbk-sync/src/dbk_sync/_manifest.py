"""What lists the entries of a tree: the manifest, and its hash.

Paths are bytes relative to the root of the tree, `/`-separated, in any encoding. The canonical binary form of a
manifest, whose SHA-256 is the *tree hash*, is (integers big-endian):

```
 4 bytes  b"DBKM"
 1 byte   version, 1
 4 bytes  number of entries, N
 N * 41   records: mode (1 byte: 1 "644", 2 "755", 3 "link", 4 "dir"), size (8 bytes), SHA-256 of the content (32 bytes)
 rest     N paths, each ended by a NUL byte, strictly ascending as bytes
```
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from dbk_sync._entry import RECORD, Entry, pack_records, parse_entries
from dbk_sync.errors import FormatError

_HEAD = struct.Struct(">4sBI")
_MAGIC = b"DBKM"
_VERSION = 1
_UNSAFE_PART = re.compile(rb"(?:^|/)(?:\.{0,2}|\.git|\.databricks)(?:/|\Z)")


@dataclass(frozen=True, eq=False)
class Manifest:
    """All entries of a tree, in path order, each path once. Equal when the tree hashes are equal."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Manifest:
        """The manifest of `entries` in any order.

        Raises:
            FormatError: A path is listed twice, or is unsafe to write below a root.
        """
        ordered = tuple(sorted(entries, key=_path_of))
        _check_paths([entry.path for entry in ordered])
        return cls(ordered)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Manifest:
        """The manifest whose canonical form is `blob`.

        Raises:
            FormatError: `blob` is not such a form, to the last byte.
        """
        magic, version, count = _HEAD.unpack_from(blob) if len(blob) >= _HEAD.size else (b"", 0, 0)
        if magic != _MAGIC or version != _VERSION:
            raise FormatError("These bytes are not a manifest of dbk-sync, version 1.")
        names_at = _HEAD.size + count * RECORD.size
        entries = tuple(parse_entries(blob[_HEAD.size : names_at], blob[names_at:].split(b"\0")[:-1], count))
        manifest = cls(entries)
        _check_paths([entry.path for entry in entries])
        if manifest.to_bytes() != blob:
            raise FormatError("The manifest is damaged: it is not in canonical form.")
        return manifest

    def to_bytes(self) -> bytes:
        """The canonical form (see the module); its SHA-256 is `tree`."""
        head = _HEAD.pack(_MAGIC, _VERSION, len(self.entries))
        return head + pack_records(self.entries) + b"".join([entry.path + b"\0" for entry in self.entries])

    @classmethod
    def from_text(cls, text: str) -> Manifest:
        """The manifest that `to_text` printed. Empty lines and lines starting with `#` are skipped.

        Raises:
            FormatError: A line has another shape; the message names it.
        """
        lines = ((number, line) for number, line in enumerate(text.splitlines(), 1) if line and line[0] != "#")
        return cls.of(_parse_line(number, line) for number, line in lines)

    def to_text(self) -> str:
        """One line per entry, `MODE SHA256 SIZE PATH`, after a comment line with the tree hash.

        In PATH each byte outside printable ASCII, and `%`, is written `%XX`.
        """
        head = f"# dbk-manifest 1 {self.tree}\n"
        return head + "".join([f"{e.mode} {e.sha256.hex()} {e.size_bytes} {_quote(e.path)}\n" for e in self.entries])

    @cached_property
    def tree(self) -> str:
        """The tree hash: SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @cached_property
    def by_path(self) -> Mapping[bytes, Entry]:
        """The entries by path."""
        return {entry.path: entry for entry in self.entries}

    @property
    def size_bytes(self) -> int:
        """The sum of the sizes of all entries."""
        return sum(entry.size_bytes for entry in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Manifest) and (self is other or self.entries == other.entries)

    def __hash__(self) -> int:
        return hash(self.tree)


def _check_paths(paths: list[bytes]) -> None:
    unsafe = [path for path in paths if b"\0" in path or _UNSAFE_PART.search(path)]
    if unsafe:
        raise FormatError(f"The path {unsafe[0]!r} cannot be part of a tree.")
    if any(left >= right for left, right in pairwise(paths)):
        raise FormatError("The manifest lists a path twice, or is not sorted.")


def _parse_line(number: int, line: str) -> Entry:
    match line.split(" "):
        case [("644" | "755" | "link" | "dir") as mode, sha256, size, path]:
            try:
                return Entry(_unquote(path), mode, int(size), _digest(sha256))
            except ValueError as error:
                raise FormatError(f"Line {number} of the manifest is damaged: {error}.") from error
        case _:
            raise FormatError(f"Line {number} of the manifest is not `MODE SHA256 SIZE PATH`.")


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError("the hash is not 32 bytes long")
    return digest


def _quote(path: bytes) -> str:
    return "".join([chr(byte) if 0x20 < byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in path])


def _unquote(text: str) -> bytes:
    head, *rest = text.encode("ascii").split(b"%")
    return head + b"".join([bytes((int(part[:2], 16),)) + part[2:] for part in rest])


def _path_of(entry: Entry) -> bytes:
    return entry.path
