"""`DatabricksKernel`: Jupyter's requests on one side, an interpreter on a cluster on the other."""

# mypy: allow-untyped-calls
# (ipykernel and IPython leave most of their methods without types.)

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyter_databricks_kernel._connected import ConnectedKernel
from jupyter_databricks_kernel._info import BANNER, HELP_LINKS, implementation_version, kernel_info, language_info
from jupyter_databricks_kernel._policy import Request, Route, local_expressions, route
from jupyter_databricks_kernel._progress import Message
from jupyter_databricks_kernel._stdin import Stdin
from jupyter_databricks_kernel._threads import in_thread

__all__ = ["DatabricksKernel"]


class DatabricksKernel(ConnectedKernel):
    """A kernel that runs every cell on a Databricks cluster, and nothing of the user's here."""

    implementation = "databricks"
    banner = BANNER
    help_links = HELP_LINKS

    def __init__(self, **kwargs: Any) -> None:
        self._next_count = 1
        super().__init__(**kwargs)
        self.implementation_version = implementation_version()
        self._magic: asyncio.Future[dict[str, str]] | None = None
        self._interrupted = False
        self._deferred: list[Request] = []
        self._stdin: Stdin | None = None

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

    # --- cells ------------------------------------------------------------------------------------------------------

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
        self._interrupted = False
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
        from jupyter_databricks_kernel._failure import keyboard_interrupt
        from jupyter_databricks_kernel._remote import Job

        remote = await self._connect()
        if self._interrupted:
            return self._show_error(keyboard_interrupt())
        parent = self.get_parent("shell")
        ident = self._parent_ident["shell"]
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
        from jupyter_databricks_kernel._local_answers import local_answer
        from jupyter_databricks_kernel._magics import parse

        parent = self.get_parent("shell")
        for magic in parse(request.code):
            answer = local_answer(magic.command)
            if answer is None:
                remote = await self._connect()
                if self._interrupted:
                    return self._show_error(keyboard_interrupt())
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
        """Interrupts the running cell, or what a cell that was given up has left running."""
        self._interrupted = True
        remote = self._remote_made
        if self._cell is not None:
            self._cell.interrupt()
        elif remote is not None and remote.live:
            in_thread(remote.press, name="press").add_done_callback(self._ignore)
        if self._magic is not None:
            self._magic.cancel()  # what it does on the cluster goes on; nobody waits for it

    def _stdin_channel(self) -> Stdin:
        if self._stdin is None:
            self._stdin = Stdin(self.session, self.stdin_socket, self.log.warning)
        return self._stdin


def _ok() -> dict[str, Any]:
    return {"status": "ok", "user_expressions": {}, "payload": []}
