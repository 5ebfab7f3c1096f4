"""The project's files on their way to the interpreter, cell by cell.

A cell never runs on stale files without a word: what cannot be brought over stops it, unless the settings say to go
on, and then it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbk_config import Settings
from dbk_config.errors import DbkError

from jupyter_databricks_kernel._phases import SENDING
from jupyter_databricks_kernel._progress import Phase

if TYPE_CHECKING:
    from dbk_sync import Plan, Reply

__all__ = ["ATTACHMENT", "Files", "NeedsAll"]

ATTACHMENT = "sync"
# So many remarks about a tree are read; a folder full of sockets would bury the rest.
REMARKS = 5

Call = Callable[[str], str]


class NeedsAll(Exception):
    """The driver no longer has what the delta starts from. Nothing was changed, and the cell did not run."""


class _Driver:
    """The driver as `dbk_sync` knows it: through whichever way into the interpreter is open at the moment."""

    def __init__(self) -> None:
        self._call: Call | None = None

    def run(self, code: str) -> str:
        """Runs helper code and gives what it printed."""
        from dbk_sync.errors import ReceiverError

        if self._call is None:
            raise ReceiverError("the files cannot be sent while the interpreter is not at hand", "Run a cell first.")
        return self._call(code)

    @contextmanager
    def through(self, call: Call) -> Iterator[None]:
        before, self._call = self._call, call
        try:
            yield
        finally:
            self._call = before


class Files:
    """What `dbk_sync` has to do around a cell.

    Args:
        settings: What to bring over, and how.
        enter: Told what the cell waits for.
        notice: Told what a person should read once.
        farewell: Given the code that removes the files when the session has ended, however it ends.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        enter: Callable[[Phase | None], None],
        notice: Callable[[str], None],
        farewell: Callable[[str], None],
    ) -> None:
        from dbk_sync import Sync, again_when_changed  # only where files are sent at all

        self._driver = _Driver()
        # A front end starts a kernel in the folder of the notebook.
        self._sync = Sync(settings, driver=self._driver, notify=notice, folder=Path.cwd())
        self._again = again_when_changed
        self._go_on = settings.sync.on_error == "continue"
        self._enter = enter
        self._notice = notice
        self._farewell = farewell
        self._checked: Plan | None = None
        self._sent: Plan | None = None
        self._remarks: set[str] = set()
        self.last: Reply | None = None

    def before_cell(self, call: Call | None) -> None:
        """Looks at the tree before anything is started for the cell, and sends what is too much to travel with it.

        Args:
            call: The way into the interpreter; None when there is none yet: `bring_all` follows then.

        Raises:
            DbkError: The files must not or cannot be sent (a size limit, an unreadable file, no store).
        """
        self._checked = None
        with self._excused():
            self._checked = self._again(lambda: self._send_much(call))

    def _send_much(self, call: Call | None) -> Plan | None:
        """Sends what is too much to travel with a cell; gives the plan that is left for it."""
        plan = self._plan()
        if call is None or plan.is_empty or self._sync.attachment(plan) is not None:
            return plan
        with self._driver.through(call):
            self._push(plan)
        return None

    def bring_all(self, call: Call) -> None:
        """A fresh interpreter is ready: sees what it still has, and brings the rest.

        Raises:
            DbkError: The files cannot be sent.
        """
        self._checked = None
        with self._excused(), self._driver.through(call):
            self._enter(SENDING)
            self._sync.renew()
            self._farewell(self._sync.farewell())
            self._push_changes()

    def with_cell(self) -> Mapping[str, Any]:
        """What travels with the cell that is being sent: attachments by name.

        Raises:
            DbkError: Too much has changed since `before_cell`.
        """
        from dbk_sync.errors import ReceiverError

        self._sent = None
        with self._excused():
            plan, attachment = self._again(self._attached)
            if attachment is not None:
                self._sent = plan
                return {attachment[0]: attachment[1]}
            if not plan.is_empty:
                raise ReceiverError("the files changed while the session was being opened", "Run the cell again.")
        return {}

    def _attached(self) -> tuple[Plan, tuple[str, Any] | None]:
        plan, self._checked = self._checked or self._plan(), None
        return plan, self._sync.attachment(plan)

    def delivered(self, reply: Any) -> None:
        """The attachment of the running cell was taken."""
        plan, self._sent = self._sent, None
        if plan is not None:
            self.last = self._sync.acknowledge(plan, reply)

    def refused(self, error: str) -> Exception:
        """The attachment of the running cell was refused, so the cell did not run: what to raise for it."""
        from dbk_sync.errors import ReceiverError

        self._sent = None
        ename, _, text = error.partition(": ")
        if ename == "SyncRefused":
            return ReceiverError(text, "The cell was not run, because its files would be stale.")
        self._sync.forget()
        return NeedsAll(text)

    def push_now(self, call: Call) -> Reply | None:
        """Brings over what has changed, without a cell; None when nothing has.

        Raises:
            DbkError: It could not be sent.
        """
        with self._driver.through(call):
            return self._push_changes()

    def close(self, call: Call) -> None:
        """Removes the files from the driver."""
        with self._driver.through(call):
            self._sync.close()
        self._farewell("")

    def _plan(self) -> Plan:
        """What has changed; says once what a person should know of the tree: skipped files, secrets, odd names."""
        plan = self._sync.plan()
        found = [finding.message for finding in (*plan.skipped, *plan.warnings)]
        new = [message for message in dict.fromkeys(found) if message not in self._remarks]
        self._remarks.update(new)
        for message in new[:REMARKS]:
            self._notice(message)
        if new[REMARKS:]:
            self._notice(f"{len(new) - REMARKS} more remarks about the project's files: see `dbk-sync plan`.")
        return plan

    def _push_changes(self) -> Reply | None:
        def push() -> Reply | None:
            plan = self._plan()
            return None if plan.is_empty else self._push(plan)

        return self._again(push)

    def _push(self, plan: Plan) -> Reply:
        self._enter(SENDING)
        self.last = self._sync.push(plan)
        self._enter(None)
        return self.last

    @contextmanager
    def _excused(self) -> Iterator[None]:
        try:
            yield
        except DbkError as error:
            if not self._go_on:
                raise
            self._notice(f"the files were not sent, so this cell runs without the latest changes: {error.message}")
