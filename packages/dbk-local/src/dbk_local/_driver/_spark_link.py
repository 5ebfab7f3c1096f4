"""The server's connection to the process that owns the Spark JVM; made at the first use of Spark."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames
from dbk_local._driver._forking import Zygote
from dbk_local._driver._mounts import VOLUMES
from dbk_local._driver._wire import truth_to_json
from dbk_local._seam import DriverDied, Truth

ARCHIVES_SWITCH = "DBK_LOCAL_CLASS_ARCHIVES"
STOPPED = "The Spark driver has stopped."
_STOP_TIMEOUT_S = 60.0
_CANCEL_TIMEOUT_S = 5.0
_STRAGGLERS_S = (0.1, 0.4, 1.5, 4.0, 10.0, 20.0)


class SparkFailed(Exception):
    """Spark could not do it; the text says why."""


class SparkLink:
    """Requests to `_spark_root`, one connection a driver. Its files are in `folder`; `on_exit`: it ended by itself."""

    def __init__(self, zygote: Zygote, truth: Truth, folder: Path, on_exit: Callable[[], None]) -> None:
        self._zygote = zygote
        self._truth = truth
        self._folder = folder
        self._on_exit = on_exit
        self._starting = asyncio.Lock()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._chores: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self.pid = 0

    @property
    def is_open(self) -> bool:
        """The process was started; the JVM may still be on its way."""
        return self._writer is not None

    async def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Start the process if need be, and ask it.

        Raises:
            SparkFailed: with the reason.
            DriverDied: there is nothing to fork from.
        """
        async with self._starting:
            if self._is_stopping:
                raise SparkFailed(STOPPED)
            if self._writer is None:
                await self._start()
        assert self._writer is not None
        assert self._reading is not None
        if self._reading.done():
            raise SparkFailed(STOPPED)
        self._count += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        self._writer.write(_frames.pack({"id": self._count, "op": op, **arguments}))
        reply = await answer
        if "error" in reply:
            raise SparkFailed(reply["error"])
        return reply

    async def _start(self) -> None:
        truth = self._truth
        if self._zygote.is_mounted:
            truth = dataclasses.replace(truth, volumes_root=Path(VOLUMES))  # where there are only volumes
        ours, theirs = socket.socketpair()
        spec = {
            "truth": truth_to_json(truth),
            "folder": str(self._folder),
            "archives": os.environ.get(ARCHIVES_SWITCH, "on") != "off",
        }
        with theirs:
            try:
                self.pid = await self._zygote.fork("spark", spec, [theirs], [])
            except BaseException:
                ours.close()
                raise
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (message := await _frames.read(reader)) is not None and "id" in message:
            answer = self._answers.pop(message["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({"error": STOPPED})
        self._answers.clear()
        if not self._is_stopping:
            self._on_exit()

    def cancel_again(self, key: str, group: str) -> None:
        """Cancel a command's jobs some more times, later.

        What a client of Connect had just asked for may start when nobody waits for it any more, nor is there.
        """
        self._chores.add(chore := asyncio.create_task(self._cancel_again(key, group)))
        chore.add_done_callback(self._chores.discard)

    async def _cancel_again(self, key: str, group: str) -> None:
        for pause_s in _STRAGGLERS_S:
            await asyncio.sleep(pause_s)
            with contextlib.suppress(SparkFailed, DriverDied):
                await self.ask("cancel", key=key, group=group)

    async def stop(self) -> None:
        """End the JVM in good order, then the process. Idempotent."""
        for chore in self._chores:
            chore.cancel()
        if self._writer is None or self._reading is None:
            self._is_stopping = True
            return
        if not self._is_stopping and not self._reading.done():
            stopping = asyncio.create_task(self.ask("stop"))
            await asyncio.sleep(0)  # the request is on its way before any other is refused
            self._is_stopping = True
            await asyncio.wait([stopping, self._reading], timeout=_STOP_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
            self._writer.close()
            await asyncio.gather(stopping, return_exceptions=True)
        self._is_stopping = True
        self._writer.close()
        await self._reading


class SparkUse:
    """What one interpreter has of Spark."""

    def __init__(self, link: SparkLink, key: str) -> None:
        self._link = link
        self._key = key
        self._is_attached = self._is_connect = False
        self.group: str | None = None
        """Job group of the running command."""
        self.streams: list[str] = []
        """Structured streams it has started."""

    async def attach(self) -> dict[str, Any]:
        """`{"port", "secret"}` of its py4j server, or `{"connect": ...}` of its session; the first waits for it."""
        answer = await self._link.ask("attach", key=self._key)
        self._is_attached, self._is_connect = True, "connect" in answer
        return {name: value for name, value in answer.items() if name != "id"}

    async def cancel(self) -> None:
        """Cancel the jobs of the running command; what cannot be done in time is left to the interrupt."""
        if self._is_attached and self.group is not None:
            if self._is_connect:
                self._link.cancel_again(self._key, self.group)
            with contextlib.suppress(SparkFailed, DriverDied, TimeoutError):
                await asyncio.wait_for(self._link.ask("cancel", key=self._key, group=self.group), _CANCEL_TIMEOUT_S)

    async def detach(self) -> None:
        """The interpreter is gone: its jobs, its streams and its py4j server go too."""
        if self._is_attached:
            self._is_attached = False
            if self._is_connect and self.group is not None:
                self._link.cancel_again(self._key, self.group)
            with contextlib.suppress(SparkFailed, DriverDied, TimeoutError):
                request = self._link.ask("detach", key=self._key, group=self.group, streams=self.streams)
                await asyncio.wait_for(request, _CANCEL_TIMEOUT_S)

    async def streams_are_active(self) -> bool:
        """One of its streams runs."""
        if not self.streams:
            return False
        try:
            self.streams = (await self._link.ask("streams", ids=self.streams))["active"]
        except (SparkFailed, DriverDied):
            return False
        return bool(self.streams)
