"""The layout `files`: the project's files as they are, where people expect to see them.

Workspaces offer no way to change many files at once, so a push that dies in the middle leaves some files old and some
new. It has said before what it would touch, though: the next push sees that, and converges whatever its own tree is.

```
TARGET/...                                   the files
TARGET/.databricks/dbk-sync/state            what they are, written last
TARGET/.databricks/dbk-sync/intent-<n>       what the push that makes generation n touches, written first, and its lock
```

With generation `n` in the state the intent means nothing any more, and the next push removes it while it sends, which
saves a request at the end.
"""

from __future__ import annotations

import hashlib
import os
from functools import partial

from dbk_sync._content import ContentReader
from dbk_sync._entry import Entry
from dbk_sync._findings import Finding, Kind
from dbk_sync._held import CONTROL, STATE, Held
from dbk_sync._intent import LOCK_S, Intents, intent_name
from dbk_sync._manifest import Manifest
from dbk_sync._notebooks import is_notebook, may_be_notebook, refuse_same_names, suspects
from dbk_sync._plan import Plan, refuse_clashes
from dbk_sync._remote import Checked, Fitted, Report, Root, with_manifest
from dbk_sync._remote_names import names_of
from dbk_sync._scan import Scan
from dbk_sync._sending import Sending, together
from dbk_sync._stores import WorkspaceStore
from dbk_sync.errors import TargetError


