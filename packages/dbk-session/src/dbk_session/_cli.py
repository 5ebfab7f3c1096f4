"""The command line of `dbk-session`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from dbk_config import cli

PACKAGE: Final = "dbk-session"
_SETTINGS: Final = (*cli.CONNECTION, "channel", "start_timeout_s")


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; gives the exit code."""
    return cli.run_parser(make_parser(), argv)


def make_parser() -> argparse.ArgumentParser:
    """The whole command."""
    parser = cli.make_parser(
        PACKAGE,
        "Runs Python on a Databricks cluster from a terminal or a script.",
        example="dbk-session run train.py --epochs 3\ndbk-session exec -c 'print(spark.version)'",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run(commands)
    _add_exec(commands)
    _add_attach(commands)
    _add_doctor(commands)
    _add_sweep(commands)
    cli.add_completion(commands, parser, package=PACKAGE)
    return parser


def _add_run(commands: Any) -> None:
    parser = _add(
        commands,
        "run",
        "_cli_run:run_file",
        help="run a script or a notebook",
        example="dbk-session run train.py --epochs 3\ndbk-session run --output done.ipynb report.ipynb\n"
        "echo 'print(1)' | dbk-session run -",
        description="Runs a .py script, a notebook in Databricks source format or an .ipynb notebook on the cluster; "
        "the exit code is the script's own, 1 for an exception, 130 after Ctrl-C.",
        settings=_SETTINGS,
    )
    saved = parser.add_mutually_exclusive_group()
    saved.add_argument("--output", metavar="FILE", help="write the .ipynb notebook with its outputs to FILE")
    saved.add_argument("--inplace", action="store_true", help="write the outputs into the .ipynb notebook itself")
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")
    parser.add_argument("--detach", metavar="NAME", help="leave it running and return; see `dbk-session attach`")
    parser.add_argument("file", metavar="FILE", help="what to run; - for standard input")
    rest = parser.add_argument(
        "arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="sys.argv of the script: all that follows FILE"
    )
    rest.required = False  # else its name is among those that are missed


def _add_exec(commands: Any) -> None:
    parser = _add(
        commands,
        "exec",
        "_cli_run:run_code",
        help="run a few lines of code",
        example="dbk-session exec -c 'print(spark.version)'\ndbk-session exec -c '1 + 1' --json",
        settings=_SETTINGS,
    )
    parser.add_argument("-c", dest="code", metavar="CODE", required=True, help="what to run, as in a notebook's cell")
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")


def _add_attach(commands: Any) -> None:
    parser = _add(
        commands,
        "attach",
        "_cli_run:run_attach",
        help="follow what was left running, from its first output on",
        example="dbk-session run --detach training train.py\ndbk-session attach training",
        settings=cli.CONNECTION,
    )
    parser.add_argument("--json", action="store_true", help="print every event as one line of JSON")
    parser.add_argument("name", metavar="NAME", help="as given to --detach")


def _add_doctor(commands: Any) -> None:
    parser = _add(
        commands,
        "doctor",
        "_cli_doctor:run_doctor",
        help="report what this workspace and cluster can do",
        example="dbk-session doctor\ndbk-session doctor --json > report.json",
        description="Reports versions, permissions, channel, limits and timings: add it to a bug report.",
        settings=_SETTINGS,
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_sweep(commands: Any) -> None:
    parser = _add(
        commands,
        "sweep",
        "_cli_sweep:run_sweep",
        help="remove contexts that dead processes have left on clusters",
        example="dbk-session sweep --list\ndbk-session sweep",
        settings=("host", "profile"),
    )
    parser.add_argument("--list", action="store_true", help="only list the sessions that are known on this machine")
    parser.add_argument("--detached", action="store_true", help="remove detached sessions, too")
    parser.add_argument(
        "--forget", metavar="HOST", help="forget what was left on a workspace that is gone for ever, and ask it nothing"
    )


def _add(commands: Any, name: str, function: str, **options: Any) -> argparse.ArgumentParser:
    return cli.add_command(commands, name, _later(function), package=PACKAGE, **options)


def _later(function: str) -> Callable[[argparse.Namespace], int]:
    """The function `module:name`, imported when the command runs: `--help` should not wait for the rest."""

    def call(arguments: argparse.Namespace) -> int:
        module, _, name = function.partition(":")
        found: Callable[[argparse.Namespace], int] = getattr(import_module(f"dbk_session.{module}"), name)
        return found(arguments)

    return call
