"""`dbk-local spark`: the Spark versions of the runtimes, which are there and how to get the others."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from ._driver._spark_home import RELEASES, fetched_spark, find_spark, own_spark


def add_spark(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Add the command; `add` makes a subcommand with its action, text and example."""
    example = "dbk-local spark list\ndbk-local spark install 16.4"
    spark = add(commands, "spark", _list, "see or fetch the Spark versions of the runtimes", example)
    actions = spark.add_subparsers(title="commands", metavar="COMMAND")
    text = "fetch the Spark of a runtime, with its Java, into the user's cache"
    install = add(actions, "install", _install, text, "dbk-local spark install 16.4")
    install.add_argument("runtime", choices=sorted(RELEASES), metavar="RUNTIME", help="15.4, 16.4 or 17.3")
    add(actions, "list", _list, "list which Spark each runtime gets", "dbk-local spark list")


def _install(chosen: argparse.Namespace) -> int:
    from ._spark_install import install

    found = install(chosen.runtime, os.environ, lambda text: print(text, file=sys.stderr, flush=True))
    print(f"Clusters of runtime {chosen.runtime} run Apache Spark {found.version}, from {found.site}.")
    return 0


def _list(_chosen: argparse.Namespace) -> int:
    print(f"{'runtime':<9}{'its Spark':<11}{'runs':<9}from")
    for runtime, release in sorted(RELEASES.items()):
        found = find_spark(runtime, os.environ)
        place = "nothing is installed" if found is None else str(found.site or found.home)
        print(f"{runtime:<9}{release.version:<11}{found.version if found else '-':<9}{place}")
    if own_spark() is None and not any(fetched_spark(runtime, os.environ) for runtime in RELEASES):
        print("\npip install 'dbk-local[spark]', or `dbk-local spark install RUNTIME`")
    return 0
