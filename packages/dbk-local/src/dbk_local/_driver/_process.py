"""The driver of a cluster as the server sees it: the zygote, and the contexts forked from it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbk_local._driver import _connect, _frames, _tree
from dbk_local._driver._handle import Context
from dbk_local._driver._spark_home import environment_for, find_spark, kind_of_spark
from dbk_local._driver._spark_link import SparkLink, SparkUse
from dbk_local._driver._wire import truth_to_json
from dbk_local._seam import DriverDied, Truth

# A preload takes about a second; on a busy machine with a cold disk it was seen to take twenty.
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 10.0
_SPARK_MODULES = ("pyspark.sql", "pyspark.sql.types", "pyspark.sql.functions")
LOCAL_DISK = "/local_disk0"
ENVIRONMENTS = ".ephemeral_nfs/envs"
WORKING_DIRECTORY = "/databricks/driver"


class Driver:
    """A `DriverProcess`; see `dbk_local._seam` for the promises."""

    def __init__(self, truth: Truth, folder: Path) -> None:
        self.truth = truth
        self.folder = folder
        self.on_death: Callable[[str], None] | None = None
        self.exits: dict[int, asyncio.Future[int]] = {}
        """Wait status of each forked process that has not been collected yet."""
        self.contexts: dict[str, Context] = {}
        self.mounted = False
        """Contexts see `/dbfs` and the like; else these paths are absent."""
        self._zygote: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._forked: asyncio.Queue[int] = asyncio.Queue()
        self._forking = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False
        self._dying: asyncio.Task[None] | None = None
        self.spark = SparkLink(self, self._spark_died)
        self.died = asyncio.Event()
        """It died without having been asked to."""

    async def start(self) -> None:
        truth = self.truth
        roots = (truth.local_disk, truth.dbfs_root, truth.volumes_root, truth.workspace_root)
        for folder in (self.folder, self._cwd, *roots):
            folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        with theirs, open(self.folder / "driver.log", "ab") as log:
            self._zygote = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "dbk_local._driver._zygote", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._cwd,
                env=environment_for(find_spark(self.truth.runtime, os.environ), _environment()),
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        root = self.folder.absolute() / "root"
        self._send({"t": "start", "modules": self._modules(), "places": self._places(), "root": str(root)})
        ready = await asyncio.wait_for(_frames.read(reader), _START_TIMEOUT_S)
        if ready is None:
            await self.stop()
            raise DriverDied("the driver process ended while it started; see " + str(self.folder / "driver.log"))
        self.mounted = ready["mounted"]
        self._watching = asyncio.create_task(self._watch(reader))

    @property
    def _cwd(self) -> Path:
        return self.folder.absolute() / "cwd"

    def _modules(self) -> list[str]:
        """What contexts will import when they use Spark. Importing gRPC starts no thread, so it may be among them."""
        if self.truth.spark == "off":
            return []
        connect = kind_of_spark(self.truth, find_spark(self.truth.runtime, os.environ)) == "connect"
        return [*_SPARK_MODULES, *([_connect.MODULE] if connect else [])]

    def _places(self) -> dict[str, str]:
        """What a driver has at its root, as far as it may be seen in this access mode."""
        truth = self.truth
        places = {
            "/Volumes": truth.volumes_root,
            "/Workspace": truth.workspace_root,
            WORKING_DIRECTORY: self._cwd,
            LOCAL_DISK: truth.local_disk,
        }
        if truth.dbfs_fuse and truth.dbfs_enabled and truth.access_mode != "standard":
            places["/dbfs"] = truth.dbfs_root
        return {place: str(folder.absolute()) for place, folder in places.items()}

    def _send(self, message: dict[str, Any]) -> None:
        if self._writer is None or self._writer.is_closing():
            raise DriverDied("the driver is not running")
        self._writer.write(_frames.pack(message))

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        while (message := await _frames.read(reader)) is not None:
            if message["t"] == "forked":
                self.exits[message["pid"]] = asyncio.get_running_loop().create_future()
                self._forked.put_nowait(message["pid"])
            elif message["t"] == "exited" and (exited := self.exits.get(message["pid"])) is not None:
                exited.set_result(message["status"])
        if not self._stopping:
            self._die_soon("The spark driver has stopped unexpectedly and is restarting.")

    def _spark_died(self) -> None:
        self._die_soon("The spark driver has stopped unexpectedly and is restarting.")

    def _die_soon(self, reason: str) -> None:
        if not self._stopping:
            self._stopping = True
            self.died.set()
            self._dying = asyncio.create_task(self._die(f"{reason} Your notebook will be automatically reattached."))

    async def _die(self, reason: str) -> None:
        await self._end_processes()
        if self.on_death is not None:
            self.on_death(reason)

    async def fork(self, role: str, spec: dict[str, Any], sockets: list[socket.socket], fds: list[int]) -> int:
        """Fork a process that gets `sockets` and `fds` (which stay open here); gives its id.

        Raises:
            DriverDied: there is no zygote to fork from.
        """
        async with self._forking:
            if self._stopping or self._writer is None:
                raise DriverDied("the driver is not running")
            everything = [one.fileno() for one in sockets] + fds
            await self._send_with_fds(_frames.pack({"t": "fork", "role": role, "spec": spec}), everything)
            pid = asyncio.ensure_future(self._forked.get())
            assert self._watching is not None
            await asyncio.wait([pid, self._watching], return_when=asyncio.FIRST_COMPLETED)
            if not pid.done():
                pid.cancel()
                raise DriverDied("the driver died while it started an interpreter")
            return pid.result()

    async def _send_with_fds(self, data: bytes, fds: list[int]) -> None:
        assert self._writer is not None
        await self._writer.drain()
        # asyncio transports cannot pass descriptors; the stream's own buffer is empty here, so nothing is overtaken.
        with socket.socket(fileno=os.dup(self._writer.get_extra_info("socket").fileno())) as sock:
            sent = socket.send_fds(sock, [data], fds)
        self._writer.write(data[sent:])

    async def create_context(self, context_id: str, language: str) -> Context:  # noqa: ARG002 - each command names its own
        context = Context(self, context_id)
        await context.start()
        self.contexts[context_id] = context
        return context

    def context_spec(self, environment: str) -> dict[str, Any]:
        """What a forked interpreter needs to know; a new private folder each time."""
        home = self.folder.absolute() / "contexts" / secrets.token_hex(8)
        truth = truth_to_json(self.truth)
        disk, cwd = Path(LOCAL_DISK), Path(WORKING_DIRECTORY)
        if not self.mounted:
            disk, cwd = self.truth.local_disk.absolute(), self._cwd
        seen = str(disk / ENVIRONMENTS / environment)
        return {"truth": truth, "home": str(home), "environment": seen, "cwd": str(cwd)}

    async def remove_environment(self, environment: str) -> None:
        """Remove what `%pip` has installed for a context."""
        folder = self.truth.local_disk / ENVIRONMENTS / environment
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def stream_active(self, context_id: str) -> bool:
        context = self.contexts.get(context_id)
        return context is not None and await context.stream_active()

    async def answer(self, question: dict[str, Any], spark: SparkUse) -> dict[str, Any]:
        """What a context wants to know; raises `SparkFailed` with a reason why not."""
        if question["op"] == "spark":
            return await spark.attach()
        if question["op"] == "spark-stopped":
            self._die_soon("The spark context has stopped and the driver is restarting.")
        return {}

    async def stop(self) -> None:
        self._stopping = True
        if self._dying is not None:
            await self._dying
        await self._end_processes()

    async def _end_processes(self) -> None:
        await asyncio.gather(*(context.destroy() for context in list(self.contexts.values())))
        await self.spark.stop()
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        if self._zygote is not None:
            await self._end_zygote(self._zygote)
        if self._watching is not None:
            await self._watching
        for private in ("contexts", "spark"):
            await asyncio.to_thread(shutil.rmtree, self.folder / private, ignore_errors=True)

    async def _end_zygote(self, zygote: asyncio.subprocess.Process) -> None:
        """Its socket is closed, so it ends by itself; if it hangs, it is killed with everything below it."""
        try:
            await asyncio.wait_for(zygote.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            _tree.kill_tree(zygote.pid)
            await zygote.wait()


def _environment() -> dict[str, str]:
    """What the driver inherits: nothing that tells how the person running the workspace logs in elsewhere."""
    foreign = ("DATABRICKS_", "DBK_", "JPY_", "JUPYTER", "PYTEST_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
