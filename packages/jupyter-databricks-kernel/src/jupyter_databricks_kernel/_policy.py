"""Which requests are a person's cells, and what happens to the rest.

Front ends run code of their own: VS Code sends half a dozen snippets before it calls a kernel ready, extensions look
at variables, quarto sets up its figures. Such a request is told by `silent` or by `store_history=False`. It must not
start a cluster that somebody pays for; it is answered at once, and what it would have changed is done later, in order,
when a person's first cell starts the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Request", "Route", "local_expressions", "route"]


class Route(Enum):
    """Where a request goes."""

    NOTHING = "nothing to run: answered here"
    MAGIC = "a command for the kernel itself"
    DEFER = "hidden, and no interpreter yet: answered here, run before the first cell"
    RUN = "to the cluster"


@dataclass(frozen=True)
class Request:
    """The content of an `execute_request`."""

    code: str
    silent: bool = False
    store_history: bool = True
    allow_stdin: bool = False
    expressions: Mapping[str, str] = field(default_factory=dict)

    @property
    def hidden(self) -> bool:
        """True for what a front end runs by itself."""
        return self.silent or not self.store_history

    @property
    def counted(self) -> bool:
        """True when it takes a number: `In [n]`. An empty cell takes none, as in IPython."""
        return not self.hidden and bool(self.code.strip())

    @property
    def watched(self) -> bool:
        """True when somebody sees what it shows while it runs; headless runs forbid `input()`."""
        return not self.hidden and self.allow_stdin


def route(request: Request, *, live: bool, magic: bool) -> Route:
    """Where the request goes.

    Args:
        request: What was asked.
        live: True when an interpreter is there already.
        magic: True when the code is a command for the kernel.
    """
    if not request.code.strip() and not request.expressions:
        return Route.NOTHING
    if magic:
        return Route.MAGIC
    return Route.DEFER if request.hidden and not live else Route.RUN


def local_expressions(request: Request) -> dict[str, Any]:
    """The answers to the expressions of a request that is not run: each says why it has no value."""
    reason = {
        "status": "error",
        "ename": "SessionNotStarted",
        "evalue": "no cell has started the session yet",
        "traceback": [],
    }
    return {name: dict(reason) for name in request.expressions}
