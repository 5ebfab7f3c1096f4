"""The command line: `dbk-local serve`, `dbk-local run -- CMD`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import LocalError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        status: int = chosen.action(chosen)
    except LocalError as error:
        print(f"dbk-local: {error}", file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "dbk-local", description="An embedded Databricks-compatible workspace on 127.0.0.1."
    )
    actions = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = actions.add_parser("serve", help="serve until Ctrl-C")
    serve.add_argument("--json", action="store_true", help="say where it is in one line of JSON")
    serve.add_argument("--until-eof", action="store_true", help="end when stdin does")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one")
    serve.set_defaults(action=_serve)
    run = actions.add_parser("run", help="run a command with a workspace of its own, for as long as it takes")
    run.add_argument("command", nargs="+", metavar="CMD")
    run.set_defaults(action=_run)
    for action in (serve, run):
        action.add_argument("--folder", type=Path, help="keep files here; without it they are gone at the end")
        action.add_argument("--runtime", default="17.3", help="15.4, 16.4 or 17.3")
        action.add_argument("--access-mode", default="dedicated", help="dedicated, standard or no-isolation")
        action.add_argument("--cluster-state", default="RUNNING", choices=["RUNNING", "TERMINATED"])
        action.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="set a named option")
    return parser


def _settings(pairs: Sequence[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            chosen[name] = json.loads(value)
        except ValueError:
            chosen[name] = value
    return chosen


def _serve(chosen: argparse.Namespace) -> int:
    from . import _server
    from ._options import preset

    options = preset(chosen.runtime, chosen.access_mode, _settings(chosen.set))

    async def work() -> None:
        running = chosen.cluster_state == "RUNNING"
        async with _server.serving(options, chosen.folder, chosen.host, chosen.port, running=running) as site:
            cluster_id = next(iter(site.clusters))
            about: dict[str, Any] = {"host": site.host, "token": site.token, "cluster_id": cluster_id}
            about |= {"user_name": options.user_name, "pid": os.getpid()}
            print(json.dumps(about) if chosen.json else _banner(about), flush=True)
            await _server.told_to_stop(chosen.until_eof)

    asyncio.run(work())
    return 0


def _banner(about: dict[str, Any]) -> str:
    return "\n".join(
        [
            "An embedded Databricks workspace is running. In another terminal:",
            "",
            f"  export DATABRICKS_HOST={about['host']}",
            f"  export DATABRICKS_TOKEN={about['token']}",
            f"  export DATABRICKS_CLUSTER_ID={about['cluster_id']}",
            "",
            f"See what happens in it: {about['host']}/#token={about['token']}",
            "Ctrl-C ends it.",
        ]
    )


def _run(chosen: argparse.Namespace) -> int:
    from ._client import Workspace
    from ._run import run

    workspace = Workspace(
        chosen.runtime,
        chosen.access_mode,
        folder=chosen.folder,
        cluster_state=chosen.cluster_state,
        options=_settings(chosen.set),
    )
    with workspace:
        return run(chosen.command, workspace.env())


if __name__ == "__main__":
    sys.exit(main())
