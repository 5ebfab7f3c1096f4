"""Keeps one tree on a cluster's driver equal to a local directory."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dbk_sync import _plan, _state
from dbk_sync._account import Account
from dbk_sync._bodies import Spooled
from dbk_sync._cache import HashCache
from dbk_sync._connect import Client
from dbk_sync._delivery import Delivery
from dbk_sync._delta import difference
from dbk_sync._far_side import FarSide, within
from dbk_sync._pack import Codec
from dbk_sync._packing import Packing
from dbk_sync._parts import Parts
from dbk_sync._receiver import Driver, farewell_text
from dbk_sync._reply import Reply, reply_of
from dbk_sync._scan_options import ScanOptions
from dbk_sync._upload import Uploader
from dbk_sync._watch import Watch
from dbk_sync.driver import version
from dbk_sync.errors import ReceiverError

if TYPE_CHECKING:
    from dbk_config import Settings

    from dbk_sync._plan import Plan

LOG = logging.getLogger("dbk.sync")

ATTACHED_BYTES: Final = 256 << 10
"""Largest pack that travels with a cell: base64 twice makes it 467 KiB of the 1 MiB a command text may safely have."""


class Sync:
    """One project, one interpreter on a driver, one tree of its own there.

    Args:
        settings: From `dbk_config.load()`.
        client: A `WorkspaceClient` whose credentials to use; None for those of the settings.
        driver: Runs code in the interpreter; None for planning alone.
        user_name: Who is asking; None to ask the workspace when it matters.
        notify: Hears sentences for the user, each once.
        progress: Hears `(bytes sent, bytes in all)` while a pack is uploaded; the latter is an estimate as long as the
            pack is still being made.
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
        notify = notify or LOG.info
        self._account = Account(settings, client, user_name, notify)
        inner = within(self.source, folder)
        self._far = FarSide(settings, self._account, driver, self.source, name, inner, notify)
        self._delivery = Delivery(self._far, Uploader(settings.sync.store, self._account.places(), notify))
        self._progress = progress
        self._name = name
        self._cache: HashCache | None = None
        self._watch = Watch(self.source, self._options, enabled=watch)

    @property
    def path(self) -> str | None:
        """Where the tree is on the driver; None before the first push."""
        return self._far.path

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
        return _plan.plan(found, self._far.base, case_sensitive=not in_volume)

    def attachment(self, plan: Plan) -> tuple[str, dict[str, Any]] | None:
        """The plan as something small that travels with the next cell: a name and a JSON value; None to `push` it.

        The cell then waits for it on the driver, and does not run when it cannot be applied. Nothing is counted as
        done before `acknowledge`.

        Raises:
            ChangedWhileReadingError: A file is no longer as planned; plan again.
        """
        receiver = self._far.receiver
        if plan.is_empty or receiver is None or not receiver.loaded or not self._may_inline(plan):
            return None
        packing = Packing(plan)
        if packing.content_bytes > ATTACHED_BYTES * 16:
            return None
        with Spooled(packing.pieces()) as packed:
            if packed.size_bytes > ATTACHED_BYTES:
                return None
            data = base64.b64encode(packed.read_all()).decode("ascii")
        request = self._far.request("apply", source={"kind": "inline"})
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
            return Reply(plan.manifest.tree, self._far.path or "", self._far.where)
        requests_before = self._account.requests
        store, answer, sent_bytes = self._send(plan)
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
            self._far.hear(reply)
            reply = reply_of(reply)
        if reply.tree != plan.manifest.tree:
            raise ReceiverError("The driver has another tree than the one that was sent.", code="internal")
        self._far.acknowledge(plan.manifest, reply)
        _state.save(self._key(), plan)
        return reply

    def forget(self) -> None:
        """Counts nothing on the driver as known: its interpreter was replaced. The next plan sends everything."""
        self._far.forget()

    def renew(self) -> None:
        """Makes a fresh interpreter ready, and learns what it still has of the tree: often everything.

        Raises:
            ReceiverError: The driver does not answer as it should.
        """
        base = self._far.base or (_state.load(self._key()).manifest if self._name else None)
        self.forget()
        answer = self._far.look()
        if base is not None and answer["tree"] == base.tree:
            self._far.base = base

    def close(self) -> None:
        """Removes the tree from the driver, as far as it can still be reached, and closes connections."""
        receiver = self._far.receiver
        if receiver is not None and receiver.loaded:
            with contextlib.suppress(Exception):  # at the end nobody can do anything about it
                receiver.ask(self._far.request("close"))
        self.forget()
        self._watch.close()
        self._account.close()

    def farewell(self) -> str:
        """Code that removes the tree: for any Python on the driver, when the interpreter that uses it is gone.

        It waits a while for that, and needs nothing of this object, so that it can be left with somebody who outlives
        this process. A tree with a name stays, as with `close`.
        """
        return "" if self._name is not None else farewell_text(self._far.request("close"))

    def __enter__(self) -> Sync:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, plan: Plan) -> tuple[str, dict[str, Any], int]:
        """How the pack travelled, what the driver says to it, and its size.

        One of zstd is begun while the driver is asked whether it can read that.
        """
        packing = Packing(plan)
        codec: Codec = "zstd" if packing.suits_zstd and self._far.may_read_zstd else "zlib"
        with Parts(packing.pieces(codec)) as parts:

            def told(sent_bytes: int) -> None:
                if self._progress is not None:
                    self._progress(sent_bytes, packing.expected_bytes(parts))

            try:
                if codec == "zlib" or self._far.reads_zstd():
                    store, answer = self._delivery.send(parts, not self._may_inline(plan), told)
                    return store, answer, parts.size_bytes
            except ReceiverError as error:
                if error.code != "no-codec":
                    raise
        self._far.cannot_read_zstd()
        return self._send(plan)

    def _may_inline(self, plan: Plan) -> bool:
        return self._settings.sync.inline and not plan.sends_secrets

    def _key(self) -> _state.StateKey:
        target = f"{self._settings.cluster_id or ''} {self._settings.sync.extract_to}"
        return _state.key_of(self._settings, target, self.source)
