"""Measures another client of the same API; `latency.py` starts it, in that client's own environment.

peer.py sdk|kernel times           prints the times as JSON
peer.py sdk|kernel run CODE        says `ready`, waits for a line, runs CODE, says `done`
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable

TRIVIAL, SHORT = "1", "import time; time.sleep(0.3)"
FIRST = "import time; print('x'); time.sleep(1.5)"
LINES, MANY = 100_000, "for i in range(100_000): print(i)"
FOREVER = "import time\nwhile True: time.sleep(0.01)"


class Sdk:
    """The SDK's own command execution, with its waiters."""

    def __init__(self) -> None:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.service.compute import Language

        self.api, self.cluster = WorkspaceClient().command_execution, os.environ["DATABRICKS_CLUSTER_ID"]
        self.language = Language.PYTHON
        self.context = self.api.create(cluster_id=self.cluster, language=self.language).result().id

    def execute(self, code: str) -> object:
        return self.api.execute(cluster_id=self.cluster, context_id=self.context, language=self.language, command=code)

    def run(self, code: str) -> object:
        return self.execute(code).result()

    def cancel_ms(self) -> float:
        """From the call to the final answer. The waiter of `cancel` itself waits for a status that never comes."""
        waiter = self.execute(FOREVER)
        done: list[float] = []

        def wait() -> None:
            try:
                waiter.result()
            finally:
                # A cancelled command may well end as a failed one, which the waiter raises.
                done.append(time.perf_counter())

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(1.2)
        began = time.perf_counter()
        self.api.cancel(cluster_id=self.cluster, context_id=self.context, command_id=waiter.command_id)
        waiting.join()
        return (done[0] - began) * 1000


class Kernel:
    """The executor of jupyter-databricks-kernel 1.4.1. It has no cancel."""

    def __init__(self) -> None:
        from jupyter_databricks_kernel.config import Config
        from jupyter_databricks_kernel.executor import DatabricksExecutor

        self.executor = DatabricksExecutor(Config.load())
        self.executor.create_context()

    def run(self, code: str) -> object:
        return self.executor.execute(code)


def median_ms(run: Callable[[str], object], code: str, times: int) -> float:
    return statistics.median(took_ms(run, code) for _ in range(times))


def took_ms(run: Callable[[str], object], code: str) -> float:
    began = time.perf_counter()
    run(code)
    return (time.perf_counter() - began) * 1000


def times(client: Sdk | Kernel) -> dict[str, float]:
    client.run("1")
    found = {
        "trivial": median_ms(client.run, TRIVIAL, 5),
        "short": median_ms(client.run, SHORT, 3),
        # Nothing is shown before the end, so the first output comes with it.
        "first": median_ms(client.run, FIRST, 3),
        "lines": LINES / (took_ms(client.run, MANY) / 1000),
    }
    if isinstance(client, Sdk):
        found["cancel"] = statistics.median(client.cancel_ms() for _ in range(3))
    return found


if __name__ == "__main__":
    client = {"sdk": Sdk, "kernel": Kernel}[sys.argv[1]]()
    if sys.argv[2] == "times":
        print(json.dumps(times(client)))
    else:
        client.run("import time")
        print("ready", flush=True)
        sys.stdin.readline()
        client.run(sys.argv[3])
        print("done", flush=True)
