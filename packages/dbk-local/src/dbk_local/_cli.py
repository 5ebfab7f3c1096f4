"""The command line of `dbk-local`."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._command_line import Formatter, add_command, add_common, add_completion, answer_shell
from ._spark_command import add_spark
from .errors import BadFault, LocalError

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
    _add_serve(commands)
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


def _add_serve(commands: Any) -> None:
    example = (
        "dbk-local serve --folder ~/workspace --set latency_s=0.1\n"
        'dbk-local serve --fault \'{"route": "POST /api/1.2/commands/execute", "kind": "drop-after"}\''
    )
    serve = add_command(commands, "serve", _serve, "serve a workspace until Ctrl-C", example)
    serve.add_argument("--json", action="store_true", help="say in one line of JSON where it is")
    serve.add_argument("--until-eof", action="store_true", help="end when stdin does, or the parent process")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="a loopback address (%(default)s)")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="0, the default, takes a free one")
    _add_workspace(serve)


def _add_run(commands: Any) -> None:
    example = "dbk-local run -- pytest\ndbk-local run --set spark=off -- python job.py"
    run = add_command(commands, "run", _run, "run a command with a workspace of its own, and exit as it does", example)
    run.add_argument("command", nargs="+", metavar="CMD", help="the command and its arguments, after --")
    _add_workspace(run)


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    runtimes, modes = ["15.4", "16.4", "17.3"], ["dedicated", "standard", "no-isolation"]
    states = ["RUNNING", "TERMINATED"]
    add = parser.add_argument
    add("--folder", type=Path, metavar="PATH", help="keep files here; without it they are gone at the end")
    add("--runtime", default="17.3", choices=runtimes, metavar="DBR", help="15.4, 16.4 or 17.3 (%(default)s)")
    mode_help = "dedicated, standard or no-isolation (%(default)s)"
    add("--access-mode", default="dedicated", choices=modes, metavar="MODE", help=mode_help)
    add("--cluster-state", default="RUNNING", choices=states, help="the cluster at the start (%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="an option, see `dbk-local options`")
    add("--fault", action="append", default=[], metavar="JSON", help="let requests go wrong, see `dbk-local options`")


def _settings(pairs: Sequence[str]) -> dict[str, Any]:
    """The options of `--set`: JSON values, or text as it is."""
    chosen: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            chosen[name] = json.loads(value)
        except ValueError:
            chosen[name] = value
    return chosen


def _rules(texts: Sequence[str]) -> list[dict[str, Any]]:
    """The rules of `--fault`, each tried once so that a mistake shows before anything starts."""
    from ._faults import Faults

    rules = []
    for text in texts:
        try:
            rules.append(json.loads(text))
        except ValueError:
            raise BadFault(f"{text!r} is not JSON") from None
        if not isinstance(rules[-1], dict):
            raise BadFault(f"{text!r} is not a JSON object")
        Faults().add(rules[-1])
    return rules


def _serve(chosen: argparse.Namespace) -> int:
    from . import _server
    from ._driver._spark_home import find_spark, which_spark
    from ._options import preset

    options = preset(chosen.runtime, chosen.access_mode, _settings(chosen.set))
    rules = _rules(chosen.fault)
    place = (chosen.folder, chosen.host, chosen.port)
    running = chosen.cluster_state == "RUNNING"
    spark = find_spark(options.runtime, os.environ) if options.spark != "off" else None
    about_spark = which_spark(options.runtime, spark) if options.spark != "off" else "Apache Spark is switched off."

    async def work() -> None:
        # Signals first: what has been started is always ended in order.
        async with (
            _server.told_to_stop(chosen.until_eof) as stop,
            _server.serving(options, *place, running=running) as site,
        ):
            for rule in rules:
                site.faults.add(rule)
            about: dict[str, Any] = {"host": site.host, "token": site.token, "cluster_id": next(iter(site.clusters))}
            about |= {"user_name": options.user_name, "pid": os.getpid()}
            about |= {"spark_version": spark.version if spark else ""}
            print(json.dumps(about) if chosen.json else _banner(about, about_spark), flush=True)
            await stop.wait()

    asyncio.run(work())
    return 0


def _banner(about: dict[str, Any], about_spark: str) -> str:
    return "\n".join(
        [
            "An embedded Databricks workspace is running. In another terminal:",
            "",
            f"  export DATABRICKS_HOST={about['host']}",
            f"  export DATABRICKS_TOKEN={about['token']}",
            f"  export DATABRICKS_CLUSTER_ID={about['cluster_id']}",
            "",
            about_spark,
            f"See what happens in it: {about['host']}/#token={about['token']}",
            "Ctrl-C ends it.",
        ]
    )


def _run(chosen: argparse.Namespace) -> int:
    from ._client import Workspace
    from ._options import preset
    from ._run import run

    settings, rules = _settings(chosen.set), _rules(chosen.fault)
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
