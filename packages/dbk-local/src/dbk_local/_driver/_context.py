"""A context: the forked process that holds one interpreter and runs the commands the server sends.

Over the control socket comes `{"t": "run", "language", "text", "marker", "truth"}`; `{"t": "started"}` goes back when a
SIGINT would be noticed, and `{"t": "done", ...}` at the end. All text goes through one pipe at descriptors 1 and 2; the
marker, written there when the command has ended, tells the server where its text stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames, _tree
from dbk_local._driver._access import SparkAccess
from dbk_local._driver._dbruntime import install_dbruntime
from dbk_local._driver._dbutils import DbUtils
from dbk_local._driver._emitted import Emitted
from dbk_local._driver._environment import ContextEnvironment
from dbk_local._driver._interrupts import Interrupts
from dbk_local._driver._magics import register_magics
from dbk_local._driver._namespace import fill_namespace
from dbk_local._driver._service import Service
from dbk_local._driver._settling import settle, take_standard_streams
from dbk_local._driver._shell import CommandShell
from dbk_local._driver._sql import run_sql
from dbk_local._driver._wire import truth_from_json

# What Spark shows beside a job.
_DESCRIPTION_CHARS = 200


def run_context(fds: list[int], spec: dict[str, Any]) -> None:
    """Be a context until the server closes the control socket.

    Args:
        fds: Control socket, service socket, writing end of the output pipe.
        spec: `{"truth", "home", "environment", "cwd", "notebook"}`; home is a private folder of this interpreter,
            environment the folder for what `%pip` installs in this context, notebook as `DbUtils` takes it.
    """
    control, service, pipe = fds
    _tree.adopt_orphans()
    # Whoever started the server may have had it ignored.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    marks = take_standard_streams(pipe)
    settle(spec)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    context = _Context(loop, socket.socket(fileno=control), socket.socket(fileno=service), marks, spec)
    _serve_to_the_end(loop, loop.create_task(context.serve()))


def _serve_to_the_end(loop: asyncio.AbstractEventLoop, serving: asyncio.Task[None]) -> None:
    """Run the loop until all is served, whatever code does to the loop it runs in: it may stop it.

    nest_asyncio, used in the cell that applies it, makes the turn that is under way fail; the next one is whole again.
    """
    while not serving.done():
        try:
            loop.run_until_complete(serving)
        except Exception:
            if serving.done() or loop.is_closed():
                raise


class _Context:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        control: socket.socket,
        service: socket.socket,
        marks: int,
        spec: dict[str, Any],
    ) -> None:
        self._loop = loop
        self._control = control
        self._control.setblocking(False)
        self._marks = marks
        self._interrupts = Interrupts(loop)
        self._interrupts.install()
        truth = truth_from_json(spec["truth"])
        self._shell = CommandShell.instance(truth=truth)
        asking = Service(service, self._interrupts)
        self._spark = SparkAccess(truth, asking, self._interrupts)
        dbutils = DbUtils(self._shell, asking, spec["notebook"])
        fill_namespace(self._shell, self._spark, dbutils)
        install_dbruntime(lambda: self._shell.truth, self._shell.user_ns)
        register_magics(self._shell, dbutils, ContextEnvironment(Path(spec["environment"])))

    async def serve(self) -> None:
        await self._send({"t": "ready"})
        while (request := await _frames.read_socket(self._loop, self._control)) is not None:
            self._shell.truth = truth_from_json(request["truth"])
            self._shell.emitted = Emitted()
            with self._interrupts.armed():
                # Not awaited: an interrupt must find our own code on the stack, not the event loop's.
                self._control.send(_frames.pack({"t": "started"}))
                await self._run(request)
            _flush()
            _write_all(self._marks, request["marker"].encode())
            about = {
                "streams": self._spark.end_command(),
                "output_cap_mb": self._shell.output_cap_mb,
                "secrets": sorted(self._shell.secrets_read),
            }
            await self._send({"t": "done", **about, **self._shell.emitted.to_json()})

    async def _run(self, request: dict[str, Any]) -> None:
        self._spark.begin_command(request["group"], request["text"][:_DESCRIPTION_CHARS])
        if request["language"] == "sql":
            run_sql(self._shell, self._spark, request["text"])
        else:
            await self._run_python(request["text"])

    async def _send(self, message: dict[str, Any]) -> None:
        await self._loop.sock_sendall(self._control, _frames.pack(message))

    async def _run_python(self, text: str) -> None:
        """Run one cell the way the IPython kernel does: on a running event loop, awaiting only what needs it."""
        shell = self._shell
        try:
            transformed = shell.transform_cell(text)
        except Exception:  # shown by run_cell, which transforms again
            shell.run_cell(text, store_history=True)
            return
        if not shell.should_run_async(text, transformed_cell=transformed):
            shell.run_cell(text, store_history=True)
            return
        cell = shell.run_cell_async(text, store_history=True, transformed_cell=transformed)
        task = asyncio.ensure_future(cell)
        try:
            with self._interrupts.cancels(task):
                await asyncio.wait([task])
        finally:
            shell.events.trigger("post_execute")
        with contextlib.suppress(asyncio.CancelledError):
            shell.events.trigger("post_run_cell", task.result())


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # User code may have closed or replaced them by anything.
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]
    ctypes.CDLL(None).fflush(None)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
