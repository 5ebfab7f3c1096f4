"""The command line of `dbk-sync`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from dbk_config import cli

from dbk_sync import _options
from dbk_sync._exit_codes import EXIT_CODES

PACKAGE: Final = "dbk-sync"
_CONNECTION: Final = ("host", "profile")
_PLACES: Final = "SRC: a directory; TARGET: dbfs:, /Volumes, /Workspace, cluster:."


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; gives the exit code."""
    return cli.run_parser(make_parser(), argv)


def make_parser() -> argparse.ArgumentParser:
    """The whole command."""
    parser = cli.make_parser(
        PACKAGE,
        f"Puts exactly the files git would take on a Databricks workspace or cluster, incrementally. {EXIT_CODES}",
        example="dbk-sync push . /Workspace/Users/me@example.com/project\ndbk-sync push --dry-run",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_push(commands)
    _add_plan(commands)
    _add_check(commands)
    _add_ls(commands)
    _add_watch(commands)
    _add_verify(commands)
    _add_gc(commands)
    _add_clean(commands)
    _add_pull_manifest(commands)
    _add_doctor(commands)
    cli.add_completion(commands, parser, package=PACKAGE)
    return parser


def _add_push(commands: Any) -> None:
    parser = _add(
        commands,
        "push",
        "_cli_push:run_push",
        help="bring the target to the source",
        places=True,
        example="dbk-sync push . /Workspace/Users/me@example.com/project --dry-run",
    )
    _places_and_plan(parser)
    _options.add_lock_option(parser)
    _options.add_limits(parser)
    _options.add_timeout(parser)
    parser.add_argument("--dry-run", action="store_true", help="send nothing, only say what would be sent")
    parser.add_argument("--check", action="store_true", help="as --dry-run; exit code 10 if it would send")
    parser.set_defaults(needs_target=True)


def _add_plan(commands: Any) -> None:
    parser = _add(
        commands,
        "plan",
        "_cli_push:run_plan",
        help="say what a push would do",
        places=True,
        example="dbk-sync plan . dbfs:/ci/project\ndbk-sync plan --explain src/data.csv",
    )
    _places_and_plan(parser)
    parser.add_argument("--no-remote", action="store_true", help="compare with nothing, ask nobody")
    parser.add_argument("--exit-code", action="store_true", help="10 when there is something to do")
    parser.add_argument("--explain", metavar="PATH", help="say which rule decides about PATH")
    _options.add_timeout(parser)


def _add_check(commands: Any) -> None:
    parser = _add(
        commands,
        "check",
        "_cli_push:run_check",
        help="say whether the source can be pushed, and is at the target",
        places=True,
        example="dbk-sync check\ndbk-sync check . dbfs:/ci/project || echo differs",
    )
    _places_and_plan(parser)
    _options.add_timeout(parser)


def _add_ls(commands: Any) -> None:
    parser = _add(
        commands,
        "ls",
        "_cli_ls:run_ls",
        connects=False,
        help="list what would be sent",
        example="dbk-sync ls\ndbk-sync ls . -z | xargs -0 wc -c\ndbk-sync ls --explain src/data.csv",
    )
    _options.add_places(parser, target=False)
    _options.add_scan_options(parser)
    parser.add_argument("-z", dest="nul", action="store_true", help="end each path by a NUL byte, and quote none")
    parser.add_argument("--explain", metavar="PATH", help="say which rule decides about PATH")


def _add_watch(commands: Any) -> None:
    parser = _add(
        commands,
        "watch",
        "_cli_watch:run_watch",
        help="push after every edit",
        places=True,
        example="dbk-sync watch . /Workspace/Users/me@example.com/project",
    )
    _places_and_plan(parser)
    _options.add_lock_option(parser)
    _options.add_limits(parser)
    parser.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between looks (default: 1)")


def _add_verify(commands: Any) -> None:
    parser = _add(
        commands,
        "verify",
        "_cli_care:run_verify",
        help="read the target again and compare",
        example="dbk-sync verify dbfs:/ci/project",
    )
    _at_target(parser)


def _add_gc(commands: Any) -> None:
    parser = _add(
        commands,
        "gc",
        "_cli_care:run_gc",
        help="remove what killed runs left",
        example="dbk-sync gc\ndbk-sync gc dbfs:/ci/project --older-than 1 --dry-run",
    )
    _at_target(parser, optional=True)
    parser.add_argument("--older-than", type=float, default=24.0, metavar="H", help="hours (default: 24)")
    parser.add_argument("--dry-run", action="store_true", help="only list")


def _add_clean(commands: Any) -> None:
    parser = _add(
        commands,
        "clean",
        "_cli_care:run_clean",
        help="remove from the target what was pushed",
        example="dbk-sync clean dbfs:/ci/project --dry-run",
    )
    _at_target(parser)
    _options.add_lock_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="only list")


def _add_pull_manifest(commands: Any) -> None:
    parser = _add(
        commands,
        "pull-manifest",
        "_cli_care:run_pull_manifest",
        help="print what the target holds",
        example="dbk-sync pull-manifest dbfs:/ci/project -o manifest.txt",
    )
    _at_target(parser)
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="write it there (default: -, stdout)")


def _add_doctor(commands: Any) -> None:
    parser = _add(
        commands,
        "doctor",
        "_cli_doctor:run_doctor",
        help="say what works here",
        example="dbk-sync doctor",
    )
    _options.add_places(parser, target=False)
    _options.add_scan_options(parser)


def _places_and_plan(parser: argparse.ArgumentParser) -> None:
    parser.usage = f"{parser.prog} [OPTIONS] [SRC] [TARGET]"
    _options.add_places(parser, target=True)
    _options.add_scan_options(parser)
    _options.add_skip_option(parser)
    _options.add_plan_options(parser)


def _at_target(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """`[SRC] TARGET`: the target alone is needed, and a command line of `push` may stay as it is."""
    words = "[SRC] [TARGET]" if optional else "[SRC] TARGET"
    parser.usage = f"{parser.prog} [OPTIONS] {words}"
    parser.add_argument("places", nargs="*", metavar="TARGET", help="where it was pushed to")
    parser.add_argument("--layout", choices=("files", "packs"), default="", help="as it was pushed with")


def _add(
    commands: Any, name: str, work: str, *, help: str, example: str, connects: bool = True, places: bool = False
) -> argparse.ArgumentParser:
    settings = _CONNECTION if connects else ()
    about = f"{help[:1].upper()}{help[1:]}. {_PLACES}" if places else ""
    parser = cli.add_command(
        commands, name, _later(work), package=PACKAGE, help=help, example=example, settings=settings, description=about
    )
    _options.add_json_option(parser)
    parser.set_defaults(run_name=name)
    return parser


def _later(work: str) -> Callable[[argparse.Namespace], int]:
    """The function `module:name`, imported when it runs: a help text must not wait for it."""

    def run(arguments: argparse.Namespace) -> int:
        from dbk_sync._job import command

        module, _, name = work.partition(":")
        return command(getattr(import_module(f"dbk_sync.{module}"), name))(arguments)

    return run
