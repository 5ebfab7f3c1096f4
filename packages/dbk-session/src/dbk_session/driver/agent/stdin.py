"""`input()` and `getpass()`: a record that asks, then a wait for the answer file."""

from __future__ import annotations

import builtins
import getpass
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .core import Core
from .runs import Run

_FIRST_POLL_S = 0.005
_LAST_POLL_S = 0.05
# The words of ipykernel: front ends and tests know them.
_REFUSED = {
    "input": "raw_input was called, but this frontend does not support input requests.",
    "getpass": "getpass was called, but this frontend does not support input requests.",
}


class Stdin:
    """Questions of the running cell."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked = 0
        self._before: dict[str, Any] = {}

    def begin(self, run: Run) -> None:  # noqa: ARG002 - the run's trailer is asked at each question
        """For the time of a run, questions go to the client (an ipykernel sets its own at each cell)."""
        self._before = {"input": builtins.input, "getpass": getpass.getpass}
        builtins.input = self._guarded(self.input, builtins.input)
        getpass.getpass = self._guarded(self.getpass, getpass.getpass)

    def end(self, run: Run) -> None:  # noqa: ARG002
        """Put back what was there."""
        if self._before:
            builtins.input = self._before["input"]
            getpass.getpass = self._before["getpass"]
            self._before = {}

    def input(self, prompt: object = "") -> str:
        """One line of text, without its newline; as `builtins.input`."""
        return self._ask("input", str(prompt), password=False)

    def getpass(self, prompt: object = "Password: ", stream: Any = None) -> str:
        """One line that is not shown while it is typed; as `getpass.getpass`."""
        if stream is not None:
            warnings.warn(
                "The `stream` parameter of `getpass.getpass` will have no effect when using ipykernel",
                UserWarning,
                stacklevel=2,
            )
        return self._ask("getpass", str(prompt), password=True)

    def _guarded(self, ask: Callable[..., str], original: Callable[..., str]) -> Callable[..., str]:
        def asking(*args: Any, **kwargs: Any) -> str:
            if not self._core.recording():
                return original(*args, **kwargs)
            return ask(*args, **kwargs)

        asking.__name__ = asking.__qualname__ = original.__name__
        asking.__doc__ = original.__doc__
        return asking

    def _ask(self, how: str, prompt: str, *, password: bool) -> str:
        run = self._core.current_run()
        spool = self._core.spool
        if not run.trailer.get("allow_stdin") or spool is None:
            from IPython.core.error import StdinNotImplementedError

            raise StdinNotImplementedError(_REFUSED[how])
        self._asked += 1
        question = str(self._asked)
        self._core.scribe.put(run, "input", id=question, prompt=prompt, password=password)
        self._core.scribe.flush()
        return self._wait(run.id, question)

    def _wait(self, run_id: str, question: str) -> str:
        spool = self._core.spool
        assert spool is not None
        pause_s = _FIRST_POLL_S
        while True:
            sealed = spool.take("answers", f"{run_id}.{question}")
            if sealed is not None:
                answer = json.loads(wire.unseal(self._core.key, sealed.decode("ascii")))
                if answer.get("eof"):
                    raise EOFError("EOF when reading a line")
                return str(answer["text"])
            # An interrupt is raised here, in the caller's frame's thread.
            time.sleep(pause_s)
            pause_s = min(_LAST_POLL_S, pause_s * 1.5)
