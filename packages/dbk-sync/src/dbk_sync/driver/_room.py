"""What the user's code has made where files of the project are to go, or have been."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ._header import Put
from ._manifest import MODE_DIR, Manifest
from ._names import as_text, is_bytecode, kind, parents
from ._refusals import Occupied

_CALLED = {"file": "a file", "link": "a link", "special": "a device, pipe or socket"}
_NAMES_SHOWN = 20


def removable(root: bytes, before: Manifest, deletes: Iterable[bytes]) -> list[bytes]:
    """Without what is listed as a directory and is something else now, which the user's code must have made."""
    return [
        path for path in deletes if before[path][0] != MODE_DIR or kind(os.path.join(root, path)) in ("directory", "")
    ]


def check_room(root: bytes, before: Manifest, puts: Iterable[Put], deletes: frozenset[bytes]) -> None:
    """Refuses puts where the user's code made something else of the same name; names them all."""
    sound: set[bytes] = {b""}
    troubles = {_trouble(root, before, put, deletes, sound) for put in puts} - {None}
    if troubles:
        listed = sorted(f"  {as_text(path)} is {what}" for path, what in filter(None, troubles))
        more = [f"  and {len(listed) - _NAMES_SHOWN} more"] if len(listed) > _NAMES_SHOWN else []
        raise Occupied(
            "On the driver, something else has the names of files or folders to copy:\n"
            + "\n".join([*listed[:_NAMES_SHOWN], *more]),
            "Rename or exclude them on your machine; then code runs again, and can move or delete what is in the way.",
        )


def _trouble(
    root: bytes, before: Manifest, put: Put, deletes: frozenset[bytes], sound: set[bytes]
) -> tuple[bytes, str] | None:
    """What is in the way of a put, and where; directories that are known to be `sound` are not looked at again."""
    for parent in reversed([*parents(put.path)]):
        if parent in sound:
            continue
        found = kind(os.path.join(root, parent))
        if found not in ("directory", "") and parent not in deletes:
            return parent, _CALLED[found]  # a link here could lead a write out of the tree
        sound.add(parent)
    found = kind(os.path.join(root, put.path))
    if put.mode == MODE_DIR and found in ("file", "link"):
        return None if put.path in before else (put.path, _CALLED[found])
    if put.mode != MODE_DIR and found == "directory":
        return None if _all_deleted(root, put.path, deletes) else (put.path, "a folder with files of its own")
    return (put.path, _CALLED[found]) if found == "special" else None


def _all_deleted(root: bytes, path: bytes, deletes: frozenset[bytes]) -> bool:
    for folder, folders, names in os.walk(os.path.join(root, path)):
        below = os.path.relpath(folder, root)
        links = [name for name in folders if kind(os.path.join(folder, name)) == "link"]
        for name in names + links:
            if os.path.join(below, name) not in deletes and not is_bytecode(folder, name):
                return False
    return True
