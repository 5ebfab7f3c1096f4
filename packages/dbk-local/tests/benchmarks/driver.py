"""What contexts and commands of a driver cost: `python packages/dbk-local/tests/benchmarks/driver.py [--spark]`.

Prints medians: time to create a context, its own memory (PSS, Linux), time a trivial command takes. Not a test: time on
a busy machine says nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import tempfile
import time
from pathlib import Path

from dbk_local._driver import open_driver
from dbk_local._seam import ContextHandle, Truth

CONTEXTS = 20
COMMANDS = 300


def pss_mb(pid: int) -> float:
    """Proportional memory of a process, in MB; shared pages are divided among those who share them."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1000 if found else float("nan")


async def timed_commands(context: ContextHandle, truth: Truth) -> list[float]:
    """Milliseconds of each trivial command."""
    times = []
    for number in range(COMMANDS):
        began = time.perf_counter()
        await context.run(str(number), "python", "1+1", truth)
        times.append((time.perf_counter() - began) * 1000)
    return times


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--spark", action="store_true")
    with_spark = parser.parse_args().spark
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roots = {root: folder / root for root in ("dbfs_root", "workspace_root", "volumes_root", "local_disk")}
        truth = Truth(spark="auto" if with_spark else "off", **roots)
        driver = open_driver(truth, folder / "driver")
        began = time.perf_counter()
        await driver.start()
        print(f"driver start          {time.perf_counter() - began:8.2f} s")
        try:
            await measure(driver, truth, with_spark)
        finally:
            began = time.perf_counter()
            await driver.stop()
            print(f"driver stop           {time.perf_counter() - began:8.2f} s")


async def measure(driver, truth: Truth, with_spark: bool) -> None:
    """Contexts first, then commands in the last of them."""
    creations, attachments, contexts = [], [], []
    for number in range(CONTEXTS):
        began = time.perf_counter()
        contexts.append(await driver.create_context(str(number), "python"))
        creations.append(time.perf_counter() - began)
        began = time.perf_counter()
        await contexts[-1].run("0", "python", "spark.version" if with_spark else "1", truth)
        attachments.append(time.perf_counter() - began)
    print(f"context create        {statistics.median(creations) * 1000:8.1f} ms median of {CONTEXTS}")
    print(f"first command         {statistics.median(attachments) * 1000:8.1f} ms median")
    print(f"first command of all  {attachments[0]:8.2f} s")
    print(f"context memory (PSS)  {statistics.median(pss_mb(context.pid) for context in contexts):8.1f} MB median")
    times = sorted(await timed_commands(contexts[-1], truth))
    print(
        f"command 1+1           {statistics.median(times):8.2f} ms median, p95 {times[int(len(times) * 0.95)]:.2f} ms"
    )


asyncio.run(main())
