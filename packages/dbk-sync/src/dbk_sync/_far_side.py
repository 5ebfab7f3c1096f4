"""The driver's end of a sync: what is known about the tree there, and every question to its receiver."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbk_sync._account import Account
from dbk_sync._manifest import Manifest
from dbk_sync._receiver import Driver, Receiver, refusal_of
from dbk_sync._reply import Reply
from dbk_sync.errors import SyncError

if TYPE_CHECKING:
    from dbk_config import Settings


class FarSide:
    """One tree on a driver, and the interpreter that works on it.

    Args:
        settings: Say where the tree is to lie.
        account: Tells who asks, where the tree lies in a folder of theirs.
        driver: Runs code in the interpreter; None when there is none.
        source: The directory that is synced, whose name the tree bears.
        name: What the tree is found again by; None for a tree of this object alone.
        folder: Where code runs in the tree; empty for the tree itself.
        notify: Hears sentences for the user, each once.
    """

    def __init__(
        self,
        settings: Settings,
        account: Account,
        driver: Driver | None,
        source: Path,
        name: str | None,
        folder: str,
        notify: Callable[[str], None],
    ) -> None:
        self.session = secrets.token_hex(8) if name is None else hashlib.sha256(name.encode()).hexdigest()[:16]
        """What the tree is called there."""
        self.receiver = None if driver is None else Receiver(driver)
        self._extract_to = settings.sync.extract_to
        self._account = account
        self._more: dict[str, Any] = {"project": source.name, **({"keep": True} if name else {})}
        if folder:
            self._more["folder"] = folder
        self._notify = notify
        self._said: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Counts nothing as known: the interpreter was replaced."""
        self.base: Manifest | None = None
        """The tree that was acknowledged last."""
        self.path: str | None = None
        self.where = ""
        self._reads: dict[str, bool] = {}
        if self.receiver is not None:
            self.receiver.loaded = False

    def acknowledge(self, manifest: Manifest, reply: Reply) -> None:
        """The tree there is this one now."""
        self.base, self.path, self.where = manifest, reply.path, reply.where

    def look(self) -> dict[str, Any]:
        """Where the tree is, its hash, and what the driver can read."""
        answer = self.ask("open")
        self.path, self.where = answer["path"], answer["where"]
        self._learn(answer)
        return answer

    def has_dbfs(self) -> bool:
        """Whether the driver sees DBFS as files; asks when that is not known."""
        return self._can_read("dbfs")

    @property
    def may_read_zstd(self) -> bool:
        """Whether the driver is not known to be unable to unpack zstd. Asks nobody."""
        return self._reads.get("zstd", True)

    def reads_zstd(self) -> bool:
        """Whether the driver can unpack zstd; asks when that is not known."""
        return self._can_read("zstd")

    def cannot_read_zstd(self) -> None:
        """It turned out that it cannot, whatever it has said."""
        self._reads["zstd"] = False

    def ask(self, op: str, data: bytes = b"", **more: Any) -> dict[str, Any]:
        """The receiver's answer about this tree.

        Raises:
            ReceiverError: It refuses, other than because it cannot read a pack.
        """
        answer = self.required().ask(self.request(op, **more), data)
        self.hear(answer)
        if answer.get("error", {}).get("code", "no-pack") != "no-pack":
            raise refusal_of(answer)
        return answer

    def request(self, op: str, **more: Any) -> dict[str, Any]:
        """A request to the receiver, with where the tree lies."""
        user = self._account.user() if self._needs_user() else ""
        where = "driver" if self._needs_user() and not user else self._extract_to
        return {"op": op, "session": self.session, "extract_to": where, "user": user, **self._more, **more}

    def hear(self, answer: Mapping[str, Any]) -> None:
        """Passes on what an answer tells the user."""
        for notice in answer.get("notices", ()):
            if notice not in self._said:
                self._said.add(notice)
                self._notify(notice)

    def required(self) -> Receiver:
        """The receiver.

        Raises:
            SyncError: There is no driver.
        """
        if self.receiver is None:
            raise SyncError("This Sync has no driver: it can only plan.", "Give Sync(..., driver=...).")
        return self.receiver

    def _can_read(self, what: str) -> bool:
        if self._reads:
            pass
        elif self._needs_user() and not self._account.user_is_known:
            # Who asks is found out while the receiver is on its way.
            with ThreadPoolExecutor(1) as beside:
                user = beside.submit(self._account.user)
                self._learn(self.required().ask({"op": "hello"}))
                user.result()
        else:
            self.look()
        return self._reads[what]

    def _learn(self, answer: Mapping[str, Any]) -> None:
        self._reads = {what: bool(answer[what]) for what in ("dbfs", "zstd")}

    def _needs_user(self) -> bool:
        return self._extract_to == "workspace"


def within(source: Path, folder: Path | None) -> str:
    """The folder relative to the source; empty for the source itself and for a folder elsewhere."""
    inner = os.path.relpath(os.path.abspath(folder), source) if folder is not None else os.curdir
    return "" if inner == os.curdir or inner.split(os.sep)[0] == os.pardir else Path(inner).as_posix()
