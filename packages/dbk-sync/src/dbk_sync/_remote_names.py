"""What the entries of a tree are called at a target that holds files.

A name is a path there, followed by what lies at it: nothing for a file, `/` for a directory without files, `//` for a
notebook. No service puts one kind over another, so that of two names with one path, one goes before the other comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from dbk_sync._entry import Entry
from dbk_sync._notebooks import bare
from dbk_sync.driver._names import parents

_NOTEBOOK: Final = b"//"


def names_of(entries: Iterable[Entry], notebooks: Collection[bytes]) -> set[bytes]:
    """The names of the entries, of which those at the paths `notebooks` are notebooks."""
    return {bare(one.path) + _NOTEBOOK if one.path in notebooks else one.name for one in entries}


def path_of(name: bytes) -> bytes:
    """Where it lies."""
    return name.rstrip(b"/")


def is_directory(name: bytes) -> bool:
    """Whether it is that of a directory."""
    return name.endswith(b"/") and not name.endswith(_NOTEBOOK)


def directories_of(name: bytes) -> Iterator[bytes]:
    """The directories that are there because of it: those above, and itself when it is one."""
    return parents(name if is_directory(name) else path_of(name))
