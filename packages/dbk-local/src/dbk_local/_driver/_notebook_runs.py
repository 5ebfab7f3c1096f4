"""Notebooks that an interpreter runs by `dbutils.notebook.run`, each in a context of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from dbk_local._driver._notebook_source import NotebookNotFound, NotebookUnsuitable, cells_of
from dbk_local._driver._wire import truth_from_json
from dbk_local._seam import ContextDied, ContextHandle, DriverDied, ReplStartFailed

# The text is from memory of what users report; the exception's name is documented.
_NOT_FOUND = (
    'FAILED: Unable to access the notebook "{path}". Either it does not exist, or the identity used to run this job, '
    "{user}, lacks the required permissions."
)
_FAILED = "FAILED: Workload failed, see run output for details"
_TIMED_OUT = "TIMED_OUT: Timed out after {timeout_s:g} seconds"

OpenContext = Callable[[str, dict[str, str]], Awaitable[ContextHandle]]
"""Starts a context for the notebook at a path, with the given widgets."""


class NotebookRuns:
    """The runs of one interpreter; they end with it."""

    def __init__(self, open_context: OpenContext) -> None:
        self._open = open_context
        self._runs: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answer `notebook-start`, `notebook-state` (`{"state": None}` while it runs) and `notebook-stop`."""
        run = question["run"]
        if question["op"] == "notebook-start":
            self._runs[run] = asyncio.create_task(self._within_time(question))
        elif question["op"] == "notebook-stop":
            await self._stop(run)
        elif run not in self._runs:
            return {"state": {"failure": "CANCELED", "cause": ""}}
        elif self._runs[run].done():
            return {"state": self._runs[run].result()}
        return {"state": None}

    async def stop(self) -> None:
        """End all of them. Idempotent."""
        await asyncio.gather(*(self._stop(run) for run in list(self._runs)))

    async def _stop(self, run: str) -> None:
        task = self._runs.pop(run, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _within_time(self, question: dict[str, Any]) -> dict[str, Any]:
        timeout_s = question["timeout_s"]
        try:
            return await asyncio.wait_for(self._run(question), timeout_s if timeout_s > 0 else None)
        except TimeoutError:
            return {"failure": _TIMED_OUT.format(timeout_s=timeout_s), "cause": ""}
        except NotebookNotFound as error:
            user = question["truth"]["user_name"]
            return {"failure": _NOT_FOUND.format(path=error, user=user), "cause": ""}
        except (NotebookUnsuitable, ContextDied, DriverDied, ReplStartFailed, OSError) as error:
            return {"failure": _FAILED, "cause": str(error)}

    async def _run(self, question: dict[str, Any]) -> dict[str, Any]:
        truth = truth_from_json(question["truth"])
        cells = await asyncio.to_thread(lambda: list(cells_of(truth.workspace_root, question["path"])))
        context = await self._open(question["path"], question["widgets"])
        try:
            for number, cell in enumerate(cells):
                outcome = await context.run(str(number), cell.language, cell.text, truth)
                if outcome.exit_value is not None:
                    return {"value": outcome.exit_value}
                if outcome.results["resultType"] == "error":
                    return {"failure": _FAILED, "cause": outcome.results["cause"]}
            return {"value": None}
        finally:
            await context.destroy()
