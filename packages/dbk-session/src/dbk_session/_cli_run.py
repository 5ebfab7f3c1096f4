"""`dbk-session run`, `exec` and `attach`."""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from dbk_config import cli

from dbk_session._cli_follow import Face, follow
from dbk_session._detach import check_name
from dbk_session._events import Event, Finished
from dbk_session._journal import Journal
from dbk_session._outputs import outputs_of
from dbk_session._session import Session
from dbk_session._source import Source, source_of, text_of
from dbk_session._terminal import JsonLines, Terminal
from dbk_session.errors import SessionError, UnreadableSource

__all__ = ["run_attach", "run_code", "run_file"]


# Gives a script what it finds when it is started by `python FILE ARGS`; the values travel as data.
_PRELUDE = """\
import base64, json, sys
given = json.loads(base64.b64decode("{values}"))
sys.argv = given["argv"]
from IPython import get_ipython
get_ipython().user_ns.update(__file__=given["argv"][0])
"""
# IPython warns of a SystemExit, which is how many a script ends.
_MAY_EXIT = """\
import warnings
warnings.filterwarnings("ignore", "To exit: use ", UserWarning)
"""


def run_file(arguments: argparse.Namespace) -> int:
    """Runs a file; gives its exit code."""
    name = arguments.file
    if name.endswith(".ipynb"):
        _take_options(arguments)
    source = source_of(_text(name), name)
    _check(arguments, source)
    check_name(Journal(), arguments.detach or "")
    face: Face = JsonLines() if arguments.json else Terminal(with_results=not source.is_script)
    settings = cli.settings_of(arguments)
    prepare = None
    if source.is_script:
        values = base64.b64encode(json.dumps({"argv": [name, *arguments.arguments]}).encode()).decode()
        prepare = _running(_PRELUDE.format(values=values) + _MAY_EXIT)
    with cli.ending_in_order(), Session(settings, name=arguments.detach, prepare=prepare) as session:
        if arguments.detach:
            return _leave(session, source.cells[0], face)
        code, outputs = _run_cells(session, source, face, may_ask=name != "-")
        _save(arguments, source, outputs)
        return code


def run_code(arguments: argparse.Namespace) -> int:
    """Runs a line of code; gives its exit code."""
    face: Face = JsonLines() if arguments.json else Terminal(with_results=True)
    with cli.ending_in_order(), Session(cli.settings_of(arguments), prepare=_running(_MAY_EXIT)) as session:
        return follow(session.start(arguments.code, allow_stdin=True), face)[0]


def _running(prelude: str) -> Callable[[Callable[[str], str]], None]:
    """What makes a new interpreter ready: in the course of the command, whose events tell how it is opened."""

    def prepare(call: Callable[[str], str]) -> None:
        call(prelude)

    return prepare


def run_attach(arguments: argparse.Namespace) -> int:
    """Follows a detached command to its end; gives its exit code."""
    face: Face = JsonLines() if arguments.json else Terminal(with_results=True)
    with cli.ending_in_order(), Session.attach(arguments.name, cli.settings_of(arguments)) as session:
        command = session.attached
        if command is None:
            return 0
        try:
            return follow(command, face)[0]
        except BrokenPipeError:
            # The reader (`| head`) has seen enough; the command goes on for who comes next.
            if not command.done:
                session.detach()
            raise


def _take_options(arguments: argparse.Namespace) -> None:
    """A notebook has no arguments of its own, so options may come after its name, too."""
    parser = argparse.ArgumentParser(prog=f"dbk-session run {arguments.file}", add_help=False)
    parser.add_argument("--output", default=arguments.output)
    parser.add_argument("--inplace", action="store_true", default=arguments.inplace)
    parser.add_argument("--json", action="store_true", default=arguments.json)
    parser.parse_args(arguments.arguments, arguments)


def _text(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return text_of(data, name)
    except OSError as error:
        raise UnreadableSource(f"{name} cannot be read: {error}.") from error


def _check(arguments: argparse.Namespace, source: Source) -> None:
    if (arguments.output or arguments.inplace) and source.notebook is None:
        raise UnreadableSource(
            "--output and --inplace are for .ipynb notebooks.", "A script's output goes to the terminal."
        )
    folder = Path(arguments.output or arguments.file).parent
    if (arguments.output or arguments.inplace) and not os.access(folder, os.W_OK):
        raise SessionError(f"{folder} cannot be written.", "Make it, or save the notebook elsewhere.")
    if arguments.detach and len(source.cells) != 1:
        raise UnreadableSource("--detach is for scripts and for notebooks of one cell.", "Run it without --detach.")


def _leave(session: Session, code: str, face: Face) -> int:
    command = session.start(code)
    name = session.detach()
    if command.result().status == "lost":
        print(f"left running; follow it with: dbk-session attach {name}")
        return 0
    # It was faster than we are: there is nothing to come back for.
    with Session.attach(name):
        return follow(command, face)[0]


def _run_cells(session: Session, source: Source, face: Face, may_ask: bool) -> tuple[int, dict[int, list[Event]]]:
    seen: dict[int, list[Event]] = {}
    for position, cell in zip(source.positions, source.cells, strict=True):
        code, seen[position] = follow(session.start(cell, allow_stdin=may_ask), face)
        if code != 0:
            return code, seen
    return 0, seen


def _save(arguments: argparse.Namespace, source: Source, seen: dict[int, list[Event]]) -> None:
    if source.notebook is None or not (arguments.output or arguments.inplace):
        return
    for position, events in seen.items():
        cell = source.notebook["cells"][position]
        cell["outputs"] = outputs_of(events)
        finished = next((event for event in reversed(events) if isinstance(event, Finished)), None)
        cell["execution_count"] = finished.execution_count if finished else None
    target = Path(arguments.file if arguments.inplace else arguments.output)
    text = json.dumps(source.notebook, indent=1, ensure_ascii=False) + "\n"
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise SessionError(f"{target} cannot be written: {error}.") from error
