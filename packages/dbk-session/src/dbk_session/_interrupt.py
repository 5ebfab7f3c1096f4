"""An interrupt that came out as another exception, given back its own name.

Python's KeyboardInterrupt within a call to Spark's Java side breaks that call's socket, and stopping the job from
beside makes the call fail: either way the code sees an error of Py4J, by chance of the moment. Where somebody has asked
for the stop, that error is the interrupt. (One that has a KeyboardInterrupt among its causes is named right by the
agent already; here is what only the session can know.)
"""

from __future__ import annotations

import re
from dataclasses import replace

from dbk_session._events import Failure

__all__ = ["NAME", "as_interrupt"]

NAME = "KeyboardInterrupt"
_BROKEN_CALL = "Py4J"
# What a top-level `await` makes of it, in some versions.
_CANCELLED_TASK = "CancelledError"
# Spark Connect: the operation was interrupted by its tag.
_CANCELLED_OPERATION = "OPERATION_CANCELED"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_HEAD = "Traceback (most recent call last)"


def as_interrupt(failure: Failure) -> Failure:
    """The failure of a command that was asked to stop: an interrupt when that is what it was, else as it is."""
    known = failure.ename.startswith(_BROKEN_CALL) or failure.ename == _CANCELLED_TASK
    if not known and _CANCELLED_OPERATION not in failure.evalue:
        return failure
    return replace(failure, ename=NAME, evalue="", traceback=_renamed(failure))


def _renamed(failure: Failure) -> tuple[str, ...]:
    """The same frames under the other name: only head and last line of IPython's traceback name the exception."""
    lines = list(failure.traceback)
    heads = [at for at, line in enumerate(lines) if _HEAD in line and failure.ename in line]
    if not heads:
        return (f"{NAME}: ",)
    # Of chained exceptions the last is the one that ended the command.
    frames = lines[heads[-1] + 1 :]
    end = next((at for at, line in enumerate(frames) if _is_end(line, failure.ename)), len(frames))
    return (*lines[: heads[-1]], _head(lines[heads[-1]], failure.ename), *frames[:end], f"\x1b[31m{NAME}\x1b[39m: ")


def _head(line: str, ename: str) -> str:
    """Names and the words after it are set at the two edges of a line."""
    wanted = len(ename) - len(NAME)
    renamed = line.replace(ename, NAME, 1)
    return renamed.replace(_HEAD, " " * max(wanted, 0) + _HEAD, 1)


def _is_end(line: str, ename: str) -> bool:
    return re.match(rf"(\w+\.)*{re.escape(ename)}(: |$)", _COLOUR.sub("", line)) is not None
