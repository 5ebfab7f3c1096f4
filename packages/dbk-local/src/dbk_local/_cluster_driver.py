"""The driver of a cluster: started, stopped, lost and replaced while the cluster goes from state to state."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ._clock import Clock
from ._commands import Command
from ._contexts import Contexts
from ._folders import Folders
from ._options import Options
from ._seam import DriverProcess, Truth

STOP_AFTER_S = 20.0
OpenDriver = Callable[[Truth, Path], DriverProcess]


@dataclass(frozen=True)
class Surroundings:
    """What a cluster needs from its workspace."""

    clock: Clock
    folders: Folders
    options: Callable[[], Options]
    open_driver: OpenDriver
    identity: Callable[[], dict[str, Any]]
    """`host`, `api_token`, `workspace_id`, `user_name`: what commands may know about the workspace."""


class Owner(Protocol):
    """The cluster, as its driver sees it."""

    id: str
    settings: dict[str, Any]
    commands: dict[str, Command]

    def driver_did_not_start(self, reason: str) -> None:
        """Whatever kept the driver from starting, the cluster says so as a cluster does."""

    def driver_died(self, reason: str) -> None:
        """The driver has gone by itself."""


class ClusterDriver:
    """The present driver and its contexts, both None while there is no driver."""

    def __init__(self, owner: Owner, around: Surroundings) -> None:
        self._owner = owner
        self._around = around
        self._driver: DriverProcess | None = None
        self._count = 0
        self._endings: set[asyncio.Task[None]] = set()
        self.contexts: Contexts | None = None

    @property
    def is_there(self) -> bool:
        """A driver was started and not stopped; it may still be on its way up."""
        return self._driver is not None

    @property
    def folder(self) -> Path:
        """Where the present driver keeps what must not survive it."""
        return self._around.folders.clusters / self._owner.id / str(self._count)

    def truth(self) -> Truth:
        """What is true for commands of this cluster now."""
        environment = tuple(sorted((self._owner.settings.get("spark_env_vars") or {}).items()))
        own = {"cluster_id": self._owner.id, "spark_env_vars": environment, "local_disk": self.folder / "local_disk0"}
        return self._around.options().truth(self._around.folders, **own, **self._around.identity())

    async def open(self) -> bool:
        """Start one and wait for it; False when it did not come up, which the owner has been told."""
        ready = self.start()
        await asyncio.wait([ready])
        return not ready.cancelled() and ready.exception() is None

    def start(self) -> asyncio.Task[None]:
        """Start one; contexts can be asked for at once, and are `Pending` until the task has ended."""
        self._count += 1
        (self.folder / "local_disk0").mkdir(parents=True, exist_ok=True)
        driver = self._around.open_driver(self.truth(), self.folder)
        self._driver = driver
        driver.on_death = lambda reason: self._died(driver, reason)
        ready = asyncio.get_running_loop().create_task(driver.start())
        ready.add_done_callback(lambda _: self._check_start(driver, ready))
        around = self._around
        self.contexts = Contexts(driver, around.clock, around.options, self.truth, self._owner.commands, ready)
        return ready

    def _check_start(self, driver: DriverProcess, ready: asyncio.Task[None]) -> None:
        error = None if ready.cancelled() else ready.exception()
        if error is not None and driver is self._driver:
            self._owner.driver_did_not_start(str(error))

    def _died(self, driver: DriverProcess, reason: str) -> None:
        if driver is self._driver:
            self._owner.driver_died(reason)

    async def stop(self, results: dict[str, Any] | None = None) -> None:
        """End it and its contexts; commands that ran get `results`, by default those of a shutdown."""
        driver, contexts = self._driver, self.contexts
        self._driver = self.contexts = None
        # A task of its own: a move that is overtaken by another must not leave half a driver behind.
        ending = asyncio.get_running_loop().create_task(self._end(driver, contexts, self.folder, results))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        await asyncio.shield(ending)

    async def show_volume(self, name: str) -> None:
        """Have its contexts see a new volume."""
        if self._driver is not None:
            await self._driver.show_volume(name)

    async def ended(self) -> None:
        """Wait until everything that was stopped is gone."""
        if self._endings:
            await asyncio.wait(self._endings)

    @staticmethod
    async def _end(
        driver: DriverProcess | None, contexts: Contexts | None, folder: Path, results: dict[str, Any] | None
    ) -> None:
        if driver:
            driver.on_death = None
        if contexts:
            await contexts.close(results)
            # A driver is stopped whole or not at all; one that does not come up is not waited for much longer.
            await asyncio.wait([contexts.ready], timeout=STOP_AFTER_S)
        if driver:
            await driver.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
