"""What must hold before a change starts, so that none of its later steps can fail for a reason of ours."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from ._header import Header, Put
from ._manifest import MODE_DIR, MODE_LINK, RECORD, Manifest, manifest_bytes, tree_hash
from ._names import is_bytecode, kind, parents
from ._refusals import BadPack, Occupied


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


def removable(root: bytes, before: Manifest, deletes: Iterable[bytes]) -> list[bytes]:
    """Without what is listed as a directory and is something else now, which the user's code must have made."""
    return [
        path for path in deletes if before[path][0] != MODE_DIR or kind(os.path.join(root, path)) in ("directory", "")
    ]


def check_room(root: bytes, before: Manifest, puts: Iterable[Put], deletes: frozenset[bytes]) -> None:
    """Refuses a put where the user's code made something else of the same name."""
    sound: set[bytes] = {b""}
    for put in puts:
        _check_parents(root, put.path, deletes, sound)
        found = kind(os.path.join(root, put.path))
        if found == "special":
            raise Occupied(f"{put.path!r} is a device, pipe or socket here.")
        if put.mode == MODE_DIR:
            if found not in ("directory", "") and put.path not in before:
                raise Occupied(f"{put.path!r} should be a directory, but is a {found} that the sync did not put there.")
        elif found == "directory" and not _all_deleted(root, put.path, deletes):
            raise Occupied(f"{put.path!r} is a directory here, with files that the sync did not put there.")


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


def _check_parents(root: bytes, path: bytes, deletes: frozenset[bytes], sound: set[bytes]) -> None:
    parent = os.path.dirname(path)
    if parent in sound:
        return
    _check_parents(root, parent, deletes, sound)
    found = kind(os.path.join(root, parent))
    if found not in ("directory", "") and parent not in deletes:
        # A link here could lead a write out of the tree.
        raise Occupied(f"{parent!r} should be a directory, but is a {found} that the sync did not put there.")
    sound.add(parent)


def _all_deleted(root: bytes, path: bytes, deletes: frozenset[bytes]) -> bool:
    for folder, folders, names in os.walk(os.path.join(root, path)):
        below = os.path.relpath(folder, root)
        links = [name for name in folders if kind(os.path.join(folder, name)) == "link"]
        for name in names + links:
            if os.path.join(below, name) not in deletes and not is_bytecode(folder, name):
                return False
    return True
