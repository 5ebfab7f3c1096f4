"""An exception that is not the user's, as a person meets it in a cell: a real name, one line, the next step."""

import logging
from typing import Any

from dbk_config.errors import DbkError

__all__ = ["failure", "keyboard_interrupt"]

LOG = logging.getLogger("dbk.kernel")
_RED, _BOLD, _PLAIN = "\x1b[0;31m", "\x1b[1m", "\x1b[0m"


def failure(error: BaseException) -> dict[str, Any]:
    """The `ename`, `evalue` and `traceback` of an error reply.

    The errors of this family say what failed and what to do, and are shown without a stack: it would tell only
    where in the kernel they were noticed. Any other exception is a defect, says so, and is logged with its stack.
    """
    ename = type(error).__name__
    if isinstance(error, DbkError):
        content = _content(ename, error.message, error.hint)
        # Where a front end shows the value alone, "2 problems in the settings:" would help nobody.
        problems = [str(problem.message) for problem in getattr(error, "problems", ())]
        return content | ({"evalue": "; ".join(problems)} if len(problems) > 1 else {})
    LOG.error("a request failed unforeseen", exc_info=error)
    hint = "This is a defect of the kernel, not of your code. The log of the Jupyter server has the details."
    return _content(ename, str(error), hint)


def keyboard_interrupt(reason: str = "") -> dict[str, Any]:
    """What an interrupted cell shows when its own traceback did not arrive."""
    return _content("KeyboardInterrupt", reason, "")


def _content(ename: str, message: str, hint: str) -> dict[str, Any]:
    lines = message.splitlines() or [""]
    head = f"{_RED}{ename}{_PLAIN}: {lines[0]}" if lines[0] else f"{_RED}{ename}{_PLAIN}"
    traceback = [head, *lines[1:]]
    traceback += [f"{_BOLD}{line}{_PLAIN}" for line in hint.splitlines()]
    return {"ename": ename, "evalue": lines[0], "traceback": traceback}
