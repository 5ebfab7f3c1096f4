"""One interpreter process as the server sees it: its sockets, its output pipe and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames, _tree
from dbk_local._driver._forking import Zygote
from dbk_local._driver._notebook_runs import NotebookRuns
from dbk_local._driver._pipe import OutputPipe
from dbk_local._driver._spark_link import SparkFailed, SparkLink, SparkUse
from dbk_local._seam import DriverDied, ReplStartFailed

_START_TIMEOUT_S = 120.0
_EXIT_NOTICE_TIMEOUT_S = 10.0


Answer = Callable[[dict[str, Any], SparkUse], Awaitable[dict[str, Any]]]
"""Answers a question of an interpreter; raises `SparkFailed` or `DriverDied` with a reason why not."""


class Interpreter:
    """Forked from the zygote as `spec` tells (see `_context.run_context`); `start` it before anything else."""

    def __init__(
        self, zygote: Zygote, spec: dict[str, Any], spark: SparkLink, answer: Answer, notebooks: NotebookRuns
    ) -> None:
        self._zygote = zygote
        self._spec = spec
        self._reply = answer
        self._open = contextlib.ExitStack()
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.spark = SparkUse(spark, key=Path(self._spec["home"]).name)
        self.notebooks = notebooks
        """What it runs in interpreters of their own."""
        self.pid = 0
        self.pipe: OutputPipe
        self.is_expected_to_end = False
        """Somebody asked for the end, so nobody is told of it."""
        self.started = asyncio.Event()
        """Set while the running command would notice an interrupt."""
        self.ended = asyncio.Event()
        """The process has closed its socket."""

    async def start(self) -> None:
        """Fork the process and wait until it can run commands.

        Raises:
            DriverDied: there is nothing to fork from.
            ReplStartFailed: the process did not come up.
        """
        try:
            await self._fork()
            ready = await asyncio.wait_for(self._messages.get(), _START_TIMEOUT_S)
        except BaseException:
            await self.kill()
            raise
        if ready is None:
            reason = await self.how_it_ended()
            await self.kill()
            raise ReplStartFailed(reason)

    async def _fork(self) -> None:
        with contextlib.ExitStack() as theirs:
            control, their_control = socket.socketpair()
            service, their_service = socket.socketpair()
            read_end, write_end = os.pipe()
            for end in (their_control, their_service):
                theirs.callback(end.close)
            theirs.callback(os.close, write_end)
            reader, self._writer = await self._stream(control)
            questions, answers = await self._stream(service)
            source = self._open.enter_context(os.fdopen(read_end, "rb", 0))
            transport, self.pipe = await asyncio.get_running_loop().connect_read_pipe(OutputPipe, source)
            self._open.callback(transport.close)
            self.pid = await self._zygote.fork("context", self._spec, [their_control, their_service], [write_end])
        self._tasks = [
            asyncio.create_task(self._read(reader)),
            asyncio.create_task(self._answer(questions, answers)),
        ]

    async def _stream(self, sock: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(sock=sock)
        self._open.callback(writer.close)
        return reader, writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (message := await _frames.read(reader)) is not None:
            if message["t"] == "started":
                self.started.set()
            else:
                self._messages.put_nowait(message)
        self._messages.put_nowait(None)
        self.ended.set()

    async def _answer(self, questions: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        while (question := await _frames.read(questions)) is not None:
            try:
                if question["op"].startswith("notebook-"):
                    answer = await self.notebooks.answer(question)
                else:
                    answer = await self._reply(question, self.spark)
            except (SparkFailed, DriverDied) as error:
                answer = {"error": str(error)}
            if not answers.is_closing():
                answers.write(_frames.pack({**answer, "id": question["id"]}))

    async def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Send a `run` request and wait for its answer; None when the process ended instead."""
        self.started.clear()
        self.spark.group = request["group"]
        if not self.ended.is_set():
            self._writer.write(_frames.pack(request))
        try:
            answer = await self._messages.get()
        finally:
            self.started.set()
        if answer is not None:
            self.spark.group = None
            self.spark.streams += answer["streams"]
        return answer

    def interrupt(self) -> None:
        """SIGINT for the whole group, as Jupyter does it: `os.system` and `!` wait for a child with SIGINT ignored."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)

    async def kill(self) -> None:
        """End the process, what it started, and its private folder. Idempotent."""
        self.is_expected_to_end = True
        if self.pid:
            await asyncio.to_thread(_tree.kill_tree, self.pid)
        self._open.close()
        await asyncio.gather(*self._tasks)
        await self.notebooks.stop()
        await self.spark.detach()
        self._zygote.exits.pop(self.pid, None)
        await asyncio.to_thread(shutil.rmtree, self._spec["home"], ignore_errors=True)

    async def how_it_ended(self) -> str:
        """A sentence for people, with the exit code where it is known."""
        exited = self._zygote.exits.get(self.pid)
        if exited is None:
            return "The Python process is gone."
        died: asyncio.Future[Any] = asyncio.ensure_future(self._zygote.died.wait())
        either: list[asyncio.Future[Any]] = [exited, died]
        await asyncio.wait(either, timeout=_EXIT_NOTICE_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if not exited.done():
            return "The Python process closed its connection."
        return f"The Python process exited with exit code {_describe(os.waitstatus_to_exitcode(exited.result()))}."


def _describe(code: int) -> str:
    """As a shell would say it, with the signal's name: `137 (SIGKILL: Killed)`."""
    if code >= 0:
        return str(code)
    return f"{128 - code} ({signal.Signals(-code).name}: {signal.strsignal(-code)})"
