"""What comes with a cell and has to be done before it, by name: `dbk_sync` registers "sync", say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .content import clean, error_content
from .core import Core
from .runs import Run
from .tracebacks import without_agent

Handler = Callable[[Any], Any]


class Attachments:
    """The registered handlers."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._handlers: dict[str, Handler] = {}

    def register(self, name: str, handler: Handler) -> None:
        """Hand payloads called `name` to `handler`; a later registration replaces an earlier one."""
        self._handlers[name] = handler

    def names(self) -> list[str]:
        """All registered names."""
        return sorted(self._handlers)

    def inherit(self, other: Attachments) -> None:
        """Take over the handlers of the agent that this one replaces."""
        self._handlers.update(other._handlers)

    def handle(self, name: str, payload: Any) -> Any:
        """What the handler answers; it may print, but nobody hears it.

        Raises:
            LookupError: No handler has this name.
            Exception: Whatever the handler raises.
        """
        if name not in self._handlers:
            raise LookupError(f"nothing on the driver handles the attachment {name!r}")
        with self._core.runs.attributed(self._core.runs.nowhere):
            return clean(self._handlers[name](payload))

    def begin(self, run: Run) -> None:
        """Handle all that came with the run; at the first failure the run is blocked."""
        for name, payload in (run.trailer.get("attachments") or {}).items():
            try:
                reply = self.handle(name, payload)
            except BaseException as error:  # an interrupt stops the cell as well
                content = error_content(type(error), error, self._lines(error))
                self._core.scribe.put(run, "attachment", name=name, error=content)
                self._core.scribe.put(run, "error", **content)
                run.fail(content)
                run.blocked = True
                return
            self._core.scribe.put(run, "attachment", name=name, reply=reply)

    def end(self, run: Run) -> None:
        """Nothing is left to do."""

    def _lines(self, error: BaseException) -> list[str]:
        formatter = self._core.shell.InteractiveTB
        try:
            tb = without_agent(error, error.__traceback__)
            return list(formatter.structured_traceback(type(error), error, tb, tb_offset=0))
        except Exception:
            return [f"{type(error).__name__}: {error}"]
