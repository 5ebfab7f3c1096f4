"""Requests in, answers out: what the receiver does for a client, one dict each way.

A request has `op`, all but `hello` also `session` (hex, unguessable), and all but `piece` also where the tree lies:
`extract_to` (`workspace`, `driver` or an absolute path), `user`, `project`; `keep` when it outlives the session;
`folder`, relative to the tree, when code runs in it. Operations:

```
hello    what this driver can read -> {dbfs, zstd}
open     where the tree will be or is -> {path, where, tree, dbfs, zstd}
piece    {upload, offset, sha256} + data: one piece of a pack -> {size}
apply    {source} + data: a pack, wherever `source` says
         -> {tree, path, where, written, deleted, bytes, changed_modules}
verify   every file read again -> {tree, path, files, missing, changed}
close    the tree removed -> {kept}
```

Every answer may have `notices` (sentences for the user, each said once). `{"need_full": reason}` asks for everything,
`{"error": {code, message, hint}}` says no. An answer stays far below the 50,000 characters that a command may print.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from typing import Any, NamedTuple

from . import _interpreter, _locks, _roots, _zstd
from ._disk import Disk
from ._names import as_text
from ._pack import PackReader
from ._places import Place, Places, inner
from ._refusals import NeedFull, Refusal, UnsafeTarget, described
from ._source import Joined, Pieces, has_dbfs, opened, remove
from ._tree import Outcome, Tree, beside

_SESSION = re.compile(r"[0-9a-f]{8,64}")
_NAMES_SHOWN = 100


class _Held(NamedTuple):
    tree: Tree
    lock: int


class Receiver:
    """The trees this interpreter works on, by session."""

    def __init__(self, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._pieces = Pieces()
        self._notices: list[str] = []
        self._places = Places(self._disk, self._notices.append)
        self._held: dict[str, _Held] = {}
        self._came_from: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._mutex = threading.Lock()

    def answer(self, request: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        """Carries out one request; never raises."""
        with self._mutex:
            try:
                answer = self._operation(request, data)
            except NeedFull as refusal:
                answer = {"need_full": refusal.message}
            except Refusal as refusal:
                answer = {"error": {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}}
            except OSError as error:
                # The disk stopped in the middle: what the tree is now is read again next time.
                self._let_go(request.get("session", ""))
                answer = {"error": {"code": "disk", "message": described(error), "hint": ""}}
            except Exception as error:  # the client must learn of it in an answer, not by a traceback
                self._let_go(request.get("session", ""))
                answer = {"error": {"code": "internal", "message": described(error), "hint": ""}}
            if self._notices:
                answer["notices"] = self._notices.copy()
                self._notices.clear()
            return answer

    def _operation(self, request: dict[str, Any], data: bytes) -> dict[str, Any]:
        if request["op"] == "hello":
            return _reads()
        session = request["session"]
        if not _SESSION.fullmatch(session):
            raise UnsafeTarget("This is not the name of a session.")
        if request["op"] == "piece":
            size = self._pieces.add(request["upload"], request["offset"], data, request["sha256"])
            return {"size": size}
        self._folders[session] = inner(request.get("folder", ""))
        operations = {"open": self._open, "apply": self._apply, "verify": self._verify, "close": self._close}
        return operations[request["op"]](session, self._places.of(session, request), request, data)

    def _open(self, session: str, place: Place, _request: dict[str, Any], _data: bytes) -> dict[str, Any]:
        held = self._hold(session, place)
        return {
            "path": as_text(place.path),
            "where": place.where,
            "tree": held.tree.tree if held else "",
            **_reads(),
        }

    def _apply(self, session: str, place: Place, request: dict[str, Any], data: bytes) -> dict[str, Any]:
        held = self._hold(session, place)
        with opened(request["source"], data, self._pieces) as file:
            if held is not None:
                outcome = held.tree.apply(PackReader(file))
            else:
                outcome = self._create(session, place, request, file)
        os.utime(self._held[session].tree.marker)  # shows the sweep that somebody works here
        if outcome.unlinked:
            self._notices.append(f"Left out {len(outcome.unlinked)} link(s): {place.where} files cannot be links.")
        return {
            "tree": outcome.tree,
            "path": as_text(place.path),
            "where": place.where,
            "written": outcome.written,
            "deleted": outcome.deleted,
            "bytes": outcome.size_bytes,
            "pack_removed": remove(request["source"]),
            "changed_modules": _interpreter.changed_modules(place.path, outcome.changed)[:_NAMES_SHOWN],
        }

    def _create(self, session: str, place: Place, request: dict[str, Any], file: Joined) -> Outcome:
        """The first files of a session, and the interpreter's move into their directory."""
        about = {"v": 1, "session": session, "project": request["project"], "made": time.time()}
        marker = json.dumps({**about, "keep": bool(request.get("keep"))}).encode()
        tree = Tree(place.path, self._disk)
        outcome = None
        if place.where != "path":
            with contextlib.suppress(OSError):
                outcome = tree.build(PackReader(file), marker)
        if outcome is None:
            # A directory that is there already, or cannot be moved into place: file by file, with a journal.
            file.rewind()
            reader = PackReader(file)
            if reader.header.base:
                raise NeedFull("There are no files here yet.")
            tree.make(marker)
            self._held[session] = _Held(tree, _locks.hold(tree.control, session))
            tree.open()
            outcome = tree.apply(reader)
        else:
            self._held[session] = _Held(tree, _locks.hold(tree.control, session))
        self._enter(session, place)
        return outcome

    def _verify(self, session: str, place: Place, _request: dict[str, Any], _data: bytes) -> dict[str, Any]:
        held = self._hold(session, place)
        if held is None:
            raise NeedFull("There are no files here yet.")
        missing, changed = held.tree.differences()
        return {
            "tree": held.tree.tree,
            "path": as_text(place.path),
            "files": len(held.tree.manifest or {}),
            "missing": [as_text(path) for path in missing[:_NAMES_SHOWN]],
            "changed": [as_text(path) for path in changed[:_NAMES_SHOWN]],
            "missing_count": len(missing),
            "changed_count": len(changed),
        }

    def _close(self, session: str, place: Place, request: dict[str, Any], _data: bytes) -> dict[str, Any]:
        held = self._hold(session, place)
        self._pieces.remove()
        _interpreter.leave(place.path, self._came_from.pop(session, "/"))
        kept = 0
        if place.where != "path" and not request.get("keep"):  # a directory somebody chose keeps its files
            kept = 0 if held is None else held.tree.clear()
            self._disk.remove_tree(beside(place.path))
            with contextlib.suppress(OSError):
                self._disk.remove_dir(os.path.dirname(place.path))
        self._let_go(session)
        self._places.forget(session)
        self._folders.pop(session, None)
        return {"kept": kept, "path": as_text(place.path)}

    def _hold(self, session: str, place: Place) -> _Held | None:
        """The session's tree, locked and sound; None when there is none yet."""
        held = self._held.get(session)
        if held is not None and os.path.isfile(held.tree.marker):
            return held
        self._let_go(session)  # removed under our feet, if it was ever there
        tree = Tree(place.path, self._disk)
        has_marker = os.path.isfile(tree.marker)
        _roots.check_takeover(place.path, has_marker)
        if not has_marker:
            return None
        held = _Held(tree, _locks.hold(tree.control, session))
        self._held[session] = held
        tree.open()
        self._enter(session, place)
        return held

    def _enter(self, session: str, place: Place) -> None:
        self._came_from.setdefault(session, _interpreter.enter(place.path, self._folders[session]))

    def _let_go(self, session: str) -> None:
        held = self._held.pop(session, None)
        if held is not None:
            _locks.release(held.lock)


def _reads() -> dict[str, Any]:
    """Whether packs can come through DBFS, and whether they can be compressed by zstd."""
    return {"dbfs": has_dbfs(), "zstd": _zstd.is_readable()}
