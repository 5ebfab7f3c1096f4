"""What the package offers on the driver: `install` and `again` for the bootstrap, `call` for the client."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .agent import Agent
from .attachments import Handler

_agent: Agent | None = None


def install(version: str, options: dict[str, Any], installing: str, old: ModuleType | None = None) -> None:
    """Make this interpreter's agent, in place of `old`, another version of the package, and say hello."""
    global _agent
    from IPython import get_ipython

    before = old.current() if old is not None else None
    if before is not None:
        before.close()
    _agent = Agent(get_ipython(), version, options, before)
    _agent.install(installing)
    _agent.hello(fresh=True)


def again(options: dict[str, Any]) -> None:
    """Say hello again; the same command was run before."""
    current().core.options.update(options)
    current().hello(fresh=False)


def is_open() -> bool:
    """Whether the agent is there and has not been closed."""
    return _agent is not None and not _agent.closed


def current() -> Agent:
    """This interpreter's agent.

    Raises:
        RuntimeError: Nothing was installed.
    """
    if _agent is None:
        raise RuntimeError("the agent was not installed")
    return _agent


def call(request: str) -> None:
    """Do one operation of the client's; its answer is printed as a frame."""
    current().call(request)


def register_attachment(name: str, handler: Handler) -> None:
    """Hand what comes with a cell under this name to `handler`, before the cell runs.

    `handler` takes a JSON value and returns one. When it raises, the cell does not run.
    """
    current().register_attachment(name, handler)
