"""The execution contexts of one cluster: queues, least-recently-used eviction, results that stay readable."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import _commands
from ._clock import Clock
from ._commands import CANCELLING, Command
from ._options import Options
from ._seam import ContextDied, ContextHandle, DriverDied, DriverProcess, ReplStartFailed, Truth

KEPT_RESULTS = 2_000
"""Finished commands that stay readable per cluster; how long a real workspace keeps them is not known (U4)."""
KEPT_RESULT_CHARS = 300_000_000
"""Bound on their text results, all together."""


class ContextLimit(Exception):
    """The cluster has as many contexts as it can have, and none of them is idle."""


@dataclass
class Context:
    """One execution context. `status` is `Pending`, `Running` or `Error`."""

    id: str
    language: str
    created_s: float
    last_used_s: float
    status: str = "Pending"
    handle: ContextHandle | None = None
    running: Command | None = None
    waiting: deque[Command] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    failure: str = ""
    dropped: bool = False

    @property
    def is_busy(self) -> bool:
        """True while a command runs or waits."""
        return self.running is not None or bool(self.waiting)


class Contexts:
    """All contexts of a running cluster; `driver` gives the interpreters, `commands` is where results stay readable.

    `ready` ends when the driver is up: until then contexts are `Pending` and their commands wait.
    """

    def __init__(
        self,
        driver: DriverProcess,
        clock: Clock,
        options: Callable[[], Options],
        truth: Callable[[], Truth],
        commands: dict[str, Command],
        ready: asyncio.Task[None],
    ) -> None:
        self.ready = ready
        self._driver = driver
        self._clock = clock
        self._options = options
        self._truth = truth
        self._live: dict[str, Context] = {}
        self._commands = commands
        self._random = random.SystemRandom()
        self._chores: set[asyncio.Task[Any]] = set()
        self.last_activity_s = clock.now_s()

    def __iter__(self) -> Any:
        return iter(self._live.values())

    def get(self, context_id: str) -> Context | None:
        """A live context."""
        return self._live.get(context_id)

    @property
    def is_busy(self) -> bool:
        """True while any command runs or waits."""
        return any(context.is_busy for context in self._live.values())

    async def create(self, language: str) -> Context:
        """A new context, `Pending`; at the limit the least recently used idle one goes first.

        Raises:
            ContextLimit: all contexts are busy.
        """
        while len(self._live) >= self._options().context_limit:
            await self.destroy((await self._evictable()).id)
        now_s = self._clock.now_s()
        # 19 digits, more than JavaScript can count to: clients must treat it as text.
        context = Context(str(self._random.randrange(10**18, 9 * 10**18)), language, now_s, now_s)
        self._live[context.id] = context
        self.last_activity_s = now_s
        context.task = asyncio.get_running_loop().create_task(self._serve(context))
        return context

    async def _evictable(self) -> Context:
        idle_since_s = self._clock.now_s() - self._options().context_idle_s
        idle = [
            c for c in self._live.values() if not c.is_busy and c.status != "Pending" and c.last_used_s <= idle_since_s
        ]
        for context in sorted(idle, key=lambda c: c.last_used_s):
            if not await self._driver.stream_active(context.id):
                return context
        raise ContextLimit

    def execute(self, context: Context, language: str, text: str) -> Command:
        """Queue a command."""
        command = Command(uuid.uuid4().hex, context.id, language, text, self._clock.unix_s())
        command.forced_end = self._options().cancel_final
        self._commands[command.id] = command
        self._forget_old()
        self.last_activity_s = context.last_used_s = self._clock.now_s()
        if context.status == "Error":
            command.step("lose")
            command.results = _commands.start_failed(context.failure)
            return command
        context.waiting.append(command)
        context.wake.set()
        return command

    def cancel(self, command: Command) -> None:
        """Ask a command to stop; what is final stays as it is."""
        context = self._live.get(command.context_id)
        if not command.step("cancel"):
            return
        if command.status == CANCELLING:
            if context and context.handle and context.running is command:
                self._chore(context.handle.cancel())
            return
        if context and command in context.waiting:
            context.waiting.remove(command)
        self._end(command, _commands.cancelled(self._options().cancel_summary))

    async def runs_behind(self, command: Command) -> bool:
        """True while a structured stream that a finished command started still runs."""
        if command.background and command.context_id in self._live:
            command.background = await self._driver.stream_active(command.context_id)
            return command.background
        return False

    async def destroy(self, context_id: str) -> bool:
        """End a context; what it runs ends with the shutdown error. False when there is none."""
        context = self._live.pop(context_id, None)
        if context is None:
            return False
        self._lose(context, _commands.shut_down(self._options().cancel_summary))
        await self._drop(context)
        return True

    async def close(self, results: dict[str, Any] | None = None) -> None:
        """Lose every context at once; the driver itself is stopped or dead."""
        lost, self._live = list(self._live.values()), {}
        for context in lost:
            self._lose(context, results or _commands.shut_down(self._options().cancel_summary))
        await asyncio.gather(*(self._drop(context) for context in lost), return_exceptions=True)
        for task in list(self._chores):
            task.cancel()

    async def _serve(self, context: Context) -> None:
        """The life of a context: start its interpreter, then run its commands one by one."""
        try:
            started_s = self._clock.now_s()
            await asyncio.shield(self.ready)
            if context.dropped:
                return
            handle = await self._driver.create_context(context.id, context.language)
            context.handle = handle
            if context.dropped:
                await handle.destroy()
                return
            handle.on_death = lambda reason: self._died(context, reason)
            await self._clock.sleep(self._options().context_pending_s - (self._clock.now_s() - started_s))
        except (ReplStartFailed, DriverDied, OSError, TimeoutError) as error:
            self._fail_start(context, str(error))
            return
        context.status = "Running"
        while True:
            while not context.waiting:
                context.wake.clear()
                await context.wake.wait()
            command = context.waiting.popleft()
            if command.step("start"):
                await self._run(context, handle, command)

    def _fail_start(self, context: Context, reason: str) -> None:
        context.status, context.failure = "Error", reason
        self._lose(context, _commands.start_failed(reason))

    async def _run(self, context: Context, handle: ContextHandle, command: Command) -> None:
        context.running = command
        command.started_s = self._clock.unix_s()
        try:
            outcome = await handle.run(command.id, command.language, command.text, self._truth())
        except DriverDied:
            # The driver's own `on_death` loses every context and says why.
            await asyncio.get_running_loop().create_future()
            return
        except ContextDied as error:
            self._died(context, str(error))
            return
        finally:
            if context.running is command:
                context.running = None
            self.last_activity_s = context.last_used_s = self._clock.now_s()
        command.background = outcome.background
        stopped = command.status == CANCELLING
        if command.step("end"):
            summary = self._options().cancel_summary
            self._end(command, _commands.cancelled(summary) if stopped else outcome.results)

    def _died(self, context: Context, reason: str) -> None:
        """An interpreter went by itself (`os._exit`, out of memory): its context is lost, its command failed."""
        if self._live.pop(context.id, None):
            self._lose(context, _commands.failed(f"java.lang.Exception: Python kernel is unresponsive: {reason}"))
            self._chore(self._drop(context))

    def _lose(self, context: Context, results: dict[str, Any]) -> None:
        for command in (*([context.running] if context.running else []), *context.waiting):
            if command.step("lose"):
                self._end(command, results)
        context.waiting.clear()
        context.running = None

    async def _drop(self, context: Context) -> None:
        context.dropped = True
        if not context.handle:
            return  # its interpreter is being started; cancelling that half-way would leave a process nobody knows
        if context.task and context.task is not asyncio.current_task():
            context.task.cancel()
        context.handle.on_death = None
        await context.handle.destroy()

    def _end(self, command: Command, results: dict[str, Any]) -> None:
        command.results = results
        command.ended_s = self._clock.unix_s()

    def _chore(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _forget_old(self) -> None:
        extra = len(self._commands) - KEPT_RESULTS
        size = sum(command.size for command in self._commands.values()) - KEPT_RESULT_CHARS
        for command in [c for c in self._commands.values() if c.is_final]:
            if extra <= 0 and size <= 0:
                return
            del self._commands[command.id]
            extra, size = extra - 1, size - command.size
