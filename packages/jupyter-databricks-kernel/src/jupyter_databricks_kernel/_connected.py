"""The side of the kernel that looks at the cluster: what is made there comes to the front end, and widgets answer."""

# mypy: allow-untyped-calls

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from jupyter_databricks_kernel._comms import CommRegistry
from jupyter_databricks_kernel._parents import Parents
from jupyter_databricks_kernel._progress import Message
from jupyter_databricks_kernel._questions import AnsweringKernel
from jupyter_databricks_kernel._threads import in_thread

if TYPE_CHECKING:
    from jupyter_databricks_kernel._cell import Cell
    from jupyter_databricks_kernel._remote import Remote

__all__ = ["ConnectedKernel"]

# jupyter_client sends SIGTERM 2.5 s after a shutdown request; what is not removed by then the watchdog removes.
CLOSE_WITHIN_S = 2.0


class ConnectedKernel(AnsweringKernel):
    """A kernel with the connection to an interpreter, made by the first request that needs it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._comms = CommRegistry()
        self._parents = Parents()
        self._cell: Cell | None = None
        self._loading: asyncio.Future[None] | None = None

    async def kernel_info_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answers from here, then loads in the background what the first cell needs."""
        await super().kernel_info_request(stream, ident, parent)
        if stream is self.shell_stream:  # the control channel has another loop, in another thread
            self._load()

    def _load(self) -> asyncio.Future[None]:
        """Loads the sibling packages and Databricks' SDK, once, in the background: together they take over a second."""
        if self._loading is None:
            self._loading = in_thread(_import_composition, name="load")
            self._loading.add_done_callback(self._ignore)
        return self._loading

    async def _connect(self) -> "Remote":
        """The other side, made with the first request that needs it."""
        await self._load()
        if self._remote_made is None:
            from jupyter_databricks_kernel._compose import Composition

            loop = asyncio.get_running_loop()

            def on_event(event: Any) -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to see it
                    loop.call_soon_threadsafe(self._on_event, event)

            self._remote_made = Composition(on_event)
        return self._remote_made

    # --- events of the session --------------------------------------------------------------------------------------

    def _on_event(self, event: Any) -> None:
        """Takes one event on the loop: to the running cell, or into the cell that its maker belonged to."""
        from dbk_session import Blocked, Comm, ContextLost, Notice, Outage

        if isinstance(event, (Blocked, Notice, Outage)):
            self._tell(event.text)
        if isinstance(event, Notice):
            return
        if isinstance(event, ContextLost):
            self._comms.clear()
        if isinstance(event, Comm):
            self._comms.note(event.msg_type, event.content)
        run_id = getattr(event, "run_id", None)
        if self._cell is not None and run_id in (None, self._cell.job.run_id):
            self._cell.feed(event)
        elif run_id is None:
            self.log.info("%s", event)
        elif (parent := self._parents.find(run_id)) is not None:
            self._show_late(event, parent)

    def _tell(self, text: str) -> None:
        """Tells what a person may want to know and no notebook should keep.

        Output without a parent belongs to no cell: JupyterLab puts it into its log console.
        """
        from jupyter_databricks_kernel._render import notice_message

        self.log.warning("%s", text)
        if self._cell is not None and self._cell.job.request.watched:
            self._send(notice_message(text), {})

    def _show_late(self, event: Any, parent: dict[str, Any]) -> None:
        from jupyter_databricks_kernel._render import render

        message = render(event, execution_count=self.execution_count - 1)
        if message is not None:
            self._send(message, parent)

    def _send(self, message: Message, parent: dict[str, Any]) -> None:
        self.publish(message.msg_type, message.content, parent, message.metadata, message.buffers)

    def _ignore(self, done: asyncio.Future[Any]) -> None:
        """Reads the outcome of background work, so that a failure is logged here and not by the garbage collector."""
        if not done.cancelled() and done.exception() is not None:
            self.log.debug("background work failed", exc_info=done.exception())

    # --- widgets ----------------------------------------------------------------------------------------------------

    async def comm_message(self, parent: dict[str, Any]) -> None:
        """Takes a widget message to the interpreter; without one there is nobody to take it."""
        msg_type, content = parent["header"]["msg_type"], parent["content"]
        remote = self._remote_made
        if remote is None or not remote.live:
            return
        self._comms.note(msg_type, content)
        from jupyter_databricks_kernel._remote import CommMessage

        run_id = self._parents.remember(parent)
        buffers = tuple(bytes(buffer) for buffer in parent.get("buffers", ()))
        message = CommMessage(run_id, msg_type, content, parent.get("metadata", {}), buffers)
        try:
            await in_thread(lambda: remote.comm(message), name="comm")
        except Exception:
            self.log.warning("a widget message could not be delivered", exc_info=True)

    async def comm_info_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Tells which comms are open."""
        comms = self._comms.info(parent["content"].get("target_name"))
        self.session.send(stream, "comm_info_reply", {"status": "ok", "comms": comms}, parent, ident)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Removes everything from the cluster, within the time a front end waits; runs on the control thread's loop."""
        await self.close_remote()
        return {"status": "ok", "restart": restart}

    async def close_remote(self) -> None:
        """Closes the session; what takes too long is left to its watchdog."""
        if self._remote_made is None:
            return
        closing = in_thread(self._remote_made.close, name="close")
        closing.add_done_callback(self._ignore)
        await asyncio.wait({closing}, timeout=CLOSE_WITHIN_S)


def _import_composition() -> None:
    from jupyter_databricks_kernel._compose import warm_up

    warm_up()
