"""What the client can ask for in the user's context while no cell runs: one operation a command, one frame back."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from .. import cutting, wire  # noqa: TID252 - the package has another name on the driver
from .content import clean, error_content
from .core import Core
from .interlude import Frame
from .tracebacks import without_agent

Operation = Callable[[dict[str, Any]], Any]

PIECE_CHARS = 30_000
_REMEMBERED = 20


class Operations:
    """The operations by name."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._namespaces: dict[str, dict[str, Any]] = {}
        self._operations: dict[str, Operation] = {
            "configure": self._configure,
            "runs": lambda _: {run.id: run.describe() for run in core.runs.kept()},
            "has": self._has,
            "read": self._read,
            "exec": self._exec,
        }

    def add(self, name: str, operation: Operation) -> None:
        """Offer one more operation."""
        self._operations[name] = operation

    def answer(self, request: str) -> str:
        """The frame that answers a request of `wire.call_text`.

        A request with an `id` is done once: the same id again gets the same answer, so that the client may ask again
        when it cannot know whether the first one arrived.
        """
        try:
            op, arguments = wire.parse_call(request)
        except ValueError as error:
            return self._reply("", ok=False, error=self._error(error))
        known = str(arguments.get("id", ""))
        if known and known in self._remembered:
            return self._remembered[known]
        frame = self._do(op, arguments)
        if known:
            self._remembered[known] = frame
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return frame

    def _do(self, op: str, arguments: dict[str, Any]) -> str:
        core = self._core
        try:
            with core.runs.attributed(core.runs.nowhere):
                value = self._operations[op](arguments)
            if isinstance(value, Frame):
                return value
            return self._reply(op, ok=True, value=clean(value))
        except Exception as error:
            return self._reply(op, ok=False, error=self._error(error))

    def _reply(self, op: str, **content: Any) -> str:
        return wire.make_frame({"kind": "reply", "nonce": self._core.nonce, "op": op, **content})

    def _error(self, error: Exception) -> dict[str, Any]:
        tb = without_agent(error, error.__traceback__)
        try:
            lines = self._core.shell.InteractiveTB.structured_traceback(type(error), error, tb, tb_offset=0)
        except Exception:
            lines = []
        return error_content(type(error), error, lines)

    def _configure(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._core.options.update(arguments)
        self._core.journal.budget_bytes = self._core.options.budget_bytes
        return {}

    def _has(self, arguments: dict[str, Any]) -> dict[str, Any]:
        run_id = arguments["run"]
        run = self._core.runs.get(run_id)
        if run is not None:
            return run.describe()
        return {"state": "done" if self._core.runs.was_started(run_id) else "never"}

    def _read(self, arguments: dict[str, Any]) -> dict[str, Any]:
        run = self._core.runs.get(arguments["run"])
        if run is None:
            raise LookupError(f"the records of {arguments['run']!r} are not (or no longer) here")
        self._core.scribe.flush()
        with self._core.journal.opened(run) as file:
            piece = cutting.piece(file, arguments, int(arguments.get("max_chars", PIECE_CHARS)))
        done = run.done_length if run.done_length >= 0 else None
        return {**piece, "state": run.state, "done_length": done}

    def _exec(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run helper code of the client's in a namespace of its own, and give what it printed."""
        name = str(arguments.get("name", "helper"))
        space = self._namespaces.setdefault(name, {"__name__": f"_dbk_{name}", "__builtins__": __builtins__})
        stdout, stderr = io.StringIO(), io.StringIO()
        with redirect_stdout(stdout), redirect_stderr(stderr):
            # The code is the client's own receiver, sent as data; running it is what this operation is for.
            exec(compile(arguments["code"], f"<dbk {name}>", "exec"), space)  # noqa: S102
        return {"stdout": stdout.getvalue(), "stderr": stderr.getvalue()}
