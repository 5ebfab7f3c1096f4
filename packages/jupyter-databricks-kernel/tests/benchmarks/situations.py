"""The rows that take a kernel or a cluster of their own: starts, ends, limits, and programs that drive kernels."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
from answers import yes
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from probe import Kind, Outcome, Probe, variables

START_S = 8.0
CELLS = ["print('one')", "1 + 1", "1/0", "pass"]
VS_CODE = ["import ipywidgets", "%config Completer.use_jedi = False", "import os; os.environ['A'] = '1'"]
SPARK_JOB = "spark.range(100_000_000).selectExpr('sum(hash(id))').collect()[0][0] is not None"
# From the moment the file is there, the clocks of the process run 300 times as fast.
FAST_CLOCK = """
import os, time
mono, wall, began = time.monotonic, time.time, []
def ahead():
    if not began and os.path.exists(os.environ["FAST_CLOCK_FROM"]):
        began.append(mono())
    return 299 * (mono() - began[0]) if began else 0.0
time.monotonic, time.time = (lambda: mono() + ahead()), (lambda: wall() + ahead())
"""


def interrupt(probe: Probe) -> str:
    sent: list[float] = []

    def during(_: Outcome) -> None:
        if not sent and time.monotonic() - begun > 2.5:
            sent.append(time.monotonic())
            probe.manager.interrupt_kernel()

    begun = time.monotonic()
    outcome = probe.run("import time; time.sleep(30)", timeout_s=20, during=during)
    if outcome.reply is None or outcome.reply_s is None or not sent:
        return "no reply in 15 s"
    return f"{outcome.reply.get('ename', outcome.reply['status'])} after {outcome.reply_s - (sent[0] - begun):.2f} s"


def restart(probe: Probe) -> str:
    before = probe.contexts()
    probe.run("kept = 1")
    probe.manager.restart_kernel()
    probe.client.wait_for_ready(timeout=60)
    fresh = "kept" not in probe.run("print([n for n in dir() if n == 'kept'])").text("stdout")
    time.sleep(3)
    counted = f", contexts {before} before, {probe.contexts()} after" if probe.workspace else ""
    return f"{'fresh' if fresh else 'variables are still there'}{counted}"


def ends(kind: Kind) -> str:
    """How many contexts are left ten seconds after each way to end a kernel."""
    if not kind.remote:
        return "-"
    ways: dict[str, Callable[[Probe], None]] = {
        "shutdown": lambda probe: probe.manager.shutdown_kernel(),
        "SIGTERM": lambda probe: psutil.Process(probe.manager.provisioner.pid).send_signal(signal.SIGTERM),
        "SIGKILL": lambda probe: psutil.Process(probe.manager.provisioner.pid).kill(),
    }
    left = []
    for name, end in ways.items():
        with kind.workspace(spark=False) as workspace, kind.started(workspace) as probe:
            probe.run("1", timeout_s=60)
            end(probe)
            deadline = time.monotonic() + 10
            while probe.contexts() and time.monotonic() < deadline:
                time.sleep(0.1)
            left.append(f"{name} {probe.contexts()}")
    return ", ".join(left)


def parallel(kind: Kind) -> str:
    with kind.workspace(spark=False) as workspace, kind.started(workspace) as one, kind.started(workspace) as two:
        one.run("mine = 1", timeout_s=60)
        two.run("mine = 2", timeout_s=60)
        return yes("1" in one.run("print(mine)").text("stdout") and "2" in two.run("print(mine)").text("stdout"))


def stopped(kind: Kind) -> Iterator[tuple[str, str]]:
    """VS Code's snippets on a stopped cluster, and then a cell, while the cluster takes eight seconds to start."""
    with kind.workspace(spark=False) as workspace:
        if workspace:
            workspace.set_options(start_s=START_S)
            workspace.set_cluster_state("TERMINATED")
            workspace.clear_requests()
        with kind.started(workspace) as probe:
            begun = time.monotonic()
            outcomes = [probe.run(code, store_history=False, timeout_s=60) for code in VS_CODE]
            took = time.monotonic() - begun
            started = workspace and any(
                "clusters/start" in r.path or "contexts" in r.path for r in workspace.requests()
            )
            noise = sum(len(outcome.outputs) for outcome in outcomes)
            yield (
                "VS Code's start-up code, cluster stopped",
                f"{took:.1f} s{', starts the cluster' if started else ''}{f', {noise} outputs' if noise else ''}",
            )
            if not workspace:
                yield f"first sign of a cluster that starts in {START_S:g} s", "-"
                return
            workspace.set_options(start_s=START_S)
            workspace.terminate_cluster()
        with kind.started(workspace) as probe:
            shown = probe.run("print('up')", timeout_s=90, allow_stdin=True).outputs
            yield (
                f"first sign of a cluster that starts in {START_S:g} s",
                f"after {shown[0][0]:.1f} s" if shown else "none",
            )


def long_cell(kind: Kind) -> str:
    """A cell of 25 minutes by the clock of the kernel."""
    with tempfile.TemporaryDirectory() as folder, kind.workspace(spark=False) as workspace:
        (Path(folder) / "sitecustomize.py").write_text(FAST_CLOCK)
        marker = Path(folder) / "now"
        with kind.started(workspace, PYTHONPATH=folder, FAST_CLOCK_FROM=str(marker)) as probe:
            probe.run("import time", timeout_s=60)
            marker.touch()
            outcome = probe.run("for _ in range(52): time.sleep(0.1)\nprint('over')", timeout_s=40)
            reason = (outcome.reply or {}).get("evalue") or "no reply"
            return yes(True) if "over" in outcome.text("stdout") else f"no: {str(reason).splitlines()[0][:60]}"


def progress(kind: Kind) -> str:
    """Whether anything tells of a Spark job while it runs and before its cell prints."""
    if not kind.remote:
        return "-"
    with kind.workspace() as workspace, kind.started(workspace) as probe:
        probe.run("spark.range(1).count()", timeout_s=180)
        shown = probe.run(SPARK_JOB, timeout_s=120, allow_stdin=True).of("display_data", "update_display_data")
        said = [text for content in shown if "spark" in (text := str(content["data"].get("text/plain", ""))).lower()]
        return said[-1] if said else "no"


def saved(kind: Kind) -> str:
    """How many outputs that no code made are in a notebook saved by nbclient."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    with tempfile.TemporaryDirectory() as folder, kind.workspace(spark=False) as workspace:
        spec = Path(folder) / "probe" / "kernel.json"
        spec.parent.mkdir()
        spec.write_text(json.dumps({"argv": kind.argv, "display_name": "probe", "language": "python"}))
        manager = AsyncKernelManager(kernel_name="probe", kernel_spec_manager=KernelSpecManager(kernel_dirs=[folder]))
        client = NotebookClient(nb, km=manager, timeout=60, startup_timeout=60, allow_errors=True)
        client.execute(env=variables(workspace), cwd=folder)
    kinds = [[output["output_type"] for output in cell.outputs] for cell in nb.cells]
    made = sum(len(cell) for cell in kinds) - 3
    if kinds == [["stream"], ["execute_result"], ["error"], []]:
        return "as from ipykernel"
    return f"{made} outputs that no code made" if made > 0 else f"other kinds: {kinds}"


def ready(kind: Kind) -> str:
    took: list[float] = []
    for _ in range(3):
        with kind.workspace(spark=False) as workspace:
            begun = time.monotonic()
            with kind.started(workspace):
                took.append(time.monotonic() - begun)
    return f"{sorted(took)[1]:.2f} s"