class PlainTarget:
    """A target that holds files.

    Args:
        root: Where.
        lock_s: How old another run's intent must be to be taken for dead; 0 takes over at once.
    """

    layout = "files"

    def __init__(self, root: Root, lock_s: float = LOCK_S) -> None:
        self._root = root
        self._intents = Intents(root, lock_s)
        self._has_notebooks = isinstance(root.store, WorkspaceStore)

    def read(self, *, damaged_too: bool = False) -> Held:
        return self._root.read(self.layout, damaged_too)

    def settle(self, held: Held) -> Held:
        intent = self._intents.of(held)
        if intent is None:
            return held
        self._intents.check_dead(intent)
        return held.doubting(intent.paths, intent.names)

    def check(self, scanned: Scan) -> None:
        if scanned.preserve_times:
            raise TargetError(
                "Plain files get the time at which they are sent.",
                "Preserve them with --layout packs, or not: --no-preserve-times.",
            )
        files = [entry for entry in scanned.manifest if entry.mode != "link"]
        unsaid = [entry.path for entry in files if not _is_text(entry.path)]
        if unsaid:
            listed = "\n".join(f"  {path!r}" for path in unsaid[:20])
            raise TargetError(f"Names that are not UTF-8 cannot be sent as files:\n{listed}", "Use --layout packs.")
        if not self._root.store.case_sensitive:
            refuse_clashes(files, "Rename or exclude them, or use --layout packs.")
        if self._has_notebooks:
            reader, by_path = ContentReader(scanned.source), scanned.manifest.by_path
            paths = [entry.path for entry in files]
            doubtful = [path for path in suspects(paths) if self._is_notebook(by_path[path], reader)]
            refuse_same_names(paths, frozenset(doubtful))

    def fit(self, plan: Plan) -> Fitted:
        """Without links, which the services do not have."""
        links = [entry for entry in plan.manifest if entry.mode == "link"]
        warnings = [Finding(Kind.LINK, one.path, f"{os.fsdecode(one.path)} is a link and is left out") for one in links]
        if links:
            plan = with_manifest(plan, Manifest(tuple([one for one in plan.manifest if one.mode != "link"])))
        return Fitted(plan, tuple(warnings))

    def push(self, plan: Plan, held: Held, report: Report) -> int:
        """Announces, sends, removes, and then says that it has happened.

        Raises:
            Interrupted: An earlier push died; plan again with its paths in doubt.
            LockedError: Another push is at work.
        """
        notebooks, was = self._notebooks(plan, held), _notebook_set(held)
        kept, changed = names_of(plan.manifest, notebooks), names_of(plan.puts, notebooks)
        present = names_of(plan.base or (), was) | held.doubted_names
        touched = {*plan.deletes, *(one.path for one in plan.puts)}
        # Also what is put under another name than before: a script that became a notebook, a file in place of a folder.
        old = names_of((one for one in plan.base or () if one.path in touched), was) | held.doubted_names
        with self._intents.claimed(held, touched | held.doubts, old | changed):
            sending = Sending(self._root, ContentReader(plan.source), report)
            if held.generation:
                sending.also(lambda: self._root.store.delete(self._root.at(intent_name(held.generation))))
            sending.remove(old - kept, kept, held.doubted_names)
            sending.send(plan.puts, present)
            extra = {"notebooks": sorted(os.fsdecode(path) for path in notebooks)} if notebooks else {}
            self._root.write(Held(plan.manifest, held.generation + 1, self.layout, extra=extra))
        return plan.size_bytes

    def verify(self, held: Held, report: Report) -> Checked:
        """Reads every file; notebooks are only counted."""
        notebooks = _notebook_set(held)
        entries = [entry for entry in held.manifest or () if entry.path not in notebooks]
        checked = Checked(len(held.manifest or ()), uncompared=sorted(notebooks))

        def compare(entry: Entry) -> None:
            content = self._content(entry)
            if content is None:
                checked.missing.append(entry.path)
            elif hashlib.sha256(content).digest() != entry.sha256:
                checked.changed.append(entry.path)
            report.did("verify", entry.name)

        together([partial(compare, entry) for entry in entries], self._root.store.concurrency)
        checked.missing.sort()
        checked.changed.sort()
        return checked

    def stale(self, held: Held, older_than_s: float) -> list[str]:
        now_s = self._root.clock()
        live = {"state", intent_name(held.generation + 1).rpartition("/")[2]}
        found = self._root.store.list(self._root.at(CONTROL))
        return [
            f"{CONTROL}/{one.name}"
            for one in found
            if not one.is_dir and one.name not in live and now_s - one.modified_s >= older_than_s
        ]

    def remove(self, names: list[str]) -> None:
        for name in names:
            self._root.store.delete(self._root.at(name))

    def clean(self, held: Held, report: Report) -> None:
        was = _notebook_set(held)
        entries = held.manifest or Manifest()
        names = names_of(entries, was) | held.doubted_names
        with self._intents.claimed(held, {*entries.by_path, *held.doubts}, names):
            Sending(self._root, None, report).remove(names, (), held.doubted_names)
            self.remove([STATE, *(f"{CONTROL}/{one.name}" for one in self._root.store.list(self._root.at(CONTROL)))])
        for name in (CONTROL, os.path.dirname(CONTROL)):
            self._root.store.remove_dir(self._root.at(name))
        self._root.store.remove_dir(self._root.path)

    def _content(self, entry: Entry) -> bytes | None:
        """What the target has of it; a directory that is there has nothing."""
        path = self._root.at(os.fsdecode(entry.path))
        if entry.mode != "dir":
            return self._root.store.get(path)
        above, _, name = path.rpartition("/")
        return b"" if any(one.is_dir and one.name == name for one in self._root.store.list(above)) else None

    def _notebooks(self, plan: Plan, held: Held) -> frozenset[bytes]:
        """Which files of the plan's tree are notebooks in the workspace; refuses two of one name there."""
        if not self._has_notebooks:
            return frozenset()
        reader = ContentReader(plan.source)
        known = {path for path in _notebook_set(held) if path in plan.manifest.by_path}
        for entry in plan.puts:
            known.discard(entry.path)
            if self._is_notebook(entry, reader):
                known.add(entry.path)
        refuse_same_names([entry.path for entry in plan.manifest], known)
        return frozenset(known)

    @staticmethod
    def _is_notebook(entry: Entry, reader: ContentReader) -> bool:
        return may_be_notebook(entry.path) and is_notebook(entry.path, b"".join(reader(entry)))


def _notebook_set(held: Held) -> frozenset[bytes]:
    return frozenset(os.fsencode(path) for path in held.extra.get("notebooks", ()))


def _is_text(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True
