"""Measures another client of the same API; `latency.py` starts it, in that client's own environment."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

TRIVIAL, SHORT = "1", "import time; time.sleep(0.3)"


def sdk() -> Callable[[str], object]:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.compute import Language

    client, cluster = WorkspaceClient(), os.environ["DATABRICKS_CLUSTER_ID"]
    context = client.command_execution.create(cluster_id=cluster, language=Language.PYTHON).result()

    def run(code: str) -> object:
        return client.command_execution.execute(
            cluster_id=cluster, context_id=context.id, language=Language.PYTHON, command=code
        ).result()

    return run


def kernel() -> Callable[[str], object]:
    from jupyter_databricks_kernel.config import Config
    from jupyter_databricks_kernel.executor import DatabricksExecutor

    executor = DatabricksExecutor(Config.load())
    executor.create_context()
    return executor.execute


def median_ms(run: Callable[[str], object], code: str, times: int) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run(code)
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


if __name__ == "__main__":
    run = {"sdk": sdk, "kernel": kernel}[sys.argv[1]]()
    run("1")
    print(json.dumps({"trivial": median_ms(run, TRIVIAL, 5), "short": median_ms(run, SHORT, 3)}))
