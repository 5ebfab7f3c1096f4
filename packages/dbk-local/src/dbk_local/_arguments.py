"""The command line of `dbk-local`, as a parser; what the commands do is in `__main__`."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

FAULT = '{"route": "POST /api/1.2/commands/execute", "kind": "drop-after", "times": 1}'


class _Text(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the examples as they are written."""


def make_parser() -> argparse.ArgumentParser:
    """The whole command line; a parsed one has the name of its command in `action`."""
    parser = argparse.ArgumentParser(
        "dbk-local",
        description="An embedded Databricks-compatible workspace on 127.0.0.1.",
        epilog="example:\n  dbk-local run -- jupyter lab",
        formatter_class=_Text,
    )
    parser.add_argument("--version", action="version", version=f"dbk-local {version('dbk-local')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", help="each has its own --help")
    serve = _add(commands, "serve", "serve until Ctrl-C", "dbk-local serve --port 8080 --folder ./workspace")
    serve.add_argument("--json", action="store_true", help="say where it is in one line of JSON")
    serve.add_argument("--until-eof", action="store_true", help="end when stdin does")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    example = "dbk-local run -- jupyter lab\n  dbk-local run --runtime 16.4 -- pytest"
    run = _add(commands, "run", "run a command with a workspace of its own, for as long as it takes", example)
    run.add_argument("command", nargs="+", metavar="CMD", help="the command, after --, and its arguments")
    for action in (serve, run):
        _add_workspace(action)
    serve.add_argument("--fault", action="append", default=[], metavar="JSON", help=f"let requests fail: {FAULT}")
    routes = _add(commands, "routes", "list the routes that are reproduced", "dbk-local routes --markdown")
    routes.add_argument("--markdown", action="store_true", help="as the reference page")
    _add(commands, "options", "list the options of --set and the faults of --fault", "dbk-local options")
    return parser


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, does: str, example: str) -> _Parser:
    added = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=_Text,
    )
    added.set_defaults(action=name)
    return added


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, help="keep files here; without it they are gone at the end")
    parser.add_argument("--runtime", default="17.3", help="15.4, 16.4 or 17.3 (the default)")
    parser.add_argument("--access-mode", default="dedicated", help="dedicated (the default), standard or no-isolation")
    states = ("RUNNING", "TERMINATED")
    parser.add_argument("--cluster-state", default=states[0], choices=states, help="how the cluster is found at first")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="see: dbk-local options")


_Parser = argparse.ArgumentParser
