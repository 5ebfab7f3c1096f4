"""`AsyncSession` and `AsyncCommand`: the same names as `Session` and `Command`, to be awaited.

The work is done by the same threads; nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from dbk_session._command import Command
from dbk_session._events import Event, InputRequest
from dbk_session._introspection import Completeness, Completion, Inspection
from dbk_session._results import CommandResult
from dbk_session._session import Session

__all__ = ["AsyncCommand", "AsyncSession"]


class AsyncCommand:
    """A command that was handed to an `AsyncSession`; see `Command`."""

    def __init__(self, command: Command) -> None:
        self._command = command

    @property
    def run_id(self) -> str:
        """See `Command.run_id`."""
        return self._command.run_id

    @property
    def state(self) -> str:
        """See `Command.state`."""
        return self._command.state

    @property
    def done(self) -> bool:
        """See `Command.done`."""
        return self._command.done

    async def events(self) -> AsyncIterator[Event]:
        """See `Command.events`."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()

        def put(event: Event | None) -> None:
            # The loop may be closed by somebody who left early; then nobody reads any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, event)

        def read() -> None:
            try:
                for event in self._command.events():
                    put(event)
            finally:
                put(None)

        reading = loop.run_in_executor(None, read)
        while (event := await queue.get()) is not None:
            yield event
        await reading

    async def result(self, timeout_s: float | None = None) -> CommandResult:
        """See `Command.result`."""
        return await asyncio.to_thread(self._command.result, timeout_s)

    async def cancel(self) -> None:
        """See `Command.cancel`."""
        await asyncio.to_thread(self._command.cancel)

    async def answer(self, text: str | None) -> None:
        """See `Command.answer`."""
        await asyncio.to_thread(self._command.answer, text)


class AsyncSession:
    """A `Session` for `async with`. Arguments and errors are those of `Session`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._session = Session(*arguments, **options)

    @classmethod
    async def attach(cls, name: str, *arguments: Any, **options: Any) -> AsyncSession:
        """See `Session.attach`."""
        found = cls.__new__(cls)
        found._session = await asyncio.to_thread(Session.attach, name, *arguments, **options)
        return found

    @property
    def state(self) -> str:
        """See `Session.state`."""
        return self._session.state

    @property
    def channel(self) -> str | None:
        """See `Session.channel`."""
        return self._session.channel

    @property
    def context_id(self) -> str | None:
        """See `Session.context_id`."""
        return self._session.context_id

    @property
    def host(self) -> str:
        """See `Session.host`."""
        return self._session.host

    @property
    def cluster_id(self) -> str:
        """See `Session.cluster_id`."""
        return self._session.cluster_id

    async def cluster(self) -> dict[str, str]:
        """See `Session.cluster`."""
        return await asyncio.to_thread(self._session.cluster)

    @property
    def attached(self) -> AsyncCommand | None:
        """See `Session.attached`."""
        command = self._session.attached
        return AsyncCommand(command) if command is not None else None

    @property
    def current(self) -> AsyncCommand | None:
        """See `Session.current`."""
        command = self._session.current
        return AsyncCommand(command) if command is not None else None

    async def start(self, code: str, **options: Any) -> AsyncCommand:
        """See `Session.start`."""
        return AsyncCommand(self._session.start(code, **options))

    async def run(
        self,
        code: str,
        *,
        answer: Callable[[InputRequest], Awaitable[str]] | None = None,
        **options: Any,
    ) -> CommandResult:
        """See `Session.run`. When the task is cancelled, so is the command on the cluster."""
        command = await self.start(code, **{"allow_stdin": answer is not None, **options})
        try:
            async for event in command.events():
                if answer is not None and isinstance(event, InputRequest):
                    await command.answer(await answer(event))
        except asyncio.CancelledError:
            await asyncio.shield(command.cancel())
            raise
        return await command.result()

    async def stream(self, code: str, **options: Any) -> AsyncIterator[Event]:
        """See `Session.stream`."""
        command = await self.start(code, **options)
        async for event in command.events():
            yield event

    async def cancel(self) -> None:
        """See `Session.cancel`."""
        await asyncio.to_thread(self._session.cancel)

    async def call(self, code: str) -> str:
        """See `Session.call`."""
        return await asyncio.to_thread(self._session.call, code)

    async def farewell(self, code: str) -> None:
        """See `Session.farewell`."""
        await asyncio.to_thread(self._session.farewell, code)

    async def complete(self, code: str, pos: int | None = None) -> Completion:
        """See `Session.complete`."""
        return await asyncio.to_thread(self._session.complete, code, pos)

    async def inspect(self, code: str, pos: int | None = None, detail: int = 0) -> Inspection:
        """See `Session.inspect`."""
        return await asyncio.to_thread(self._session.inspect, code, pos, detail)

    async def is_complete(self, code: str) -> Completeness:
        """See `Session.is_complete`."""
        return await asyncio.to_thread(self._session.is_complete, code)

    async def comm(
        self, msg_type: str, content: Mapping[str, Any], buffers: Sequence[bytes] = (), **options: Any
    ) -> None:
        """See `Session.comm`."""
        await asyncio.to_thread(lambda: self._session.comm(msg_type, content, buffers, **options))

    async def restart(self) -> None:
        """See `Session.restart`."""
        await asyncio.to_thread(self._session.restart)

    async def detach(self) -> str:
        """See `Session.detach`."""
        return await asyncio.to_thread(self._session.detach)

    async def close(self) -> None:
        """See `Session.close`."""
        await asyncio.to_thread(self._session.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
