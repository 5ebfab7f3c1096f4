"""Asyncio tasks that a run has made and that go on after it: they may still write."""

from __future__ import annotations

import asyncio
from typing import Any

from .core import Core
from .runs import Run


class Tasks:
    """Knows which tasks were there before a run, so that those which it made can be told from the host's own."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._before: set[asyncio.Task[Any]] = set()

    def begin(self, run: Run) -> None:  # noqa: ARG002 - see `Around`
        """Before the first statement."""
        self._before = _pending()

    def end(self, run: Run) -> None:
        """After the last statement."""

    def alive(self, run: Run) -> int:
        """How many tasks that the run has made are not done yet; asked at its end."""
        return sum(self._is_of(task, run) for task in _pending() - self._before)

    def _is_of(self, task: asyncio.Task[Any], run: Run) -> bool:
        # A task runs in the context that it was made in. Python 3.11 does not tell it: there, being new has to do.
        context = getattr(task, "get_context", None)
        return context is None or self._core.runs.owner_in(context()) is run


def _pending() -> set[asyncio.Task[Any]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:  # no event loop runs here
        return set()
