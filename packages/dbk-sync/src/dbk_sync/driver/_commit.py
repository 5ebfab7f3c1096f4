"""The part of a change that is repeated until it is done: from the journal to the new manifest.

Every step can be taken twice: what is deleted stays deleted, what has left the stage is in its place.
"""

from __future__ import annotations

import hashlib
import json
import os

from ._disk import Disk
from ._names import all_parents, as_bytes, as_text, is_bytecode, kind


class Commit:
    """Moves staged files to their places in the tree at `path`, whose own directory is `control`."""

    def __init__(self, path: bytes, control: bytes, disk: Disk) -> None:
        self.stage = os.path.join(control, b"stage")
        self._path = path
        self._manifest = os.path.join(control, b"manifest")
        self._journal = os.path.join(control, b"journal")
        self._disk = disk

    def promise(self, puts: list[bytes], deletes: list[bytes]) -> None:
        """Writes the journal: from now on the change happens, whoever opens the tree next."""
        work = {"puts": [as_text(path) for path in puts], "deletes": [as_text(path) for path in deletes]}
        body = json.dumps(work).encode()
        self._disk.replace(self._journal, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def finish(self) -> None:
        """Carries out the journal; without one there is nothing to do."""
        work = self._read()
        if work is None:
            return
        puts, deletes = work
        folders = all_parents(deletes)
        folders.update(path for path in deletes if self._delete(path) == "directory")
        # A directory among the puts may be there already, when all this is done a second time.
        for folder in sorted(folders.difference(puts), reverse=True):
            self._prune(folder)
        made: set[bytes] = {b""}
        for number, path in enumerate(puts):
            staged = os.path.join(self.stage, b"%d" % number)
            if os.path.lexists(staged):
                self._put(staged, path, made)
        manifest = os.path.join(self.stage, b"manifest")
        if os.path.lexists(manifest):
            self._disk.rename(manifest, self._manifest)
        self._disk.unlink(self._journal)
        self._disk.remove_tree(self.stage)

    def _read(self) -> tuple[list[bytes], list[bytes]] | None:
        try:
            with open(self._journal, "rb") as file:
                digest, _, body = file.read().partition(b"\n")
        except FileNotFoundError:
            return None
        if hashlib.sha256(body).hexdigest().encode() != digest:
            # It appears by a rename, so this is a damaged disk, and what the tree holds is unknown.
            self._disk.remove_tree(self._manifest)
            self._disk.unlink(self._journal)
            return None
        work = json.loads(body)
        return [as_bytes(path) for path in work["puts"]], [as_bytes(path) for path in work["deletes"]]

    def _delete(self, path: bytes) -> str:
        """Removes a file or link; gives what is there, since a directory goes when it is empty."""
        whole = os.path.join(self._path, path)
        found = kind(whole)
        if found in ("file", "link"):
            self._disk.unlink(whole)
        self._forget_bytecode(path)
        return found

    def _put(self, staged: bytes, path: bytes, made: set[bytes]) -> None:
        make_parents(self._path, path, made, self._disk)
        whole = os.path.join(self._path, path)
        if kind(staged) == "directory":
            self._put_dir(staged, whole)
        else:
            if kind(whole) == "directory":
                self._remove_emptied(whole)
            self._disk.rename(staged, whole)
        self._forget_bytecode(path)

    def _put_dir(self, staged: bytes, whole: bytes) -> None:
        found = kind(whole)
        if found in ("file", "link"):
            self._disk.unlink(whole)
        if found != "directory":
            self._disk.make_dir(whole)
        self._disk.remove_dir(staged)

    def _prune(self, path: bytes) -> None:
        """Removes a directory that became empty, a `__pycache__` without bytecode in it first."""
        for name in (os.path.join(path, b"__pycache__"), path):
            whole = os.path.join(self._path, name)
            try:
                if kind(whole) == "directory" and not os.listdir(whole):
                    self._disk.remove_dir(whole)
            except OSError:
                continue  # not ours to remove; it does no harm where it is

    def _remove_emptied(self, whole: bytes) -> None:
        """A directory whose files were all deleted, where a file comes now: only directories are left in it."""
        for folder, _, names in os.walk(whole, topdown=False):
            for name in names:
                if is_bytecode(folder, name):
                    self._disk.unlink(os.path.join(folder, name))
            self._disk.remove_dir(folder)

    def _forget_bytecode(self, path: bytes) -> None:
        """Removes compiled forms of a source: Python takes one for fresh when size and second of change agree."""
        folder, name = os.path.split(path)
        if not name.endswith(b".py"):
            return
        cache = os.path.join(self._path, folder, b"__pycache__")
        try:
            compiled = [found for found in os.listdir(cache) if found.startswith(name[:-2])]
        except OSError:
            return
        for found in compiled:
            if is_bytecode(cache, found):
                self._disk.unlink(os.path.join(cache, found))


def make_parents(root: bytes, path: bytes, made: set[bytes], disk: Disk) -> None:
    """Makes the directories above `path` below `root`; `made` holds those known to exist, and grows."""
    parent = os.path.dirname(path)
    if parent in made:
        return
    make_parents(root, parent, made, disk)
    whole = os.path.join(root, parent)
    if kind(whole) != "directory":
        disk.make_dir(whole)
    made.add(parent)
