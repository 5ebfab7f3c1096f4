"""One context as the server sees it: the same for clients while interpreters come and go below it."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import uuid
from collections.abc import Awaitable, Callable

from dbk_local._driver._interpreter import Interpreter
from dbk_local._driver._outcome import cancelled_results, outcome, restarting_results, unsupported_results
from dbk_local._driver._pipe import CappedText
from dbk_local._driver._redaction import redacted
from dbk_local._driver._wire import truth_to_json
from dbk_local._seam import ContextDied, DriverDied, Outcome, Truth


class Context:
    """A `ContextHandle`; see `dbk_local._seam` for the promises.

    Args:
        context_id: its id.
        new_interpreter: makes one that uses the environment of the given name; not started yet.
        driver_died: set when the whole driver has died.
        forget: called with the id and the name of the environment when all is over.
    """

    def __init__(
        self,
        context_id: str,
        new_interpreter: Callable[[str], Interpreter],
        driver_died: asyncio.Event,
        forget: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self.context_id = context_id
        self._new_interpreter = new_interpreter
        self._driver_died = driver_died
        self._forget = forget
        self.pid = 0
        self.on_death: Callable[[str], None] | None = None
        self._interpreter: Interpreter
        self._watching: asyncio.Task[None]
        self._restarting: asyncio.Task[None] | None = None
        self._destroyed = False
        self._restarted = False
        self._running = ""
        self._interrupted = False
        self._output_cap_mb: int | None = None
        self._secrets: set[str] = set()
        self._environment = f"pythonEnv-{uuid.uuid4()}"

    async def start(self) -> None:
        """Start a (new) interpreter; raises what `Interpreter.start` raises."""
        interpreter = self._new_interpreter(self._environment)
        await interpreter.start()
        self._interpreter, self.pid = interpreter, interpreter.pid
        self._watching = asyncio.create_task(self._watch(interpreter))

    async def _watch(self, interpreter: Interpreter) -> None:
        await interpreter.ended.wait()
        if interpreter.is_expected_to_end:
            return
        reason = await interpreter.how_it_ended()
        ours = not interpreter.is_expected_to_end and not self._driver_died.is_set()
        if ours and self.on_death is not None:
            self.on_death(reason)

    async def run(self, command_id: str, language: str, text: str, truth: Truth) -> Outcome:
        if self._restarted:
            self._restarted = False
            if truth.restart_error_once:
                return Outcome(restarting_results())
        if language not in ("python", "sql"):
            return Outcome(unsupported_results(language))
        marker = f"\x1e{secrets.token_hex(16)}\x1e"
        cap_chars = truth.text_cap_chars if self._output_cap_mb is None else self._output_cap_mb * 1_000_000
        written = self._interpreter.pipe.begin(marker.encode(), CappedText(cap_chars, truth.truncation))
        group = f"{self.context_id}_{command_id}"
        request = {"t": "run", "language": language, "text": text, "group": group, "marker": marker}
        self._interrupted, self._running = False, marker
        try:
            reply = await self._interpreter.ask({**request, "truth": truth_to_json(truth)})
        finally:
            self._running = ""
        if reply is None:
            raise await self._death()
        self._output_cap_mb = reply["output_cap_mb"]
        self._secrets.update(reply["secrets"])
        output = await written
        if self._interrupted:
            return Outcome(cancelled_results())
        if reply["restart"]:
            # Whoever waits here may be cancelled; half a start would leave a process that nobody knows.
            self._restarting = asyncio.create_task(self._restart())
            await asyncio.shield(self._restarting)
        told = outcome(reply, output, truth)
        return dataclasses.replace(told, results=redacted(told.results, self._secrets))

    async def stream_active(self) -> bool:
        """A structured stream of this context runs."""
        return await self._interpreter.spark.streams_are_active()

    async def _death(self) -> Exception:
        reason = "the context was destroyed while the command ran"
        if not self._destroyed:
            reason = await self._interpreter.how_it_ended()
        if self._driver_died.is_set():
            return DriverDied("the driver died while the command ran")
        return ContextDied(reason)

    async def _restart(self) -> None:
        await self._interpreter.kill()
        if self._destroyed:
            raise await self._death()
        await self.start()
        self._restarted = True
        if self._destroyed:
            await self._interpreter.kill()

    async def cancel(self) -> None:
        interpreter, running = self._interpreter, self._running
        if not running:
            return
        await interpreter.started.wait()
        # At each pause it may have ended and the next one begun, which nobody has cancelled.
        if self._running == running:
            await interpreter.spark.cancel()
        if self._running == running:
            # Cancelled from here on, even when the code swallows the signal or is about to end by itself.
            self._interrupted = True
            interpreter.interrupt()
            # The one that it waits for is ended by the interrupt, those of its threads are not.
            await interpreter.notebooks.stop()

    async def destroy(self) -> None:
        self._destroyed = True
        if self._restarting is not None:
            await asyncio.wait([self._restarting])
        await self._interpreter.kill()
        await self._watching
        await self._forget(self.context_id, self._environment)
