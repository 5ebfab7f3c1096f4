"""What must hold before a change starts, so that none of its later steps can fail for a reason of ours."""

from __future__ import annotations

import hashlib
import os

from ._header import Header
from ._manifest import MODE_DIR, MODE_LINK, RECORD, Manifest, manifest_bytes, tree_hash
from ._names import kind, parents
from ._refusals import BadPack


def deletes_of(before: Manifest, header: Header) -> list[bytes]:
    """Which listed paths go; refuses a pack after which a path would be a file and a directory.

    Only what the manifest lists is ever deleted: files that the user's code wrote are not in it.
    """
    puts = {put.path for put in header.puts}
    if header.base:
        deletes = [path for path in header.deletes if path in before]
        _check_kinds((before.keys() | puts).difference(deletes))
    else:
        deletes = sorted(before.keys() - puts)
        _check_kinds(puts)
    return deletes


def manifest_after(before: Manifest, header: Header, records: Manifest) -> tuple[Manifest, bytes]:
    """The manifest that what was read leads to, and its canonical form; refuses what is not the tree promised.

    This is where every content is verified: the hash of the tree covers the hash of each.
    """
    after = {**before, **records} if header.base else records
    for path in header.deletes:
        after.pop(path, None)
    blob = manifest_bytes(after)
    if tree_hash(blob) != header.tree:
        raise BadPack("The contents of the pack are not those of the tree that it promises.")
    return after, blob


def state_of(whole: bytes, record: bytes) -> str:
    """`same`, `changed` or `missing`: the file at `whole` against its record, every byte read."""
    mode, size_bytes, sha256 = RECORD.unpack(record)
    found = kind(whole)
    if not found:
        return "missing"
    if mode == MODE_DIR:
        same = found == "directory"
    elif mode == MODE_LINK:
        same = found == "link" and hashlib.sha256(os.readlink(whole)).digest() == sha256
    else:
        same = found == "file" and os.lstat(whole).st_size == size_bytes and _digest(whole) == sha256
    return "same" if same else "changed"


def _digest(whole: bytes) -> bytes:
    digest = hashlib.sha256()
    with open(whole, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.digest()


def _check_kinds(paths: set[bytes]) -> None:
    for folder in {os.path.dirname(path) for path in paths}:
        for parent in (folder, *parents(folder)):
            if parent in paths:
                raise BadPack(f"The pack has {parent!r} both as a file and as a directory.")
