"""The agent as a whole: makes the parts, hooks them in, takes them out again."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from . import hello, kernel, progress_bars, secret_reads, threads
from .attachments import Attachments, Handler
from .cells import Around, Cells
from .comms import Comms
from .core import Core, Options
from .descriptors import Descriptors
from .figures import Figures
from .inbox import Inbox
from .interrupts import Interrupts
from .introspect import Introspection
from .magics import Magics
from .operations import Operations
from .outputs import Outputs
from .payloads import Payloads
from .run_notebook import NotebookRunner
from .shell_magics import ShellMagics
from .showing import Showing
from .snapshot import Snapshots
from .spark import Spark
from .spool import sweep
from .stdin import Stdin
from .streams import StandardStreams
from .tasks import Tasks
from .traceless import Traceless
from .warmup import Warmup


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
        self._snapshots = Snapshots(self.core)
        self._descriptors = self._make_descriptors()
        settle = (
            partial(self.core.seams.attempt, "descriptors", self._descriptors.settle) if self._descriptors else _nothing
        )
        self.streams = StandardStreams(self.core.runs, self.core.scribe, settle)

    def install(self, installing: str = "") -> None:
        """Hook everything in; `installing` is how the command begins that does this."""
        core = self.core
        traceless = Traceless(core, installing)
        payloads, showing = Payloads(core), Showing(core)
        comms, introspection, figures = Comms(core), Introspection(core.shell), Figures(core)
        parts: dict[str, Callable[[], Any]] = {
            "streams": self.streams.install,
            "outputs": Outputs(core).install,
            "payloads": payloads.install,
            "threads": partial(threads.install, core),
            "comms": comms.install,
            "the kernel": partial(kernel.install, core, introspection),
            "display": showing.install,
            "figures": figures.install,
            "the shell's magics": ShellMagics(core).install,
            "magics": Magics(core, showing.display).install,
            "progress bars": partial(progress_bars.install, core),
            "secrets": partial(secret_reads.install, core),
            "%run": NotebookRunner(core).install,
        }
        for name, part in parts.items():
            core.seams.attempt(name, part)
        core.seams.on_undo(self.streams.uninstall)
        self._offer(comms, introspection)
        cells = Cells(core, traceless, payloads, self.streams.print_to_host)
        self._surround(cells, comms, figures)
        self._warmup = Warmup(core, introspection)
        cells.after.append(self._warmup.after)
        # Last, so that its transformer, which takes off the trailer, is the first.
        cells.install()
        atexit.register(self._remove_spool)
        # What interpreters have left that were killed (a restart of Python, an eviction).
        core.seams.attempt("sweeping", partial(sweep, core.options.spool_root))

    def _offer(self, comms: Comms, introspection: Introspection) -> None:
        add = self.operations.add
        add("hello", lambda _: hello.describe(self.core, fresh=False))
        add("attachment", lambda given: self.attachments.handle(given["name"], given["payload"]))
        add("close", lambda _: self.close())
        add("comm", comms.operate)
        add("comm_info", comms.info)
        add("complete", lambda given: introspection.complete(given["code"], given.get("cursor_pos")))
        redact = self.core.redaction
        add("inspect", lambda given: redact(introspection.inspect(**_known(given, introspection.inspect))))
        add("is_complete", lambda given: introspection.is_complete(given["code"]))
        add("snapshot", self._snapshots.now)

    def _surround(self, cells: Cells, comms: Comms, figures: Figures) -> None:
        core = self.core
        spark, tasks = Spark(core), Tasks(core)
        self._inbox = Inbox(core, comms.operate)
        parts: dict[str, Around | None] = {
            "interrupts": Interrupts(core),
            "tasks": tasks,
            "descriptors": self._descriptors,
            "the inbox": self._inbox,
            "stdin": Stdin(core),
            "Spark": spark,
            "figures": figures,
            "attachments": self.attachments,
        }
        cells.around.update({name: part for name, part in parts.items() if part is not None})
        core.live_tasks = tasks.alive
        cells.details = spark.describe
        cells.after.append(self._snapshots.ask)

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
        self._snapshots.close()
        self._warmup.close()
        self._inbox.close()
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


def _known(given: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that the function has; a newer client may send more."""
    return {name: value for name, value in given.items() if name in function.__annotations__}


def _nothing() -> None:
    return
