"""`DatabricksKernel`: Jupyter's requests on one side, an interpreter on a cluster on the other."""

# mypy: allow-untyped-calls
# (ipykernel and IPython leave most of their methods without types.)

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_databricks_kernel._comms import CommRegistry
from jupyter_databricks_kernel._info import BANNER, HELP_LINKS, implementation_version, kernel_info, language_info
from jupyter_databricks_kernel._parents import Parents
from jupyter_databricks_kernel._policy import Request, Route, local_expressions, route
from jupyter_databricks_kernel._progress import Message
from jupyter_databricks_kernel._questions import AnsweringKernel
from jupyter_databricks_kernel._stdin import Stdin
from jupyter_databricks_kernel._threads import in_thread

if TYPE_CHECKING:
    from jupyter_databricks_kernel._cell import Cell
    from jupyter_databricks_kernel._remote import Remote

__all__ = ["DatabricksKernel"]

# jupyter_client sends SIGTERM 2.5 s after a shutdown request; what is not removed by then the watchdog removes.
CLOSE_WITHIN_S = 2.0


class DatabricksKernel(AnsweringKernel):
    """A kernel that runs every cell on a Databricks cluster, and nothing of the user's here."""

    implementation = "databricks"
    banner = BANNER
    help_links = HELP_LINKS

    def __init__(self, **kwargs: Any) -> None:
        self._next_count = 1
        super().__init__(**kwargs)
        self.implementation_version = implementation_version()
        self._comms = CommRegistry()
        self._cell: Cell | None = None
        self._magic: asyncio.Future[dict[str, str]] | None = None
        self._deferred: list[Request] = []
        self._parents = Parents()
        self._stdin: Stdin | None = None
        self._loading: asyncio.Future[None] | None = None

    @property
    def execution_count(self) -> int:
        """The number of the next cell."""
        return self._next_count

    @execution_count.setter
    def execution_count(self, _value: int) -> None:
        """Ignored: the base counts every request that is not silent, while only a person's cells have a number."""

    @property
    def language_info(self) -> dict[str, Any]:  # type: ignore[override]  # computed, as the version comes late
        """The language part of `kernel_info`."""
        return language_info(self._python_version)

    @property
    def kernel_info(self) -> dict[str, Any]:
        """The content of a `kernel_info_reply`."""
        from ipykernel._version import kernel_protocol_version

        return kernel_info(kernel_protocol_version, self._python_version)

    @property
    def _python_version(self) -> str:
        return self._remote_made.python_version if self._remote_made is not None else ""

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

    # --- cells ------------------------------------------------------------------------------------------------------

    async def kernel_info_request(self, stream: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Answers from here, then loads in the background what the first cell needs."""
        await super().kernel_info_request(stream, ident, parent)
        if stream is self.shell_stream:  # the control channel has another loop, in another thread
            self._load()

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: Mapping[str, str] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: Any = None,  # noqa: ARG002  # part of the base's signature
        cell_id: str | None = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Runs a request and gives the content of its reply."""
        request = Request(code, silent, store_history and not silent, allow_stdin, dict(user_expressions or {}))
        count = self._next_count
        if request.counted:
            self._next_count += 1
            self._history.store(count, code)
        try:
            reply = await self._execute(request, count)
        except Exception as error:
            # The outermost callback: without a reply the front end would wait for ever.
            from jupyter_databricks_kernel._failure import failure

            reply = self._show_error(failure(error))
        return reply | {"execution_count": self._next_count - 1}

    def _show_error(self, content: dict[str, Any]) -> dict[str, Any]:
        """Shows an error in the cell, and gives the reply that goes with it."""
        from jupyter_databricks_kernel._render import error_message

        self._send(error_message(**content), self.get_parent("shell"))
        return {"status": "error", **content, "user_expressions": {}, "payload": []}

    async def _execute(self, request: Request, count: int) -> dict[str, Any]:
        from jupyter_databricks_kernel._magics import is_magic

        match route(request, live=self._live, magic=is_magic(request.code)):
            case Route.NOTHING:
                return _ok()
            case Route.DEFER:
                self._deferred.append(request)
                return _ok() | {"user_expressions": local_expressions(request)}
            case Route.MAGIC:
                return await self._run_magic(request)
            case Route.RUN:
                return await self._run_cell(request, count)

    async def _run_cell(self, request: Request, count: int) -> dict[str, Any]:
        from jupyter_databricks_kernel._cell import Cell
        from jupyter_databricks_kernel._remote import Job

        remote = await self._connect()
        parent = self.get_parent("shell")
        ident = self._get_shell_context_var(self._shell_parent_ident)
        job = Job(self._parents.remember(parent), request, count, tuple(self._deferred))

        async def ask(prompt: str, password: bool) -> str | None:
            return await self._stdin_channel().ask(prompt, password=password, parent=parent, ident=ident)

        self._cell = Cell(job, remote, lambda message: self._send(message, parent), ask)
        try:
            reply = await self._cell.run()
        finally:
            text, self._cell = self._cell.result_text, None
            if remote.live:
                self._deferred.clear()
        if request.counted and text is not None:
            self._history.store_output(count, text)
        return reply

    async def _run_magic(self, request: Request) -> dict[str, Any]:
        from jupyter_databricks_kernel._failure import keyboard_interrupt
        from jupyter_databricks_kernel._magics import parse

        parent, magics = self.get_parent("shell"), parse(request.code)
        remote = await self._connect()
        for magic in magics:
            self._magic = in_thread(partial(remote.magic, magic.command, magic.argument), name="magic")
            try:
                answer = await self._magic
            except asyncio.CancelledError:
                return self._show_error(keyboard_interrupt())
            finally:
                self._magic = None
            self._send(Message("display_data", {"data": answer, "metadata": {}, "transient": {}}), parent)
        return _ok()

    def interrupt(self) -> None:
        """Stops the running cell; nothing to do when none runs."""
        if self._cell is not None:
            self._cell.interrupt()
        if self._magic is not None:
            self._magic.cancel()  # what it does on the cluster goes on; nobody waits for it

    # --- events of the session --------------------------------------------------------------------------------------

    def _on_event(self, event: Any) -> None:
        """Takes one event on the loop: to the running cell, or into the cell that its maker belonged to."""
        from dbk_session import Comm, ContextLost, Notice

        if isinstance(event, Notice):
            self._tell(event.text)
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

        message = render(event, execution_count=self._next_count - 1)
        if message is not None:
            self._send(message, parent)

    def _send(self, message: Message, parent: dict[str, Any]) -> None:
        self.publish(message.msg_type, message.content, parent, message.metadata, message.buffers)

    def _stdin_channel(self) -> Stdin:
        if self._stdin is None:
            self._stdin = Stdin(self.session, self.stdin_socket, self.log.warning)
        return self._stdin

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


def _ok() -> dict[str, Any]:
    return {"status": "ok", "user_expressions": {}, "payload": []}
