"""Tracebacks as the user should see them: their own frames, none of the agent's."""

from __future__ import annotations

from types import TracebackType
from typing import Any

# The package that this module is in: `_dbk_agent` on the driver.
_PACKAGE = __name__.rpartition(".")[0] + "."
_EXITS = frozenset({"NotebookExit", "_NotebookExit", "NotebookExitException", "EndOfCommand"})


def without_agent(error: BaseException, tb: TracebackType | None) -> TracebackType | None:
    """The traceback, and those of all causes and contexts, without the agent's frames."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = _prune(each.__traceback__)
        waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return _prune(tb)


def interrupt_behind(error: BaseException) -> BaseException | None:
    """The KeyboardInterrupt that an error of Py4J stands for: it broke the call to the JVM in which it came."""
    seen: set[int] = set()
    each: BaseException | None = error if type(error).__name__.startswith("Py4J") else None
    while each is not None and id(each) not in seen:
        if isinstance(each, KeyboardInterrupt):
            return each
        seen.add(id(each))
        each = each.__cause__ or each.__context__
    return None


def _prune(tb: TracebackType | None) -> TracebackType | None:
    while tb is not None and _is_agents(tb):
        tb = tb.tb_next
    last = tb
    while last is not None:
        following = last.tb_next
        while following is not None and _is_agents(following):
            following = following.tb_next
        if following is not last.tb_next:
            last.tb_next = following
        last = following
    return tb


def _is_agents(tb: TracebackType) -> bool:
    return str(tb.tb_frame.f_globals.get("__name__", "")).startswith(_PACKAGE)


def ends_notebook(error_type: type[BaseException]) -> bool:
    """Whether the exception is how `dbutils.notebook.exit` leaves a notebook, which is no failure."""
    return error_type.__name__ in _EXITS
