"""The agent as a whole: makes the parts, hooks them in, takes them out again."""

from __future__ import annotations

import atexit
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from . import hello, threads
from .attachments import Attachments, Handler
from .cells import Cells
from .core import Core, Options
from .descriptors import Descriptors
from .operations import Operations
from .outputs import Outputs
from .payloads import Payloads
from .stdin import Stdin
from .streams import StandardStreams
from .traceless import Traceless


class Agent:
    """Everything that this package does in one interpreter."""

    def __init__(self, shell: Any, version: str, options: dict[str, Any], before: Agent | None = None) -> None:
        chosen = Options()
        chosen.update(options)
        if before is None:
            self.core = Core(shell, version, chosen)
        else:
            # Another version of the agent, but the same interpreter: still the same nonce, and no run is run again.
            self.core = Core(shell, version, chosen, before.core.nonce)
            self.core.runs.inherit(before.core.runs)
        self.closed = False
        self.attachments = Attachments(self.core)
        if before is not None:
            self.attachments.inherit(before.attachments)
        self.operations = Operations(self.core)
        self._descriptors = self._make_descriptors()
        settle = self._descriptors.settle if self._descriptors else _nothing
        self.streams = StandardStreams(self.core.runs, self.core.scribe, settle)

    def install(self, installing: str = "") -> None:
        """Hook everything in; `installing` is how the command begins that does this."""
        core = self.core
        traceless = Traceless(core, installing)
        payloads = Payloads(core)
        cells = Cells(core, traceless, payloads, self.streams.print_to_host)
        if self._descriptors:
            cells.around["descriptors"] = self._descriptors
        cells.around["stdin"] = Stdin(core)
        cells.around["attachments"] = self.attachments
        for name, part in {
            "streams": self.streams.install,
            "outputs": Outputs(core).install,
            "payloads": payloads.install,
            "threads": lambda: threads.install(core),
        }.items():
            core.seams.attempt(name, part)
        core.seams.on_undo(self.streams.uninstall)
        self.operations.add("hello", lambda _: hello.describe(core, fresh=False))
        self.operations.add("attachment", lambda given: self.attachments.handle(given["name"], given["payload"]))
        self.operations.add("close", lambda _: self.close())
        cells.install()
        atexit.register(self._remove_spool)

    def call(self, request: str) -> None:
        """Do one operation and print its frame."""
        self.streams.print_to_host(self.operations.answer(request))

    def hello(self, *, fresh: bool) -> None:
        """Print who this is."""
        frame = {"kind": "hello", "nonce": self.core.nonce, **hello.describe(self.core, fresh=fresh)}
        self.streams.print_to_host(wire.make_frame(frame))

    def register_attachment(self, name: str, handler: Handler) -> None:
        """Hand the attachments called `name` to `handler`."""
        self.attachments.register(name, handler)

    def close(self) -> None:
        """Unhook everything and leave nothing on the disk."""
        self.closed = True
        self.core.seams.undo()
        self._remove_spool()
        atexit.unregister(self._remove_spool)

    def _remove_spool(self) -> None:
        self.core.scribe.flush(timeout_s=2.0)
        self.core.journal.close()
        if self.core.spool is not None:
            self.core.spool.remove_if_owner()

    def _make_descriptors(self) -> Descriptors | None:
        if not self.core.options.descriptors:
            return None
        descriptors: Descriptors | None = self.core.seams.attempt("descriptors", lambda: Descriptors(self.core.scribe))
        if descriptors is not None:
            self.core.live_children = descriptors.still_open
        return descriptors


def _nothing() -> None:
    return
