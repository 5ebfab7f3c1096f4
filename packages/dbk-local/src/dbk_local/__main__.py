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
    text = argparse.RawDescriptionHelpFormatter
    serve = actions.add_parser("serve", help="serve until Ctrl-C", epilog=_epilog(), formatter_class=text)
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
    serve.add_argument("--fault", action="append", default=[], metavar="JSON", help="let requests go wrong")
    routes = actions.add_parser("routes", help="list what is reproduced")
    routes.add_argument("--markdown", action="store_true", help="as the reference page")
    routes.set_defaults(action=_routes)
    return parser


def _epilog() -> str:
    from ._faults import MEANING
    from ._options import MEANINGS

    options = "\n".join(f"  {name:24} {meaning}" for name, meaning in MEANINGS.items())
    faults = "\n".join(f"  {kind:24} {meaning}" for kind, meaning in MEANING.items())
    rule = '{"route": "POST /api/1.2/commands/execute", "kind": "drop-after", "times": 1, "after": 0}'
    return f"options:\n{options}\n\nfaults, as in --fault '{rule}':\n{faults}"


def _rules(texts: Sequence[str]) -> list[dict[str, Any]]:
    from ._faults import Faults
    from .errors import BadFault

    rules = []
    for text in texts:
        try:
            rules.append(json.loads(text))
        except ValueError:
            raise BadFault(f"{text!r} is not JSON") from None
        Faults().add(rules[-1])
    return rules


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
    rules = _rules(chosen.fault)

    async def work() -> None:
        place = (chosen.folder, chosen.host, chosen.port)
        running = chosen.cluster_state == "RUNNING"
        # Signals first: what has been started is always ended in order.
        async with (
            _server.told_to_stop(chosen.until_eof) as stop,
            _server.serving(options, *place, running=running) as site,
        ):
            for rule in rules:
                site.faults.add(rule)
            cluster_id = next(iter(site.clusters))
            about: dict[str, Any] = {"host": site.host, "token": site.token, "cluster_id": cluster_id}
            about |= {"user_name": options.user_name, "pid": os.getpid()}
            print(json.dumps(about) if chosen.json else _banner(about), flush=True)
            await stop.wait()

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


def _routes(chosen: argparse.Namespace) -> int:
    from ._reference import page, plain

    print(page() if chosen.markdown else plain(), end="")
    return 0


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
