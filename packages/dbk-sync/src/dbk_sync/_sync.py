"""Keeps one tree on a cluster's driver equal to a local directory."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dbk_sync import _plan, _state
from dbk_sync._account import Account
from dbk_sync._bodies import Spooled
from dbk_sync._cache import HashCache
from dbk_sync._connect import Client
from dbk_sync._content import ContentReader
from dbk_sync._manifest import Manifest, difference
from dbk_sync._pack import pack, to_reuse
from dbk_sync._receiver import Driver, Receiver, refusal_of
from dbk_sync._reply import Reply, reply_of
from dbk_sync._scan import ScanOptions
from dbk_sync._upload import Uploader, removed_afterwards
from dbk_sync._watch import Watch
from dbk_sync.driver import version
from dbk_sync.errors import ReceiverError, SyncError, UploadError

if TYPE_CHECKING:
    from dbk_config import Settings

    from dbk_sync._plan import Plan

LOG = logging.getLogger("dbk.sync")

ATTACHED_BYTES: Final = 256 << 10
"""Largest pack that travels with a cell: base64 twice makes it 467 KiB of the 1 MiB a command text may safely have."""
INLINE_BYTES: Final = 600_000
"""Largest pack that travels in a command of its own, 800,000 characters in base64."""


@dataclass(slots=True)
class _Known:
    """What is known about the driver; all of it is forgotten when its interpreter is replaced."""

    base: Manifest | None = None
    looked: bool = False
    has_dbfs: bool = True
    path: str | None = None
    where: str = ""
    said: set[str] = field(default_factory=set)


class Sync:
    """One project, one interpreter on a driver, one tree of its own there.

    Args:
        settings: From `dbk_config.load()`.
        client: A `WorkspaceClient` whose credentials to use; None for those of the settings.
        driver: Runs code in the interpreter; None for planning alone.
        user_name: Who is asking; None to ask the workspace when it matters.
        notify: Hears sentences for the user, each once.
        progress: Hears `(bytes sent, bytes in all)` while a pack is uploaded.
        name: What the tree is found again by, also from another process; its files then stay after `close`. Without a
            name it is of this object alone, and goes with it.
        folder: Where code is to run, when that is a folder in the source: it becomes the working directory and a place
            to import from, before the tree. None for the tree itself.
        options: What to select and what to refuse; None for what the settings say.
        watch: Whether a plan may rely on the operating system to tell that nothing has changed, where it can (Linux,
            a local disk); else every plan looks at every file.

    Example:
        >>> sync = Sync(load(), driver=session_adapter)
        >>> plan = sync.plan()
        >>> if not plan.is_empty:
        ...     sync.push(plan)
    """

    def __init__(
        self,
        settings: Settings,
        *,
        client: Client | None = None,
        driver: Driver | None = None,
        user_name: str | None = None,
        notify: Callable[[str], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
        name: str | None = None,
        folder: Path | None = None,
        options: ScanOptions | None = None,
        watch: bool = True,
    ) -> None:
        self.source = Path(os.path.abspath(settings.project_dir / settings.sync.source))
        self._settings = settings
        self._options = options or ScanOptions.from_settings(settings.sync)
        self._receiver = None if driver is None else Receiver(driver)
        self._notify = notify or LOG.info
        self._account = Account(settings, client, user_name, self._notify)
        self._progress = progress
        self._name = name
        self._folder = _within(self.source, folder)
        self._session = secrets.token_hex(8) if name is None else hashlib.sha256(name.encode()).hexdigest()[:16]
        self._known = _Known()
        self._cache: HashCache | None = None
        self._watch = Watch(self.source, self._options, enabled=watch)
        self._uploader = Uploader(settings.sync.store, self._account.places(), self._notify)

    @property
    def path(self) -> str | None:
        """Where the tree is on the driver; None before the first push."""
        return self._known.path

    def plan(self) -> Plan:
        """What to send so that the driver's tree equals the source now. Asks nobody and changes nothing.

        Raises:
            SyncError: The source cannot be sent; the subclass says why (size limit, unreadable files, ...).
        """
        if self._cache is None:
            self._cache = _state.load(self._key()).cache
        found = self._watch.scan(self._cache)
        self._cache = found.cache
        in_volume = self._settings.sync.extract_to.startswith("/Volumes/")
        return _plan.plan(found, self._known.base, case_sensitive=not in_volume)

    def attachment(self, plan: Plan) -> tuple[str, dict[str, Any]] | None:
        """The plan as something small that travels with the next cell: a name and a JSON value; None to `push` it.

        The cell then waits for it on the driver, and does not run when it cannot be applied. Nothing is counted as
        done before `acknowledge`.

        Raises:
            ChangedWhileReadingError: A file is no longer as planned; plan again.
        """
        if plan.is_empty or self._receiver is None or not self._receiver.loaded or not self._may_inline(plan):
            return None
        with self._packed(plan, limit=ATTACHED_BYTES * 16) as packed:
            if packed is None or packed.size_bytes > ATTACHED_BYTES:
                return None
            data = base64.b64encode(packed.read_all()).decode("ascii")
        request = {"op": "apply", **self._place(), "source": {"kind": "inline"}}
        return "sync", {"version": version(), "request": request, "data": data}

    def push(self, plan: Plan) -> Reply:
        """Brings the driver's tree to the plan's and acknowledges it. Asks for everything when the driver has lost it.

        Raises:
            ChangedWhileReadingError: A file is no longer as planned; nothing changed there; plan again.
            UploadError: No store takes the pack.
            ReceiverError: The driver cannot carry it out; its tree is as it was.
            RequestError: The workspace does not answer as it should.
        """
        if plan.is_empty:
            return Reply(plan.manifest.tree, self._known.path or "", self._known.where)
        requests_before = self._account.requests
        with Spooled(pack(plan, ContentReader(plan.source), reuse=to_reuse(plan))) as packed:
            store, answer = self._deliver(plan, packed)
            sent_bytes = packed.size_bytes
        if "need_full" in answer:
            if plan.base is None:
                raise ReceiverError(f"The driver does not take the files: {answer['need_full']}", code="internal")
            return self.push(replace(plan, base=None, delta=difference(None, plan.manifest)))
        requests = self._account.requests - requests_before
        reply = replace(reply_of(answer), sent_bytes=sent_bytes, requests=requests, store=store)
        self.acknowledge(plan, reply)
        return reply

    def acknowledge(self, plan: Plan, reply: Reply | Mapping[str, Any]) -> Reply:
        """Counts the plan as done, and keeps what is known for the next start; `push` does this itself.

        Args:
            plan: What was sent.
            reply: What came back: from `push`, or the value that the attachment was answered with.

        Raises:
            ReceiverError: The reply is about another tree.
        """
        if not isinstance(reply, Reply):
            self._say(reply)
            reply = reply_of(reply)
        if reply.tree != plan.manifest.tree:
            raise ReceiverError("The driver has another tree than the one that was sent.", code="internal")
        self._known.base = plan.manifest
        self._known.path, self._known.where = reply.path, reply.where
        _state.save(self._key(), plan)
        return reply

    def forget(self) -> None:
        """Counts nothing on the driver as known: its interpreter was replaced. The next plan sends everything."""
        said = self._known.said
        self._known = _Known(said=said)
        if self._receiver is not None:
            self._receiver.loaded = False

    def renew(self) -> None:
        """Makes a fresh interpreter ready, and learns what it still has of the tree: often everything.

        Raises:
            ReceiverError: The driver does not answer as it should.
        """
        base = self._known.base or (_state.load(self._key()).manifest if self._name else None)
        self.forget()
        answer = self._look()
        if base is not None and answer["tree"] == base.tree:
            self._known.base = base

    def close(self) -> None:
        """Removes the tree from the driver, as far as it can still be reached, and closes connections."""
        if self._receiver is not None and self._receiver.loaded:
            with contextlib.suppress(Exception):  # at the end nobody can do anything about it
                self._receiver.ask({"op": "close", **self._place()})
        self.forget()
        self._watch.close()
        self._account.close()

    def __enter__(self) -> Sync:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deliver(self, plan: Plan, packed: Spooled) -> tuple[str, dict[str, Any]]:
        """How the pack travelled, and what the receiver says to it."""
        if packed.size_bytes <= INLINE_BYTES and self._may_inline(plan):
            return "inline", self._ask("apply", packed.read_all(), source={"kind": "inline"})
        if not self._known.looked:
            self._look()
        if not self._known.has_dbfs:
            self._uploader.refuse("dbfs", "The driver cannot read DBFS: this cluster has no /dbfs.")
        secret = plan.sends_secrets or not self._settings.sync.inline
        for name in list(self._uploader.usable(secret)):
            uploaded = self._uploader.put(name, packed, self._required(), self._session, self._sent(packed))
            if uploaded is None:
                continue
            with removed_afterwards(uploaded) as gone:
                answer = self._ask("apply", source=uploaded.source)
                if answer.get("pack_removed"):
                    gone.append(True)
            if answer.get("error", {}).get("code") != "no-pack":
                return name, answer
            self._uploader.refuse(name, answer["error"]["message"])
        hint = "Verify DBFS write access to /tmp/, or set sync.volume or sync.store."
        raise UploadError(self._no_store(secret), hint)

    def _no_store(self, secret: bool) -> str:
        reasons = self._uploader.reasons
        if secret:
            reasons.append("Files that look like secrets, and all with sync.inline = false, never travel in commands.")
        return "No store takes the files. " + " ".join(reasons)

    def _ask(self, op: str, data: bytes = b"", **more: Any) -> dict[str, Any]:
        answer = self._required().ask({"op": op, **self._place(), **more}, data)
        self._say(answer)
        if answer.get("error", {}).get("code", "no-pack") != "no-pack":
            raise refusal_of(answer)
        return answer

    def _look(self) -> dict[str, Any]:
        answer = self._ask("open")
        self._known.looked, self._known.has_dbfs = True, answer["dbfs"]
        self._known.path, self._known.where = answer["path"], answer["where"]
        return answer

    def _say(self, answer: Mapping[str, Any]) -> None:
        for notice in answer.get("notices", ()):
            if notice not in self._known.said:
                self._known.said.add(notice)
                self._notify(notice)

    def _place(self) -> dict[str, Any]:
        """Where the tree lies, as each request says it."""
        extract_to = self._settings.sync.extract_to
        user = self._account.user() if extract_to == "workspace" else ""
        where = "driver" if extract_to == "workspace" and not user else extract_to
        more: dict[str, Any] = {"keep": True} if self._name else {}
        if self._folder:
            more["folder"] = self._folder
        return {"session": self._session, "extract_to": where, "user": user, "project": self.source.name, **more}

    def _may_inline(self, plan: Plan) -> bool:
        return self._settings.sync.inline and not plan.sends_secrets

    @contextlib.contextmanager
    def _packed(self, plan: Plan, limit: int) -> Any:
        """The pack, or None when its contents are so large that it cannot be a small one."""
        reused = to_reuse(plan)
        if sum(entry.size_bytes for entry in plan.puts if entry.sha256 not in reused) > limit:
            yield None
            return
        with Spooled(pack(plan, ContentReader(plan.source), reuse=reused)) as packed:
            yield packed

    def _sent(self, packed: Spooled) -> Callable[[int], None]:
        report = self._progress
        return lambda _sent: None if report is None else report(min(_sent, packed.size_bytes), packed.size_bytes)

    def _required(self) -> Receiver:
        if self._receiver is None:
            raise SyncError("This Sync has no driver: it can only plan.", "Give Sync(..., driver=...).")
        return self._receiver

    def _key(self) -> _state.StateKey:
        target = f"{self._settings.cluster_id or ''} {self._settings.sync.extract_to}"
        return _state.key_of(self._settings, target, self.source)


def _within(source: Path, folder: Path | None) -> str:
    """The folder relative to the source; empty for the source itself and for a folder elsewhere."""
    inner = os.path.relpath(os.path.abspath(folder), source) if folder is not None else os.curdir
    return "" if inner == os.curdir or inner.split(os.sep)[0] == os.pardir else Path(inner).as_posix()
