"""The process that interpreters are forked from (`_zygote`), as the server sees it."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames, _tree
from dbk_local._seam import DriverDied

# A preload takes about a second; on a busy machine with a cold disk it was seen to take twenty.
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Setting:
    """What the process finds around it.

    Attributes:
        folder: of the driver; its log is written there.
        cwd: the working directory.
        environment: all of its environment variables.
        modules: what is imported before the first fork.
        places: path that its children see -> folder that is there.
    """

    folder: Path
    cwd: Path
    environment: dict[str, str]
    modules: list[str]
    places: dict[str, str]


class Zygote:
    """Started and stopped once. `on_exit` is called when it ends by itself."""

    def __init__(self, on_exit: Callable[[], None]) -> None:
        self.exits: dict[int, asyncio.Future[int]] = {}
        """Wait status of each forked process that has not been collected yet."""
        self.died = asyncio.Event()
        """The driver died without having been asked to."""
        self.is_mounted = False
        """Its children see the places of a driver."""
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked: collections.deque[asyncio.Future[int]] = collections.deque()
        self._binding: collections.deque[asyncio.Future[None]] = collections.deque()
        self._asking = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def pid(self) -> int:
        """Of the process, 0 before it is started."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_forking(self) -> bool:
        """Somebody waits for a fork, or has given up waiting and it is still to come."""
        return bool(self._asked)

    async def start(self, setting: Setting) -> bool:
        """Start it and wait until it can fork; True when its children see the `places`.

        Raises:
            DriverDied: it ended instead.
        """
        ours, theirs = socket.socketpair()
        with theirs, open(setting.folder / "driver.log", "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "dbk_local._driver._zygote", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=setting.cwd,
                env=setting.environment,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        root = str(setting.folder.absolute() / "root")
        self._writer.write(
            _frames.pack({"t": "start", "modules": setting.modules, "places": setting.places, "root": root})
        )
        ready = await asyncio.wait_for(_frames.read(reader), _START_TIMEOUT_S)
        if ready is None:
            raise DriverDied(f"the driver process ended while it started; see {setting.folder / 'driver.log'}")
        self._watching = asyncio.create_task(self._watch(reader))
        self.is_mounted = bool(ready["mounted"])
        return self.is_mounted

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        while (message := await _frames.read(reader)) is not None:
            if message["t"] == "forked":
                asked = self._asked.popleft()
                # Who gave up meanwhile has closed the sockets, which ends the process.
                if not asked.done():
                    self.exits[message["pid"]] = asyncio.get_running_loop().create_future()
                    asked.set_result(message["pid"])
            elif message["t"] == "bound":
                self._binding.popleft().set_result(None)
            elif message["t"] == "exited" and (exited := self.exits.get(message["pid"])) is not None:
                exited.set_result(message["status"])
        for bound in self._binding:
            bound.set_result(None)
        for asked in self._asked:
            if not asked.done():
                asked.set_exception(DriverDied("the driver died while it started an interpreter"))
        if not self._is_closed:
            self._on_exit()

    def close(self) -> None:
        """Fork nothing any more."""
        self._is_closed = True

    def give_up(self) -> None:
        """The driver has died: fork nothing any more."""
        self._is_closed = True
        self.died.set()

    async def fork(self, role: str, spec: dict[str, Any], sockets: list[socket.socket], fds: list[int]) -> int:
        """Fork a process that gets `sockets` and `fds` (which stay open here); gives its id.

        Raises:
            DriverDied: there is nothing to fork from.
        """
        everything = [one.fileno() for one in sockets] + fds
        asked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        async with self._asking:
            if self._is_closed or self._writer is None or self._watching is None or self._watching.done():
                raise DriverDied("the driver is not running")
            await self._writer.drain()
            self._asked.append(asked)
            self._send_with_fds(self._writer, _frames.pack({"t": "fork", "role": role, "spec": spec}), everything)
        return await asked

    async def bind(self, source: str, target: str) -> None:
        """Have its children see the folder `source` at `target`, too, where they see the places of a driver at all."""
        if self._is_closed or self._writer is None:
            return
        bound: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with self._asking:
            self._binding.append(bound)
            self._writer.write(_frames.pack({"t": "bind", "source": source, "target": target}))
        await asyncio.shield(bound)

    @staticmethod
    def _send_with_fds(writer: asyncio.StreamWriter, data: bytes, fds: list[int]) -> None:
        # asyncio transports cannot pass descriptors; the stream's own buffer is empty here, so nothing is overtaken.
        with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as sock:
            sent = socket.send_fds(sock, [data], fds)
        writer.write(data[sent:])

    async def stop(self) -> None:
        """End it: its socket is closed, so it goes by itself; if it hangs, it is killed with everything below it."""
        self.close()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_TIMEOUT_S)
            except TimeoutError:
                _tree.kill_tree(self._process.pid)
                await self._process.wait()
        if self._watching is not None:
            await self._watching
