"""The driver of a cluster as the server sees it: the zygote, and the contexts forked from it."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbk_local._driver import _connect
from dbk_local._driver._forking import Setting, Zygote
from dbk_local._driver._handle import Context
from dbk_local._driver._interpreter import Interpreter
from dbk_local._driver._mounts import VOLUMES
from dbk_local._driver._notebook_runs import NotebookRuns
from dbk_local._driver._spark_home import environment_for, find_spark, kind_of_spark
from dbk_local._driver._spark_link import SparkLink, SparkUse
from dbk_local._driver._wire import truth_to_json
from dbk_local._seam import DriverDied, Truth

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
        self.contexts: dict[str, Context] = {}
        self.mounted = False
        """Contexts see `/dbfs` and the like; else these paths are absent."""
        self._stopping = False
        self._dying: asyncio.Task[None] | None = None
        self.zygote = Zygote(self._is_lost)
        self.spark = SparkLink(self.zygote, truth, folder / "spark", self._is_lost)

    async def start(self) -> None:
        truth = self.truth
        roots = (truth.local_disk, truth.dbfs_root, truth.volumes_root, truth.workspace_root)
        for folder in (self.folder, self._cwd, *roots):
            folder.mkdir(parents=True, exist_ok=True)
        environment = environment_for(find_spark(truth.runtime, os.environ), _environment())
        try:
            self.mounted = await self.zygote.start(
                Setting(self.folder, self._cwd, environment, self._modules(), self._places())
            )
        except DriverDied:
            await self.stop()
            raise

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
            VOLUMES: truth.volumes_root,
            "/Workspace": truth.workspace_root,
            WORKING_DIRECTORY: self._cwd,
            LOCAL_DISK: truth.local_disk,
        }
        if truth.dbfs_fuse and truth.dbfs_enabled and truth.access_mode != "standard":
            places["/dbfs"] = truth.dbfs_root
        return {place: str(folder.absolute()) for place, folder in places.items()}

    def _is_lost(self) -> None:
        self._die_soon("The spark driver has stopped unexpectedly and is restarting.")

    def _die_soon(self, reason: str) -> None:
        if not self._stopping:
            self._stopping = True
            self.zygote.give_up()
            self._dying = asyncio.create_task(self._die(f"{reason} Your notebook will be automatically reattached."))

    async def _die(self, reason: str) -> None:
        await self._end_processes()
        if self.on_death is not None:
            self.on_death(reason)

    async def create_context(self, context_id: str, language: str) -> Context:  # noqa: ARG002 - each command names its own
        context = self._context(context_id, {})
        await context.start()
        self.contexts[context_id] = context
        return context

    async def _open_notebook(self, path: str, widgets: dict[str, str]) -> Context:
        """A context that no client knows: whoever asked for it ends it."""
        context = self._context(f"notebook-{secrets.token_hex(8)}", {"path": path, "widgets": widgets})
        await context.start()
        return context

    def _context(self, context_id: str, notebook: dict[str, Any]) -> Context:
        return Context(context_id, functools.partial(self._interpreter, notebook), self.zygote.died, self._forget)

    def _interpreter(self, notebook: dict[str, Any], environment: str) -> Interpreter:
        spec = {**self._spec(environment), "notebook": notebook}
        return Interpreter(self.zygote, spec, self.spark, self._answer, NotebookRuns(self._open_notebook))

    def _spec(self, environment: str) -> dict[str, Any]:
        """What a forked interpreter needs to know; a new private folder each time."""
        home = self.folder.absolute() / "contexts" / secrets.token_hex(8)
        truth = truth_to_json(self.truth)
        disk, cwd = Path(LOCAL_DISK), Path(WORKING_DIRECTORY)
        if not self.mounted:
            disk, cwd = self.truth.local_disk.absolute(), self._cwd
        seen = str(disk / ENVIRONMENTS / environment)
        return {"truth": truth, "home": str(home), "environment": seen, "cwd": str(cwd)}

    async def _forget(self, context_id: str, environment: str) -> None:
        """A context is gone, and what `%pip` has installed for it goes too."""
        self.contexts.pop(context_id, None)
        folder = self.truth.local_disk / ENVIRONMENTS / environment
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def show_volume(self, name: str) -> None:
        place = Path(*name.split("."))
        await self.zygote.bind(str(self.truth.volumes_root.absolute() / place), str(Path(VOLUMES) / place))

    async def stream_active(self, context_id: str) -> bool:
        context = self.contexts.get(context_id)
        return context is not None and await context.stream_active()

    async def _answer(self, question: dict[str, Any], spark: SparkUse) -> dict[str, Any]:
        """What a context wants to know; raises `SparkFailed` with a reason why not."""
        if question["op"] == "spark":
            return await spark.attach()
        if question["op"] == "spark-stopped":
            self._die_soon("The spark context has stopped and the driver is restarting.")
        return {}

    async def stop(self) -> None:
        self._stopping = True
        self.zygote.close()
        if self._dying is not None:
            await self._dying
        await self._end_processes()

    async def _end_processes(self) -> None:
        await asyncio.gather(*(context.destroy() for context in list(self.contexts.values())))
        await self.spark.stop()
        await self.zygote.stop()
        for private in ("contexts", "spark"):
            await asyncio.to_thread(shutil.rmtree, self.folder / private, ignore_errors=True)


def _environment() -> dict[str, str]:
    """What the driver inherits: nothing that tells how the person running the workspace logs in elsewhere."""
    foreign = ("DATABRICKS_", "DBK_", "JPY_", "JUPYTER", "PYTEST_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
