"""What turns one tree into another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dbk_sync._entry import Entry
from dbk_sync._manifest import Manifest
from dbk_sync.errors import FormatError

FULL: Final = ""
"""The base tree of a delta that needs no base: its puts are the whole tree."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What turns one tree into another.

    `puts` (new or changed entries) and `deletes` (paths) are in path order. `base_tree` and `new_tree` are tree
    hashes in hex; `base_tree` is `""` when no base is needed and `puts` is the whole tree.
    """

    base_tree: str
    new_tree: str
    puts: tuple[Entry, ...]
    deletes: tuple[bytes, ...]


def difference(base: Manifest | None, new: Manifest) -> Delta:
    """The delta from `base` to `new`; from None, everything. Between equal manifests it is empty."""
    if base is None:
        return Delta(FULL, new.tree, new.entries, ())
    if base is new:
        return Delta(base.tree, base.tree, (), ())
    old = base.by_path
    puts = tuple([entry for entry in new.entries if old.get(entry.path) != entry])
    kept = new.by_path
    deletes = tuple([entry.path for entry in base.entries if entry.path not in kept])
    return Delta(base.tree, new.tree, puts, deletes)


def apply(delta: Delta, base: Manifest | None) -> Manifest:
    """The manifest after `delta`; what a receiver must arrive at.

    Raises:
        FormatError: `base` is not the delta's base, or the outcome is not the promised tree.
    """
    start = {} if delta.base_tree == FULL or base is None else dict(base.by_path)
    if delta.base_tree != FULL and (base is None or base.tree != delta.base_tree):
        raise FormatError("The delta belongs to another base tree.")
    for path in delta.deletes:
        start.pop(path, None)
    start.update((entry.path, entry) for entry in delta.puts)
    manifest = Manifest.of(start.values())
    if manifest.tree != delta.new_tree:
        raise FormatError("The delta does not lead to the tree it promises.")
    return manifest
