"""Commands of the client's own (operations, the bootstrap): nothing of them may be seen in the user's session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .core import Core
from .history import Mark, unfile

_CALL = f'__import__("{wire.AGENT}").call('


class Traceless:
    """Notices such a command when it begins, and wipes it away when it ends."""

    def __init__(self, core: Core, installing: str) -> None:
        self._core = core
        self._shell = core.shell
        # How the command begins that runs just now and installs the agent.
        self._bootstrap = installing
        self._installing = bool(installing)
        self.active = self._installing
        self._mark: Mark | None = None
        self._at_end: Callable[[], None] | None = None
        self._host_callbacks = {name: list(calls) for name, calls in core.shell.events.callbacks.items()}

    def is_helper(self, text: str) -> bool:
        """Whether a cell is the client's own."""
        return text.startswith(_CALL) or bool(self._bootstrap and text.startswith(self._bootstrap))

    def begin(self, at_end: Callable[[], None] | None = None) -> None:
        """From here on, until the cell ends, nothing leaves a trace."""
        if not self.active:
            self._mark = Mark.of(self._shell)
        self.active = True
        self._at_end = at_end

    def trigger(self, event: str, *args: Any, **kwargs: Any) -> None:
        """An event of such a command goes only to what the host had registered before the agent came."""
        for callback in self._host_callbacks.get(event, []):
            if callback in self._shell.events.callbacks.get(event, []):
                name = f"a callback of {event}"
                self._core.seams.attempt(name, partial(callback, *args, **kwargs))
        if event == "post_run_cell":
            self._end(args[0] if args else None)

    def _end(self, result: Any) -> None:
        self.active = False
        if self._installing:
            self._installing = False
            unfile(self._shell, self._bootstrap)
            count = getattr(result, "execution_count", None)
            if count is not None:
                self._shell.execution_count = count
        elif self._mark is not None:
            self._mark.restore(self._shell)
        at_end, self._at_end = self._at_end, None
        if at_end is not None:
            at_end()
