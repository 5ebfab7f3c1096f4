"""`dbk-session doctor`: what this workspace and cluster can do, in numbers."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dbk_config import cli

from dbk_session import _calls as calls
from dbk_session._engine import Engine
from dbk_session._events import Blocked, ClusterProgress, Event, Notice, Outage
from dbk_session._interpreter import Interpreter
from dbk_session._journal import Journal
from dbk_session._plain import text_of
from dbk_session._schedule import RUNNING
from dbk_session._session import Session
from dbk_session._terminal import Terminal

__all__ = ["report_of", "run_doctor"]

_ROUND_TRIPS = 7
_COMMANDS = 5
_LIVE_WAIT_S = 20.0
_CAPS = (49_000, 200_000, 2_000_000)


def run_doctor(arguments: argparse.Namespace) -> int:
    """Prints the report; gives the exit code."""
    settings = cli.settings_of(arguments)
    notices: list[str] = []
    terminal = Terminal(with_results=False)

    def listen(event: Event) -> None:
        if isinstance(event, ClusterProgress):
            terminal.show(event)
        if isinstance(event, (Blocked, Notice, Outage)):
            notices.append(event.text)

    with Session(settings, on_event=listen) as session:
        report = dict(report_of(session))
    report["notices"] = notices
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        width = max(map(len, report))
        for name, value in report.items():
            print(f"{name.ljust(width)}  {_shown(value)}")
    return 0


def report_of(session: Session) -> Iterator[tuple[str, Any]]:
    """Name and value of each finding; times in milliseconds. The session must be fresh."""
    yield from _versions()
    yield "host", session.host
    yield "first_command_ms", _ms(lambda: session.run("1").raise_for_error())
    cluster = session.cluster()
    yield "cluster", {"id": session.cluster_id, **cluster}
    interpreter = session._engine.keeper.interpreter
    if interpreter is None:
        return
    yield from _agent(session._engine, interpreter)
    yield "round_trip_ms", _median_ms(lambda: _round_trip(interpreter), _ROUND_TRIPS)
    yield "trivial_command_ms", _median_ms(lambda: session.run("1"), _COMMANDS)
    yield "result_text_chars", _largest_text(session)
    yield "contexts_without_an_answer", _unanswered(session)


def _versions() -> Iterator[tuple[str, str]]:
    for name in ("dbk-session", "databricks-sdk", "requests"):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "missing"
    yield "python", platform.python_version()
    yield "platform", platform.platform(terse=True)


def _agent(engine: Engine, interpreter: Interpreter) -> Iterator[tuple[str, Any]]:
    agent = interpreter.agent
    if agent is None:
        yield "channel", "plain"
        return
    deadline = time.monotonic() + _LIVE_WAIT_S
    while interpreter.control is None and engine.keeper.is_opening and time.monotonic() < deadline:
        time.sleep(0.05)
    yield "channel", interpreter.channel
    yield "driver_python", agent.python
    yield "runtime", agent.runtime
    yield "capabilities", list(agent.capabilities)


def _unanswered(session: Session) -> int:
    """Contexts that sessions of this machine have asked this cluster for, without ever being told their ids."""
    journal = Journal()
    place = (session.host, session.cluster_id)
    here = [entry for entry in journal.entries() if (entry.host, entry.cluster_id) == place]
    return sum(len(journal.unanswered(entry.session)) for entry in here)


def _round_trip(interpreter: Interpreter) -> None:
    context = interpreter.context
    context.remote.call(calls.context_status(context.cluster_id, context.context_id), RUNNING)


def _largest_text(session: Session) -> str:
    """How much text one command may answer with, as far as it was tried."""
    largest = 0
    for size in _CAPS:
        text = session._engine.ask(partial(_printed, size)).result()
        if len(text) != size:
            return f"between {largest} and {size}"
        largest = size
    return f"at least {largest}"


def _printed(size: int, interpreter: Interpreter) -> str:
    context = interpreter.context
    command = f"import sys; sys.__stdout__.write('x' * {size}); sys.__stdout__.flush()"
    return (text_of(context.outcome(context.execute(command))) or "").rstrip("\n")


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round((time.perf_counter() - began) * 1000, 1)


def _median_ms(work: Callable[[], object], times: int) -> float:
    return round(statistics.median(_ms(work) for _ in range(times)), 1)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items() if item != "")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
