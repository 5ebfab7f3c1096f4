"""One cluster over time: its state, its moves and the events it leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from . import _commands
from ._clock import Timer
from ._cluster_driver import ClusterDriver, Surroundings
from ._cluster_states import (
    EVENTS,
    MESSAGES,
    PENDING,
    RESIZING,
    RESTARTING,
    RUNNING,
    TERMINATED,
    TERMINATING,
    USABLE,
    move,
)
from ._commands import Command
from ._contexts import Contexts
from ._replies import ApiError


@dataclass
class Cluster:
    """A cluster. `settings` is what `clusters/create` was given."""

    id: str
    settings: dict[str, Any]
    around: Surroundings = field(repr=False)
    state: str = TERMINATED
    state_message: str = ""
    termination_reason: dict[str, Any] | None = None
    start_ms: int = 0
    terminated_ms: int = 0
    last_restarted_ms: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict, repr=False)
    """Every command whose result is still kept, of live and of lost contexts; a restart forgets them all."""
    pinned: bool = False
    _work: asyncio.Task[None] | None = field(default=None, repr=False)
    _idle: Timer | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.start_ms = self.around.clock.unix_ms()
        self._first_settings = dict(self.settings)
        self._driver = ClusterDriver(self, self.around)
        self.note("CREATING")

    @property
    def contexts(self) -> Contexts | None:
        """The contexts of the present driver; None while there is none."""
        return self._driver.contexts

    @property
    def is_ready(self) -> bool:
        """True when it gives contexts; a RUNNING cluster whose driver restarts does not."""
        return self.state in USABLE and self.contexts is not None

    @property
    def is_starting_driver(self) -> bool:
        """True while a RUNNING cluster has no driver."""
        return self.state in USABLE and self.contexts is None

    def unexpected(self) -> ApiError:
        """What every action answers that the state does not allow."""
        message = f"Cluster {self.id} is in unexpected state {self.state.title()}."
        reason = "CM_API_ERROR_SOURCE_CALLER_ERROR"
        return ApiError(400, "INVALID_STATE", message, reason=reason)

    def start(self) -> None:
        """TERMINATED -> PENDING -> RUNNING; the documentation's no-op on a running one is an error in reality (C4)."""
        if self.state != TERMINATED:
            raise self.unexpected()
        self.termination_reason = None
        self.start_ms = self.around.clock.unix_ms()
        self._enter(PENDING)
        self._begin(self._come_up(self.around.options().start_s))

    def run_at_once(self) -> None:
        """TERMINATED -> RUNNING without a wait; contexts stay `Pending` until the driver is up."""
        self.termination_reason = None
        self._enter(PENDING)
        self._enter(RUNNING)
        self._driver.start()
        self._watch_idle()

    def restart(self) -> None:
        """RUNNING -> RESTARTING -> RUNNING: every context is gone and its id with it."""
        if self.state != RUNNING:
            raise self.unexpected()
        self._enter(RESTARTING)
        self._begin(self._again(self.around.options().restart_s))

    def terminate(self, code: str = "USER_REQUEST", kind: str = "SUCCESS", **parameters: str) -> None:
        """Any state -> TERMINATING -> TERMINATED; nothing happens to a cluster that is on its way there."""
        if self.state in (TERMINATING, TERMINATED):
            return
        self.termination_reason = {"code": code, "type": kind, "parameters": parameters}
        self._enter(TERMINATING, reason=self.termination_reason)
        self._begin(self._go_down(self.around.options().terminate_s))

    def resize(self, workers: int, lasts_s: float = 0.0) -> None:
        """RUNNING -> RESIZING -> RUNNING; contexts live on."""
        if self.state != RUNNING:
            raise ApiError(
                400, "INVALID_STATE", f"Cluster {self.id} is not running. Current state is {self.state.title()}."
            )
        self.settings["num_workers"] = workers
        self._enter(RESIZING)
        self._begin(self._resized(lasts_s))

    def crash(self, reason: str = "DRIVER_UNREACHABLE") -> None:
        """The driver dies by itself; the cluster stays RUNNING and starts another."""
        if self._driver.is_there:
            self.driver_died(reason)

    async def reset(self, running: bool) -> None:
        """Whatever it does, bring it to RUNNING or TERMINATED, with its first settings and no contexts."""
        self.settings = dict(self._first_settings)
        self.start_ms = self.around.clock.unix_ms()
        self.last_restarted_ms = 0
        self.events.clear()
        self.note("CREATING")
        if (self._work and not self._work.done()) or (self.state != TERMINATED and self.contexts is None):
            await self.close()
            self.state, self.state_message = TERMINATED, ""
        if self.contexts and running:
            await self.contexts.close()
        elif running:
            self.run_at_once()
        else:
            self.terminate()
        await self.settle()
        self.commands.clear()

    async def settle(self) -> None:
        """Wait until the move that is under way is over."""
        while self._work and not self._work.done():
            await asyncio.wait([self._work])

    async def close(self) -> None:
        """End everything, at once."""
        if self._work:
            self._work.cancel()
            await asyncio.wait([self._work])
        await self._stop_driver()
        await self._driver.ended()

    def describe(self) -> dict[str, Any]:
        """The cluster as `clusters/get` shows it."""
        known: dict[str, Any] = {
            **self.settings,
            "cluster_id": self.id,
            "state": self.state,
            "state_message": self.state_message,
            "start_time": self.start_ms,
            "last_restarted_time": self.last_restarted_ms or self.start_ms,
            "last_state_loss_time": self.last_restarted_ms,
            "cluster_memory_mb": 16384,
            "cluster_cores": 4.0,
        }
        if self.state in (TERMINATING, TERMINATED):
            known["termination_reason"] = self.termination_reason or {"code": "USER_REQUEST", "type": "SUCCESS"}
        if self.state == TERMINATED:
            known["terminated_time"] = self.terminated_ms or self.start_ms
        if self.state in USABLE:
            known["driver"] = {"host_private_ip": "127.0.0.1", "private_ip": "127.0.0.1", "node_id": "local"}
            known["spark_context_id"] = self.last_restarted_ms or self.start_ms
        return known

    # -- moves ---------------------------------------------------------------------------------------------------

    def _enter(self, state: str, **details: Any) -> None:
        self.state = move(self.state, state)
        self.state_message = MESSAGES.get(state, "")
        if event := EVENTS.get(state):
            self.note(event, **details)

    def _begin(self, work: Any) -> None:
        before, self._work = self._work, None
        if before:
            before.cancel()
        self._work = asyncio.get_running_loop().create_task(self._after(before, work))

    @staticmethod
    async def _after(before: asyncio.Task[None] | None, work: Any) -> None:
        try:
            if before:
                await asyncio.wait([before])
        finally:
            # Cancelled while it waits: the coroutine must still be closed, or Python warns that it never ran.
            if (task := asyncio.current_task()) and task.cancelling():
                work.close()
        await work

    async def _come_up(self, lasts_s: float) -> None:
        began_s = self.around.clock.now_s()
        if not await self._driver.open():
            return
        await self.around.clock.sleep(lasts_s - (self.around.clock.now_s() - began_s))
        self._enter(RUNNING)
        self._settle_down()

    def _settle_down(self) -> None:
        """Idleness counts from here, however long the start took."""
        self.note("DRIVER_HEALTHY")
        if self.contexts:
            self.contexts.last_activity_s = self.around.clock.now_s()
        self._watch_idle()

    async def _again(self, lasts_s: float) -> None:
        await self._stop_driver()
        self.commands.clear()
        await self._come_up(lasts_s)
        self.last_restarted_ms = self.around.clock.unix_ms()

    async def _go_down(self, lasts_s: float) -> None:
        began_s = self.around.clock.now_s()
        await self._stop_driver()
        self.commands.clear()
        await self.around.clock.sleep(lasts_s - (self.around.clock.now_s() - began_s))
        self._enter(TERMINATED)
        self.terminated_ms = self.around.clock.unix_ms()

    async def _resized(self, lasts_s: float) -> None:
        await self.around.clock.sleep(lasts_s)
        self._enter(RUNNING)
        self.note("UPSIZE_COMPLETED")

    # -- the driver ----------------------------------------------------------------------------------------------

    def driver_did_not_start(self, reason: str) -> None:
        """The cluster terminates, and says why as a cluster does."""
        self.terminate("DRIVER_UNREACHABLE", "SERVICE_FAULT", databricks_error_message=reason)

    def driver_died(self, reason: str) -> None:
        """The cluster goes on with another driver."""
        self._begin(self._lose_driver(reason))

    async def show_volume(self, name: str) -> None:
        """Have contexts see a new volume."""
        await self._driver.show_volume(name)

    async def _stop_driver(self, results: dict[str, Any] | None = None) -> None:
        if self._idle:
            self._idle.cancel()
        await self._driver.stop(results)

    async def _lose_driver(self, reason: str) -> None:
        self.note("DRIVER_NOT_RESPONDING", reason={"code": "DRIVER_UNREACHABLE", "parameters": {"detail": reason}})
        await self._stop_driver(_commands.failed(_commands.DRIVER_STOPPED))
        await self.around.clock.sleep(self.around.options().driver_restart_s)
        if await self._driver.open():
            self._settle_down()

    # -- idle ----------------------------------------------------------------------------------------------------

    def _watch_idle(self) -> None:
        minutes = self.settings.get("autotermination_minutes", 0)
        if minutes and self.contexts:
            due_s = self.contexts.last_activity_s + 60 * minutes
            self._idle = self.around.clock.later(due_s - self.around.clock.now_s(), self._check_idle)

    def _check_idle(self) -> None:
        """A context that merely exists does not keep its cluster; a command that runs does."""
        contexts, minutes = self.contexts, self.settings.get("autotermination_minutes", 0)
        if not contexts or self.state != RUNNING:
            return
        if not contexts.is_busy and self.around.clock.now_s() - contexts.last_activity_s >= 60 * minutes:
            self.terminate("INACTIVITY", "SUCCESS", inactivity_duration_min=str(minutes))
        elif contexts.is_busy:
            self._idle = self.around.clock.later(60.0, self._check_idle)
        else:
            self._watch_idle()

    def note(self, kind: str, **details: Any) -> None:
        """Add an event, the newest last."""
        when_ms = self.around.clock.unix_ms()
        self.events.append({"cluster_id": self.id, "timestamp": when_ms, "type": kind, "details": details})
