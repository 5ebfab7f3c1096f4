"""`dbk-local serve`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import Any

from ._command_line import add_command
from ._workspace_arguments import add_workspace, rules_of, settings_of


def add_serve(commands: Any) -> None:
    """The subcommand `serve`."""
    example = (
        "dbk-local serve --folder ~/workspace --set latency_s=0.1\n"
        'dbk-local serve --fault \'{"route": "POST /api/1.2/commands/execute", "kind": "drop-after"}\''
    )
    serve = add_command(commands, "serve", _serve, "serve a workspace until Ctrl-C", example)
    serve.add_argument("--json", action="store_true", help="say in one line of JSON where it is")
    serve.add_argument("--until-eof", action="store_true", help="end when stdin does, or the parent process")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="a loopback address (%(default)s)")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="0, the default, takes a free one")
    add_workspace(serve)


def _serve(chosen: argparse.Namespace) -> int:
    from . import _server
    from ._driver._spark_home import find_spark, which_spark
    from ._options import preset

    options = preset(chosen.runtime, chosen.access_mode, settings_of(chosen))
    rules = rules_of(chosen)
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
