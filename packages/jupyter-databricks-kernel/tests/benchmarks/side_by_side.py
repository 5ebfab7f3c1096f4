"""This kernel, its predecessor and a stock ipykernel, asked the same things in one run; prints a Markdown table.

    python packages/jupyter-databricks-kernel/tests/benchmarks/side_by_side.py --peer PYTHON

PYTHON is the interpreter of an environment with `jupyter-databricks-kernel==1.4.1`; without it that column is left out.
The two remote kernels use an embedded workspace with a round trip of 50 ms; each gets workspaces of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

import psutil
import situations
from answers import ROWS
from probe import Kind

ALONE: dict[str, Callable[[Kind], str]] = {
    "start to ready": situations.ready,
    "contexts left 10 s after": situations.ends,
    "parallel kernels": situations.parallel,
    "a cell of 25 minutes": situations.long_cell,
    "progress of a Spark job": situations.progress,
    "notebook saved by nbclient": situations.saved,
}


def warm(kind: Kind) -> Iterator[tuple[str, str]]:
    """The rows that one kernel answers, one after the other; what ends its interpreter comes last."""
    with kind.workspace() as workspace, kind.started(workspace) as probe:
        probe.run("print('hi')", timeout_s=60)
        for name, ask in ROWS.items():
            yield name, guarded(lambda ask=ask: ask(probe))  # type: ignore[misc]
        memory = psutil.Process(probe.manager.provisioner.pid).memory_info().rss
        yield "memory after these cells", f"{memory / 2**20:.0f} MiB"
        yield "restart", guarded(lambda: situations.restart(probe))
        yield "interrupt of `time.sleep(30)`", guarded(lambda: situations.interrupt(probe))


def guarded(ask: Callable[[], str]) -> str:
    """An answer, or what kept it from being given."""
    try:
        return ask()
    except Exception as error:
        return f"failed: {type(error).__name__}"


def column(kind: Kind) -> dict[str, str]:
    """The answers of one kernel."""
    answers = {}
    for name, answer in rows(kind):
        print(f"  {name}: {answer}", file=sys.stderr, flush=True)
        answers[name] = answer
    return answers


def rows(kind: Kind) -> Iterator[tuple[str, str]]:
    """All rows of one kernel."""
    yield from warm(kind)
    yield from situations.stopped(kind)
    for name, ask in ALONE.items():
        yield name, guarded(lambda ask=ask: ask(kind))  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter with jupyter-databricks-kernel 1.4.1")
    options = parser.parse_args()
    end = ["-f", "{connection_file}"]
    kinds = {"this kernel": Kind([sys.executable, "-m", "jupyter_databricks_kernel", *end], remote=True)}
    if options.peer:
        kinds["1.4.1"] = Kind([options.peer, "-m", "jupyter_databricks_kernel", *end], remote=True)
    kinds["ipykernel (local)"] = Kind([sys.executable, "-m", "ipykernel_launcher", *end], remote=False)
    columns = {name: column(kind) for name, kind in kinds.items()}
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name in columns["this kernel"]:
        print(f"| {name} | " + " | ".join(answers.get(name, "-") for answers in columns.values()) + " |")


if __name__ == "__main__":
    main()
