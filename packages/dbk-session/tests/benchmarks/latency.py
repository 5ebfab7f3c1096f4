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
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dbk_config import Secret, Settings
from dbk_local import Workspace
from dbk_session import Session, Stream

ROUND_TRIPS_S = (0.0, 0.02, 0.05, 0.1)
TRIVIAL, SHORT = "1", "import time; time.sleep(0.3)"
QUIET = "import time; time.sleep(60)"
BUSY = "for i in range(600):\n    print(i, flush=True)\n    time.sleep(0.1)"
PEER = Path(__file__).with_name("peer.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", metavar="PYTHON", help="measure its jupyter-databricks-kernel 1.4.1, too")
    arguments = parser.parse_args()
    os.environ["DATABRICKS_CONFIG_FILE"] = os.devnull
    others = {"databricks-sdk waiter": [sys.executable, str(PEER), "sdk"]}
    if arguments.peer:
        others["kernel 1.4.1 executor"] = [arguments.peer, str(PEER), "kernel"]
    rows = []
    with Workspace(spark=False) as workspace:
        os.environ.update(workspace.env())
        for round_trip_s in ROUND_TRIPS_S:
            workspace.set_options(latency_s=round_trip_s)
            rows.append((round_trip_s, "dbk-session, spool", own(workspace, "spool")))
            rows.append((round_trip_s, "dbk-session, result", own(workspace, "result")))
            rows += [(round_trip_s, name, foreign(command)) for name, command in others.items()]
            print(f"{round_trip_s * 1000:.0f} ms done", file=sys.stderr)
    show_times(rows)
    show_calls(calls_per_minute(others))


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
    done = subprocess.run([*command, "times"], capture_output=True, text=True, check=True, env=outside())
    return dict(json.loads(done.stdout.splitlines()[-1]))


def outside() -> dict[str, str]:
    """The environment for another client's process: no package of ours may stand in for its own."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


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


def calls_per_minute(others: dict[str, list[str]]) -> dict[str, list[int]]:
    """Requests in the first minute of a quiet command, of one that prints ten lines a second, and of an idle session.

    All clients at once, each with a workspace of its own, for they only wait.
    """
    found: dict[str, list[int]] = {}

    def count(name: str, work: Callable[[Workspace], list[int]]) -> None:
        with Workspace(spark=False, latency_s=0.05) as workspace:
            found[name] = work(workspace)

    clients: dict[str, Callable[[Workspace], list[int]]] = {
        "dbk-session, spool": lambda workspace: own_calls(workspace, "spool"),
        "dbk-session, result": lambda workspace: own_calls(workspace, "result"),
        **{name: partial(foreign_calls, command) for name, command in others.items()},
    }
    threads = [threading.Thread(target=count, args=item) for item in clients.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: found[name] for name in clients}


def own_calls(workspace: Workspace, channel: str) -> list[int]:
    token = Secret(workspace.token)
    settings = Settings(host=workspace.host, token=token, cluster_id=workspace.cluster_id)
    with Session(settings, channel=channel) as session:
        session.run("import time")
        time.sleep(2)
        counts = [requests_of(workspace, lambda code=code: session.run(code)) for code in (QUIET, BUSY)]
        time.sleep(1)
        return [*counts, requests_of(workspace, lambda: time.sleep(20))]


def foreign_calls(command: list[str], workspace: Workspace) -> list[int]:
    return [foreign_count(workspace, [*command, "run", code]) for code in (QUIET, BUSY)] + [0]


def foreign_count(workspace: Workspace, command: list[str]) -> int:
    environment = {**outside(), **workspace.env()}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()

        def work() -> None:
            process.stdin.write("go\n")
            process.stdin.flush()
            process.stdout.readline()

        return requests_of(workspace, work)


def requests_of(workspace: Workspace, work: Callable[[], object]) -> int:
    workspace.clear_requests()
    work()
    return len(workspace.requests())


def show_times(rows: list[tuple[float, str, dict[str, float]]]) -> None:
    print("| round trip | client | `1` | 0.3 s command | first output | cancel | lines/s |")
    print("|---|---|---|---|---|---|---|")
    for round_trip_s, name, found in rows:
        cells = [f"{found[key]:.0f} ms" if key in found else "-" for key in ("trivial", "short", "first", "cancel")]
        print(f"| {round_trip_s * 1000:.0f} ms | {name} | {' | '.join(cells)} | {found['lines']:,.0f} |")


def show_calls(counts: dict[str, list[int]]) -> None:
    print("\n| client | calls of a quiet minute | calls of a busy minute | calls of 20 idle seconds |")
    print("|---|---|---|---|")
    for name, numbers in counts.items():
        print(f"| {name} | {' | '.join(map(str, numbers))} |")


if __name__ == "__main__":
    main()
