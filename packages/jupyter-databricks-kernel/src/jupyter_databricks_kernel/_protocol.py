"""The Jupyter protocol for a kernel whose cells are awaited: what ipykernel's base class leaves to the kernel.

ipykernel's base serves a kernel that computes in its own process. A cell of this one waits for a cluster, and that
changes four things.

- Questions (completion, inspection, history, kernel_info) and widget messages are answered beside a running cell. In
  the base one lock serialises them behind it.
- A front end takes the last `status` message for the state of the kernel, whoever caused it. So the `idle` of
  anything that was answered beside a cell is followed by a `busy` of the cell.
- An interrupt resolves something on the event loop. A SIGINT to oneself, as in the base, lands in the loop and kills
  the process.
- The cells that follow a failed one are aborted by number: those that had arrived when it failed. The base aborts for
  a moment of time, which is too short when the messages are read by the loop that also runs the cells.
"""

# mypy: allow-untyped-calls
# (ipykernel and IPython leave most of their methods without types.)

import asyncio
import contextlib
import signal
import threading
from collections import deque
from collections.abc import Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any

import zmq

from jupyter_databricks_kernel._packing import forgiving
from jupyter_databricks_kernel._refusals import RefusingKernel, no_subshells

__all__ = ["AsyncKernel"]

_COMMS = ("comm_open", "comm_msg", "comm_close")
_BESIDE = frozenset(
    {
        *_COMMS,
        "comm_info_request",
        "complete_request",
        "connect_request",
        "history_request",
        "inspect_request",
        "is_complete_request",
        "kernel_info_request",
    }
)


class AsyncKernel(RefusingKernel):
    """A kernel base whose `do_execute` is awaited and whose other requests never wait for it.

    Subclasses provide `interrupt` and `comm_message` besides the `do_*` methods of the base.
    """

    if TYPE_CHECKING:
        # Optional in the base, for kernels without sockets; this one always has them.
        session: Any
        shell_stream: Any

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for msg_type in _COMMS:
            self.shell_handlers[msg_type] = self._comm
        self._queue: deque[list[Any]] = deque()
        self._doomed = 0
        self._draining = False
        self._tasks: set[asyncio.Future[None]] = set()
        self._executing: dict[str, Any] | None = None
        self.session.pack = forgiving(self.session.pack)
        # The control channel has a thread of its own; without the lock its `busy` for a cell could come after the
        # cell's `idle`, and the kernel would look busy for ever.
        self._status_lock = threading.Lock()

    def interrupt(self) -> None:
        """Stops the running cell; called on the event loop, also when no cell runs."""
        raise NotImplementedError

    async def comm_message(self, parent: dict[str, Any]) -> None:
        """Takes a widget message of the front end; its `idle` is sent when this returns."""
        raise NotImplementedError

    def publish(
        self,
        msg_type: str,
        content: dict[str, Any],
        parent: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        buffers: tuple[bytes, ...] = (),
    ) -> None:
        """Sends a message on iopub; `parent` is the request it answers."""
        self.session.send(
            self.iopub_socket,
            msg_type,
            content,
            parent=parent,
            ident=self._topic(msg_type),
            buffers=list(buffers) or None,
            metadata=metadata,
        )

    # --- shell channel ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to take messages, and interrupts."""
        super().start()
        if threading.current_thread() is threading.main_thread():
            self._listen_to_sigint()
        self.shell_stream.on_recv(self._receive, copy=False)

    def _receive(self, msg: list[Any]) -> None:
        header = self._header(msg)
        if header.get("subshell_id") is not None:
            self._refuse_subshell(msg)
        elif header.get("msg_type") in _BESIDE:
            self._spawn(self._answer_beside(msg))
        else:
            self._queue.append(msg)
            if not self._draining:
                self._draining = True
                self._spawn(self._drain())

    async def _drain(self) -> None:
        """Runs what is queued, one message after the other."""
        try:
            while self._queue:
                msg = self._queue.popleft()
                self._aborting = self._doomed > 0
                self._doomed = max(0, self._doomed - 1)
                await self.dispatch_shell(msg)
        finally:
            self._draining = False

    def _abort_queues(self, _subshell_id: str | None = None) -> None:
        """Aborts the cells that have arrived by now; questions among them are answered."""
        self.shell_stream.flush(zmq.POLLIN)
        self._doomed = len(self._queue)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop holds its tasks weakly: without the set one could be collected while it waits.
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _header(self, msg: list[Any]) -> dict[str, Any]:
        try:
            _, frames = self.session.feed_identities(msg, copy=False)
            header: dict[str, Any] = self.session.deserialize(frames, content=False, copy=False)["header"]
        except Exception:
            # The base logs what it cannot read; here it is only not one of ours.
            return {}
        return header

    async def _answer_beside(self, msg: list[Any]) -> None:
        try:
            idents, frames = self.session.feed_identities(msg, copy=False)
            parent = self.session.deserialize(frames, content=True, copy=False)
        except Exception:
            self.log.exception("Invalid message")
            return
        self._publish_status("busy", "shell", parent)
        try:
            await self.shell_handlers[parent["header"]["msg_type"]](self.shell_stream, idents, parent)
        except Exception:
            self.log.exception("Exception in message handler:")
        self._idle_beside(parent)

    def _idle_beside(self, parent: dict[str, Any]) -> None:
        with self._status_lock:
            self._publish_status("idle", "shell", parent)
            if self._executing is not None:
                self._publish_status("busy", "shell", self._executing)

    def _refuse_subshell(self, msg: list[Any]) -> None:
        idents, frames = self.session.feed_identities(msg, copy=False)
        parent = self.session.deserialize(frames, content=True, copy=False)
        self._publish_status("busy", "shell", parent)
        reply_type = parent["header"]["msg_type"].rsplit("_", 1)[0] + "_reply"
        self.session.send(self.shell_stream, reply_type, no_subshells(), parent, ident=idents)
        self._idle_beside(parent)

    async def execute_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Runs a cell."""
        self._executing = parent
        try:
            await super().execute_request(stream, ident, parent)
        finally:
            with self._status_lock:
                self._executing = None

    async def _comm(self, _stream: Any, _ident: Any, parent: dict[str, Any]) -> None:
        await self.comm_message(parent)

    def pre_handler_hook(self) -> None:
        """Leaves SIGINT alone: the handler of `start` serves at all times."""

    def post_handler_hook(self) -> None:
        """Nothing to restore."""

    # --- control channel ----------------------------------------------------------------------------------------

    def _publish_status_and_flush(self, status: str, channel: str, stream: Any, parent: Any = None) -> None:
        # While the process leaves, the main thread closes the sockets that the control thread still reports on.
        with contextlib.suppress(zmq.ZMQError):
            super()._publish_status_and_flush(status, channel, stream, parent)
        if status == "idle" and channel == "control":
            with self._status_lock:
                if self._executing is not None:
                    self._publish_status("busy", "shell", self._executing)

    async def interrupt_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Interrupts the running cell; the answer does not wait for it to stop."""
        self.io_loop.add_callback(self.interrupt)
        self.session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)

    def _listen_to_sigint(self) -> None:
        """Maps SIGINT (a terminal, a manager that ignores the interrupt mode) to the same path."""

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            self.io_loop.add_callback_from_signal(self.interrupt)

        signal.signal(signal.SIGINT, on_signal)
