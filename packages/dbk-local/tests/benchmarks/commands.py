"""What a trivial command costs over HTTP: `python packages/dbk-local/tests/benchmarks/commands.py [options]`.

Counts `execute` and every `status` until the result is there, over one connection that stays open, polled without a
pause. Prints p50 and p95 over 200 commands, and the CPU time of server and interpreter, which other work on the machine
hardly changes. Not a test: time on a busy machine says nothing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from dbk_local import Workspace

COMMANDS = 200


class Client:
    """One connection to one context."""

    def __init__(self, workspace: Workspace) -> None:
        self._token = workspace.token
        self._at = {"clusterId": workspace.cluster_id}
        self._connection = http.client.HTTPConnection(urlsplit(workspace.host).netloc)
        self._at["contextId"] = self._ask("POST", "contexts/create", language="python")["id"]

    def _ask(self, method: str, path: str, **fields: str) -> dict:
        body, query = json.dumps({**self._at, **fields}), ""
        if method == "GET":
            body, query = "", "?" + urlencode({**self._at, **fields})
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, f"/api/1.2/{path}{query}", body, headers)
        return json.loads(self._connection.getresponse().read())

    def run(self, text: str) -> dict:
        """The results of a command."""
        command = self._ask("POST", "commands/execute", language="python", command=text)["id"]
        while True:
            answer = self._ask("GET", "commands/status", commandId=command)
            if answer["status"] == "Finished":
                return answer["results"]


def cpu_s(pid: int) -> float:
    """CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spark", action="store_true", help="after the first use of Spark")
    parser.add_argument("--access-mode", default="dedicated")
    chosen = parser.parse_args()
    with Workspace(access_mode=chosen.access_mode, spark=None if chosen.spark else False) as workspace:
        client = Client(workspace)
        client.run("spark.range(3).count()" if chosen.spark else "1")
        pids = (workspace.pid, workspace.contexts()[0]["pid"])
        for _ in range(20):
            client.run("1+1")
        before, times_ms = [cpu_s(pid) for pid in pids], []
        for _ in range(COMMANDS):
            began = time.perf_counter()
            client.run("1+1")
            times_ms.append((time.perf_counter() - began) * 1000)
        used = [(cpu_s(pid) - was) * 1000 / COMMANDS for pid, was in zip(pids, before, strict=True)]
    times_ms.sort()
    print(f"p50 {statistics.median(times_ms):.2f} ms, p95 {times_ms[int(0.95 * COMMANDS)]:.2f} ms a command")
    print(f"CPU {used[0]:.2f} ms in the server, {used[1]:.2f} ms in the interpreter, a command")


if __name__ == "__main__":
    main()
