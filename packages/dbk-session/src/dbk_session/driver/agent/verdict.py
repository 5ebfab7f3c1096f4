"""How a cell ended, from what IPython and the agent's own hooks say of it."""

from __future__ import annotations

from typing import Any

from .content import error_content
from .runs import Run
from .tracebacks import ends_notebook


def status_of(run: Run, result: Any) -> str:
    """`"ok"` or `"error"`."""
    if run.blocked or run.failed_display or result is None:
        return "error"
    error = result.error_before_exec or result.error_in_exec
    return "ok" if error is None or ends_notebook(type(error)) else "error"


def error_of(run: Run, status: str, result: Any, shell: Any) -> dict[str, Any] | None:
    """What the reply says about a failure: some (a wrong use of a magic) have no error record of their own."""
    if status == "ok":
        return None
    error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
    if run.error is not None or error is None:
        return run.error
    return error_content(type(error), error, getattr(shell, "_last_traceback", None) or [])
