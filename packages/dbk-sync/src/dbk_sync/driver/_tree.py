"""A tree of synced files on the driver, and how it goes from one state to the next.

Everything of ours lies in `<tree>/.databricks/dbk-sync/`, which no project can contain:

```
tree.json   the marker: this directory is ours, and whose
lock        held as long as an interpreter uses the tree
manifest    what the tree holds, in canonical form; its SHA-256 is the tree hash
stage/      contents on their way: `0`, `1`, ... in the order of the puts, and the next `manifest`
journal     what is left to do once everything is staged and verified
```

A change has one point of no return, the rename that makes `journal` appear. Before it, the tree is untouched and a
crash leaves a stage to throw away. After it, every step can be repeated, and whoever opens the tree next finishes.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import NamedTuple

from ._checks import deletes_of, manifest_after, state_of
from ._commit import Commit, make_parents
from ._disk import Disk
from ._header import Header, Put
from ._manifest import MODE_755, MODE_DIR, MODE_LINK, Manifest, parse_manifest, tree_hash
from ._names import CONTROL, MARKER, stays_inside
from ._pack import PackReader
from ._refusals import BadPack, NeedFull
from ._room import check_room, removable
from ._stream import SLICE_BYTES

_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EIO})


class Outcome(NamedTuple):
    """What a change did: `changed` are the paths whose content is another one now, or gone."""

    tree: str
    written: int
    deleted: int
    size_bytes: int
    changed: list[bytes]
    unlinked: list[bytes]
    """Links left out because this file system has none."""


class Tree:
    """The tree at `path` (absolute, bytes), whose lock the caller holds. `tree` is its hash, `""` when unknown."""

    def __init__(self, path: bytes, disk: Disk) -> None:
        self.path = path
        self.control = os.path.join(path, CONTROL)
        self.manifest: Manifest | None = None
        self.tree = ""
        self._disk = disk
        self._unlinked: list[bytes] = []
        self._commit = Commit(path, self.control, disk)

    @property
    def marker(self) -> bytes:
        """The path of the file that says the directory is ours."""
        return os.path.join(self.path, MARKER)

    def open(self) -> None:
        """Finishes or throws away what a crash left, then reads what the tree holds."""
        self._commit.finish()
        self._disk.remove_tree(self._commit.stage)
        try:
            with open(self._own(b"manifest"), "rb") as file:
                blob = file.read()
        except FileNotFoundError:
            blob = b""
        self.manifest = parse_manifest(blob)
        self.tree = "" if self.manifest is None else tree_hash(blob)

    def make(self, marker: bytes) -> None:
        """Makes an empty tree with its marker; directories that are there already are used."""
        _make_above(self.path, self._disk)
        for path in (self.path, os.path.dirname(self.control), self.control):
            if not os.path.isdir(path):
                self._disk.make_dir(path, 0o700)
        self._disk.replace(self.marker, marker)

    def apply(self, reader: PackReader) -> Outcome:
        """Brings the tree to the pack's state, wholly or not at all."""
        header = reader.header
        if header.base and header.tree == self.tree:
            return Outcome(self.tree, 0, 0, 0, [], [])  # sent twice: the first answer was lost
        if header.base and header.base != self.tree:
            raise NeedFull("The files here are not those that the change starts from.")
        before = self.manifest or {}
        deletes = removable(self.path, before, deletes_of(before, header))
        check_room(self.path, before, header.puts, frozenset(deletes))
        after = self._stage(reader, before)
        self._commit.promise([put.path for put in header.puts], deletes)
        self._commit.finish()
        self.manifest, self.tree = after, header.tree
        changed = [put.path for put in header.puts if before.get(put.path) != after[put.path]] + deletes
        return self._outcome(header, deletes, changed)

    def build(self, reader: PackReader, marker: bytes) -> Outcome:
        """Makes the whole tree, which does not exist yet, beside its place, and moves it there in one step.

        Raises OSError where a directory cannot be made or moved; then nothing is left behind.
        """
        header = reader.header
        if header.base:
            raise NeedFull("There are no files here yet.")
        deletes_of({}, header)
        building = Tree(beside(self.path), self._disk)
        self._disk.remove_tree(building.path)
        try:
            building.make(marker)
            building._fill(reader)
            after, blob = manifest_after({}, header, reader.records)
            self._disk.create(building._own(b"manifest"), [blob], 0o600)
            self._disk.rename(building.path, self.path)
        except Exception:
            self._disk.remove_tree(building.path)
            raise
        self.manifest, self.tree = after, header.tree
        self._unlinked = building._unlinked
        return self._outcome(header, [], [])

    def clear(self) -> int:
        """Removes every file the manifest lists and everything of ours; gives how many others are left.

        What the user's code wrote is not ours to remove; without such files the directory itself goes.
        """
        held = self.manifest or {}
        self._commit.promise([], removable(self.path, held, sorted(held)))
        self._commit.finish()
        self.manifest, self.tree = None, ""
        self._disk.remove_tree(self.control)
        for folder in (os.path.dirname(self.control), os.path.join(self.path, b"__pycache__"), self.path):
            with contextlib.suppress(OSError):
                self._disk.remove_dir(folder)
        return sum(len(names) for _, _, names in os.walk(self.path))

    def differences(self) -> tuple[list[bytes], list[bytes]]:
        """Paths of the manifest that are missing, and those that hold something else, by reading every file."""
        missing: list[bytes] = []
        changed: list[bytes] = []
        for path, record in sorted((self.manifest or {}).items()):
            state = state_of(os.path.join(self.path, path), record)
            if state != "same":
                (missing if state == "missing" else changed).append(path)
        return missing, changed

    def _outcome(self, header: Header, deletes: list[bytes], changed: list[bytes]) -> Outcome:
        size_bytes = sum(put.size_bytes for put in header.puts)
        return Outcome(self.tree, len(header.puts), len(deletes), size_bytes, changed, self._unlinked)

    def _own(self, name: bytes) -> bytes:
        return os.path.join(self.control, name)

    def _stage(self, reader: PackReader, before: Manifest) -> Manifest:
        """Writes all contents beside the tree and verifies them; gives the manifest of what the tree will be."""
        self._disk.remove_tree(self._commit.stage)
        self._unlinked = []
        try:
            self._disk.make_dir(self._commit.stage, 0o700)
            with contextlib.closing(reader.contents(before, self._reread)) as contents:
                for number, (put, content) in enumerate(contents):
                    self._write(os.path.join(self._commit.stage, b"%d" % number), put, content)
            after, blob = manifest_after(before, reader.header, reader.records)
            self._disk.create(os.path.join(self._commit.stage, b"manifest"), [blob], 0o600)
        except Exception:
            self._disk.remove_tree(self._commit.stage)
            raise
        return after

    def _reread(self, path: bytes) -> Iterator[bytes]:
        """A file of the tree; the user's code may have put anything in its place."""
        try:
            descriptor = os.open(os.path.join(self.path, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise NeedFull("A file that was to be used again is gone.") from error
        with open(descriptor, "rb") as file:
            while piece := file.read(SLICE_BYTES):
                yield piece

    def _fill(self, reader: PackReader) -> None:
        made: set[bytes] = {b""}
        with contextlib.closing(reader.contents()) as contents:
            for put, content in contents:
                make_parents(self.path, put.path, made, self._disk)
                self._write(os.path.join(self.path, put.path), put, content)

    def _write(self, path: bytes, put: Put, content: Iterator[bytes]) -> None:
        if put.mode == MODE_LINK:
            self._link(path, put, b"".join(content))
        elif put.mode != MODE_DIR:
            self._disk.create(path, content, 0o755 if put.mode == MODE_755 else 0o644)
            if put.time_ns is not None:
                self._disk.date(path, put.time_ns)
        elif b"".join(content):
            raise BadPack(f"The pack has content for the directory {put.path!r}.")
        else:
            self._disk.make_dir(path)

    def _link(self, path: bytes, put: Put, target: bytes) -> None:
        if not stays_inside(put.path, target):
            raise BadPack(f"The link {put.path!r} points out of the tree.")
        try:
            self._disk.link(target, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._unlinked.append(put.path)


def _make_above(path: bytes, disk: Disk) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _make_above(parent, disk)
        disk.make_dir(parent)


def beside(path: bytes) -> bytes:
    """Where the tree at `path` is made before it is moved to its place."""
    folder, name = os.path.split(path)
    return os.path.join(folder, b"." + name + b".new")
