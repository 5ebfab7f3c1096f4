"""The command line of `dbk-local`."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from ._command_line import Formatter, add_command, add_common, add_completion, answer_shell
from ._serve_command import add_serve
from ._spark_command import add_spark
from ._workspace_arguments import add_workspace, rules_of, settings_of
from .errors import LocalError

__all__ = ["main", "make_parser"]

WRONG_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit code: 0 done, 2 wrong usage, and of `run` what its command gave."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the encoding of a pipe must not end a command
    parser = make_parser()
    answer_shell(parser)
    chosen = parser.parse_args(argv)
    if chosen.action is None:
        parser.print_usage(sys.stderr)
        return WRONG_USAGE
    level = _log_as_asked(chosen)
    try:
        status: int = chosen.action(chosen)
    except LocalError as error:
        if level == "debug":
            traceback.print_exc()
        print(f"dbk-local: {error}", file=sys.stderr)
        return WRONG_USAGE
    except BrokenPipeError:  # the reader of a list has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def make_parser() -> argparse.ArgumentParser:
    """The whole command line of `dbk-local`."""
    parser = argparse.ArgumentParser(
        "dbk-local",
        description="An embedded Databricks-compatible workspace on 127.0.0.1.",
        epilog="example:\n  dbk-local run -- jupyter lab",
        formatter_class=Formatter,
    )
    parser.set_defaults(action=None)
    add_common(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    add_serve(commands)
    _add_run(commands)
    add_spark(add_command, commands)
    routes = add_command(
        commands, "routes", _routes, "list the routes that are reproduced", "dbk-local routes --markdown"
    )
    routes.add_argument("--markdown", action="store_true", help="the whole reference page instead")
    add_command(commands, "options", _options, "list what --set and --fault take", "dbk-local options | grep context")
    add_completion(commands, parser)
    return parser


def _log_as_asked(chosen: argparse.Namespace) -> str:
    """Set up logging by the options, else by `DBK_LOG`; child processes find there what the options say."""
    if hasattr(chosen, "log_level"):
        os.environ["DBK_LOG"] = chosen.log_level
    level = os.environ.get("DBK_LOG", "warning").lower()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("dbk").setLevel({"debug": logging.DEBUG, "info": logging.INFO}.get(level, logging.WARNING))
    return level


def _add_run(commands: Any) -> None:
    example = "dbk-local run -- pytest\ndbk-local run --set spark=off -- python job.py"
    run = add_command(commands, "run", _run, "run a command with a workspace of its own, and exit as it does", example)
    run.add_argument("command", nargs="+", metavar="CMD", help="the command and its arguments, after --")
    add_workspace(run)


def _run(chosen: argparse.Namespace) -> int:
    from ._client import Workspace
    from ._options import preset
    from ._run import run

    settings, rules = settings_of(chosen), rules_of(chosen)
    preset(chosen.runtime, chosen.access_mode, settings)  # a mistake is told before anything starts
    workspace = Workspace(
        chosen.runtime,
        chosen.access_mode,
        folder=chosen.folder,
        cluster_state=chosen.cluster_state,
        options=settings,
    )
    with workspace:
        for rule in rules:
            workspace.fault(**{"route": "*", **rule})
        return run(chosen.command, workspace.env())


def _routes(chosen: argparse.Namespace) -> int:
    from ._reference import page, plain

    print(page() if chosen.markdown else plain(), end="")
    return 0


def _options(chosen: argparse.Namespace) -> int:  # noqa: ARG001 - the shape of every action
    from ._faults import KINDS, MEANING
    from ._options import MEANINGS, Options

    print("--set NAME=VALUE takes these, here with their defaults:\n")
    for name, value in Options().as_json().items():
        print(f"  {name}={value!r:.40}\n      {MEANINGS[name]}")
    print("\n--fault JSON takes `route`, `times`, `after`, `probability`, `seed`, and a `kind` with its parameters:\n")
    for kind, meaning in MEANING.items():
        print(f"  {kind} {' '.join(KINDS[kind])}\n      {meaning}")
    return 0
