"""How long commands take, beside the plain SDK and the kernel that was there before, at several round trips.

Run by hand on a quiet machine; prints a Markdown table:

    python packages/dbk-session/tests/benchmarks/latency.py --peer /path/to/venv/bin/python

`--peer` is the Python of an environment with `jupyter-databricks-kernel==1.4.1`, whose executor is then measured, too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dbk_local import Workspace
from dbk_session import Session, Stream

ROUND_TRIPS_S = (0.0, 0.02, 0.05, 0.1)
TRIVIAL, SHORT = "1", "import time; time.sleep(0.3)"
PEER = Path(__file__).with_name("peer.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", metavar="PYTHON", help="measure its jupyter-databricks-kernel 1.4.1, too")
    arguments = parser.parse_args()
    os.environ["DATABRICKS_CONFIG_FILE"] = os.devnull
    rows = []
    with Workspace(spark=False) as workspace:
        os.environ.update(workspace.env())
        for round_trip_s in ROUND_TRIPS_S:
            workspace.set_options(latency_s=round_trip_s)
            rows.append((round_trip_s, "dbk-session, spool", own(workspace, "spool")))
            rows.append((round_trip_s, "dbk-session, result", own(workspace, "result")))
            rows.append((round_trip_s, "databricks-sdk waiter", foreign([sys.executable, str(PEER), "sdk"])))
            if arguments.peer:
                rows.append((round_trip_s, "kernel 1.4.1 executor", foreign([arguments.peer, str(PEER), "kernel"])))
            print(f"{round_trip_s * 1000:.0f} ms done", file=sys.stderr)
        workspace.set_options(latency_s=0.05)
        quiet = calls_per_minute(workspace)
    show(rows, quiet)


def own(workspace: Workspace, channel: str) -> dict[str, float]:
    with Session(channel=channel) as session:
        session.run("import time")
        while channel == "spool" and session.channel != "spool":
            time.sleep(0.02)
        return {
            "trivial": median_ms(lambda: session.run(TRIVIAL), 9),
            "short": median_ms(lambda: session.run(SHORT), 5),
            "first": statistics.median(first_output_ms(session) for _ in range(3)),
            "cancel": statistics.median(cancel_ms(session) for _ in range(3)),
            "lines": lines_per_s(session),
        }


def foreign(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def median_ms(work: Callable[[], object], times: int) -> float:
    return statistics.median(took_ms(work) for _ in range(times))


def took_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def first_output_ms(session: Session) -> float:
    """From handing in the command to its first line, for one that goes on for 1.5 s."""
    began = time.perf_counter()
    command = session.start("print('x'); time.sleep(1.5)")
    next(event for event in command.events() if isinstance(event, Stream))
    seen = time.perf_counter()
    command.result()
    return (seen - began) * 1000


def cancel_ms(session: Session) -> float:
    command = session.start("while True: time.sleep(0.01)")
    time.sleep(0.7)
    return took_ms(lambda: (command.cancel(), command.result()))


def lines_per_s(session: Session) -> float:
    code = "for i in range(100_000): print(i)"
    return 100_000 / (took_ms(lambda: session.run(code)) / 1000)


def calls_per_minute(workspace: Workspace) -> tuple[int, int, int]:
    """Of a quiet command in its first and second minute, and of an idle session."""
    with Session(channel="spool") as session:
        session.run("import time")
        time.sleep(2)
        command = session.start("time.sleep(121)")
        workspace.clear_requests()
        time.sleep(60)
        first = len(workspace.requests())
        time.sleep(60)
        second = len(workspace.requests()) - first
        command.result()
        time.sleep(1)
        workspace.clear_requests()
        time.sleep(20)
        return first, second, len(workspace.requests())


def show(rows: list[tuple[float, str, dict[str, float]]], quiet: tuple[int, int, int]) -> None:
    print("| round trip | client | `1` | 0.3 s command | first output | cancel | lines/s |")
    print("|---|---|---|---|---|---|---|")
    for round_trip_s, name, found in rows:
        cells = [f"{found[key]:.0f} ms" if key in found else "-" for key in ("trivial", "short", "first", "cancel")]
        lines = f"{found['lines']:,.0f}" if "lines" in found else "-"
        print(f"| {round_trip_s * 1000:.0f} ms | {name} | {' | '.join(cells)} | {lines} |")
    print(f"\nCalls of a quiet command: {quiet[0]} in its first minute, {quiet[1]} in its second; idle: {quiet[2]}.")


if __name__ == "__main__":
    main()
