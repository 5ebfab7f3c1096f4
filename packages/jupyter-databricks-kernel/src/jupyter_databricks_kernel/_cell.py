"""One request from the front end while it runs: events in, messages and the reply out. Lives on the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dbk_session import (
    Blocked,
    Comm,
    ContextLost,
    Event,
    ExecuteResult,
    Failure,
    Finished,
    InputRequest,
    Outage,
    RunEvent,
    SparkProgress,
    Started,
)
from dbk_session.errors import ContextLostError

from jupyter_databricks_kernel._failure import failure, keyboard_interrupt
from jupyter_databricks_kernel._phases import BLOCKED, outage_phase, spark_phase
from jupyter_databricks_kernel._progress import Message, Phase, Progress
from jupyter_databricks_kernel._remote import Job, PhaseEntered, Remote
from jupyter_databricks_kernel._render import appends, error_message, render
from jupyter_databricks_kernel._threads import in_thread

__all__ = ["Cell"]

# VS Code offers to restart a kernel that has not answered an interrupt after ten seconds.
GIVE_UP_S = 8.0

Ask = Callable[[str, bool], Awaitable[str | None]]


class Cell:
    """A running request.

    Args:
        job: What runs.
        remote: Where it runs.
        send: Sends a message in the name of the request.
        ask: Asks the front end for a line: prompt, password; None is the end of input.
    """

    def __init__(self, job: Job, remote: Remote, send: Callable[[Message], None], ask: Ask) -> None:
        self.job = job
        self._remote = remote
        self._send = send
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._progress = Progress(f"progress-{job.run_id}", visible=job.request.watched)
        self._timer: asyncio.TimerHandle | None = None
        self._question: asyncio.Task[None] | None = None
        self._given_up: asyncio.Future[None] = self._loop.create_future()
        self._finished: Finished | None = None
        self._lost: ContextLost | None = None
        self._error: dict[str, Any] | None = None
        self._interrupted = False
        self.result_text: str | None = None

    async def run(self) -> dict[str, Any]:
        """Runs the job and gives the content of the `execute_reply`, without the count."""
        work = in_thread(lambda: self._remote.run(self.job), name="cell")
        # What it raises after the interrupted cell was given up is nobody's any more.
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({work, self._given_up}, return_when=asyncio.FIRST_COMPLETED)
        error = work.exception() if work.done() else None
        self._end(error)
        return self._reply()

    def interrupt(self) -> None:
        """Stops the job; the reply follows when it has stopped, or is not waited for any longer."""
        in_thread(lambda: self._remote.cancel(self.job.run_id), name="cancel").add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )
        if not self._interrupted:
            self._interrupted = True
            self._loop.call_later(GIVE_UP_S, self._give_up)
        if self._question is not None:
            self._question.cancel()

    def feed(self, event: Event | PhaseEntered) -> None:
        """Takes an event of the job, or one of the session while the job runs."""
        if not isinstance(event, (Started, Finished)):  # these two may be the end of a cell that went down with it
            self._tell_of_loss()
        match event:
            case ContextLost():
                self._lost = event  # when the cell went down with it, its error says so
            case PhaseEntered(phase=phase):
                self._enter(phase)
            case SparkProgress():
                self._enter(spark_phase(event))
            case Blocked():
                self._enter(BLOCKED)
            case Outage():
                self._enter(outage_phase(event))
            case Started():
                self._enter(None)
            case Finished():
                self._finished = event
            case InputRequest():
                self._question = asyncio.ensure_future(self._answer(event))
            case _:
                self._note(event)
                self._show(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, Failure):
            self._error = {"ename": event.ename, "evalue": event.evalue, "traceback": list(event.traceback)}
        elif isinstance(event, ExecuteResult):
            self.result_text = str(event.data.get("text/plain", ""))

    def _tell_of_loss(self) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            self._show(lost)

    def _show(self, event: Event) -> None:
        message = render(event, execution_count=self.job.count)
        if message is None or (not isinstance(event, RunEvent) and self.job.request.hidden):
            return
        # A widget may take over the cell's output from here on, so nothing can be left for later.
        self._send_all(self._progress.before_output(appends=appends(message) and not isinstance(event, Comm)))
        self._send(message)

    async def _answer(self, event: InputRequest) -> None:
        self._send_all(self._progress.before_output(appends=False))
        text = await self._ask(event.prompt, event.password)
        await in_thread(lambda: self._remote.answer(self.job.run_id, text), name="answer")

    # --- progress ---------------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase | None) -> None:
        if phase is None:
            self._progress.leave()
        else:
            self._send_all(self._progress.enter(phase, self._loop.time()))
        self._schedule()

    def _tick(self) -> None:
        self._timer = None
        self._send_all(self._progress.tick(self._loop.time()))
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._progress.due_s is not None:
            self._timer = self._loop.call_at(self._progress.due_s, self._tick)

    def _send_all(self, messages: list[Message]) -> None:
        for message in messages:
            self._send(message)

    # --- the end ----------------------------------------------------------------------------------------------------

    def _give_up(self) -> None:
        if not self._given_up.done():
            self._given_up.set_result(None)

    def _end(self, error: BaseException | None) -> None:
        """Makes sure that a cell that did not end well says so, once."""
        if self._timer is not None:
            self._timer.cancel()
        if self._question is not None:
            self._question.cancel()
        if self._error is None:
            self._error = self._unseen_error(error)
            self._tell_of_loss()
            if self._error is not None:
                self._send_all(self._progress.before_output(appends=True))
                self._send(error_message(**self._error))
        if self._error is None and self._finished is not None and self._finished.error is not None:
            # IPython has shown it in its own way, as it does with a wrong magic; only the reply is left to tell.
            self._note(self._finished.error)
        self._tell_of_loss()
        self._send_all(self._progress.finish())

    def _unseen_error(self, error: BaseException | None) -> dict[str, Any] | None:
        """What ended the cell, when the code itself has not shown it."""
        status = self._finished.status if self._finished is not None else ""
        reason = self._finished.reason if self._finished is not None else ""
        if self._interrupted and status != "ok":
            stuck = error is None and self._finished is None
            return keyboard_interrupt("the cluster has not stopped the cell yet" if stuck else reason)
        if error is not None:
            return failure(error)
        if status == "cancelled":
            return keyboard_interrupt(reason)
        if status in ("", "lost"):
            self._lost = None
            hint = "Run the cells again that this one needs, then this one: it was not run a second time."
            return failure(ContextLostError(reason or "the interpreter went away", hint))
        return None

    def _reply(self) -> dict[str, Any]:
        finished = self._finished
        payload = [dict(item) for item in finished.payload] if finished is not None else []
        # A traceback may have been shown by code that caught the error (an Output widget does): no failure of the cell.
        if self._error is not None and (finished is None or finished.status != "ok"):
            return {"status": "error", **self._error, "user_expressions": {}, "payload": payload}
        expressions: Mapping[str, Any] = finished.expressions if finished is not None else {}
        return {"status": "ok", "user_expressions": dict(expressions), "payload": payload}
