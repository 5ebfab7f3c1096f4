"""This kernel, its predecessor and a stock ipykernel, asked the same things in one run; prints a Markdown table.

    python packages/jupyter-databricks-kernel/tests/benchmarks/side_by_side.py --peer PYTHON

PYTHON is the interpreter of an environment with `jupyter-databricks-kernel==1.4.1`; without it that column is left out.
The two remote kernels use an embedded workspace with a round trip of 50 ms; each gets a workspace of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from dbk_local import Workspace
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

LATENCY_S = 0.05
ANSWER_WITHIN_S = 15.0


@dataclass
class Outcome:
    """What came back for one cell: the output messages with the seconds they took, and the reply, if any."""

    outputs: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    reply_s: float | None = None

    def text(self, name: str) -> str:
        return "".join(c["text"] for _, kind, c in self.outputs if kind == "stream" and c["name"] == name)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [content for _, kind, content in self.outputs if kind in kinds]


class Probe:
    """One kernel process and the questions it is asked."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient, workspace: Workspace | None) -> None:
        self.manager, self.client, self.workspace = manager, client, workspace

    def run(
        self, code: str, timeout_s: float = 60.0, during: Callable[[Outcome], None] | None = None, **options: Any
    ) -> Outcome:
        """Run a cell and collect its outputs until it is idle and answered, or time is over."""
        outcome, start = Outcome(), time.monotonic()
        request = self.client.execute(code, **options)
        idle = False
        while time.monotonic() - start < timeout_s and not (idle and outcome.reply):
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except Empty:
                message = None
            took = time.monotonic() - start
            if message and message["parent_header"].get("msg_id") == request:
                if message["msg_type"] == "status":
                    idle = idle or message["content"]["execution_state"] == "idle"
                elif message["msg_type"] != "execute_input":
                    outcome.outputs.append((took, message["msg_type"], message["content"]))
            if outcome.reply is None:
                self._reply(request, outcome, took)
            if during:
                during(outcome)
        return outcome

    def _reply(self, request: str, outcome: Outcome, took: float) -> None:
        try:
            reply = self.client.get_shell_msg(timeout=0)
        except Empty:
            return
        if reply["parent_header"].get("msg_id") == request:
            outcome.reply, outcome.reply_s = reply["content"], took

    def ask(self, method: str, *arguments: Any, **options: Any) -> dict[str, Any] | None:
        """A question other than a cell; None when no answer comes."""
        request = getattr(self.client, method)(*arguments, **options)
        end = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end:
            try:
                reply = self.client.get_shell_msg(timeout=0.1)
            except Empty:
                continue
            if reply["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = reply["content"]
                return content
        return None

    def contexts(self) -> int:
        return len(self.workspace.contexts()) if self.workspace else 0


@contextmanager
def started(argv: list[str], workspace: Workspace | None, folder: Path) -> Iterator[Probe]:
    """A kernel process, ready."""
    spec = KernelSpec(argv=argv, display_name="probe", language="python")
    if workspace and argv[0] == sys.executable:
        spec.interrupt_mode = "message"
    manager = KernelManager()
    manager._kernel_spec = spec
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "DBK_"))}
    variables = {**kept, **(workspace.env() if workspace else {}), "DATABRICKS_CONFIG_FILE": os.devnull}
    manager.start_kernel(env=variables, cwd=str(folder), stderr=open(os.devnull, "w"))  # noqa: SIM115 - the child's
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Probe(manager, client, workspace)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=not manager.is_alive())


def yes(fact: object) -> str:
    return "yes" if fact else "no"


def live(probe: Probe) -> str:
    outcome = probe.run("import time\nfor i in range(4):\n    print('line', i, flush=True); time.sleep(0.7)")
    first = [took for took, kind, content in outcome.outputs if kind == "stream" and "line 0" in content["text"]]
    return f"first line after {first[0]:.2f} s of 2.8 s" if first else "no"


def interrupt(probe: Probe) -> str:
    sent: list[float] = []

    def during(outcome: Outcome) -> None:
        if not sent and time.monotonic() - begun > 2.5:
            sent.append(time.monotonic())
            probe.manager.interrupt_kernel()

    begun = time.monotonic()
    outcome = probe.run("import time; time.sleep(30)", timeout_s=20, during=during)
    if outcome.reply is None or not sent:
        return "no reply in 15 s"
    return f"{outcome.reply.get('ename', outcome.reply['status'])} after {outcome.reply_s - (sent[0] - begun):.2f} s"


def asks(probe: Probe) -> str:
    def during(_: Outcome) -> None:
        try:
            probe.client.get_stdin_msg(timeout=0)
        except Empty:
            return
        probe.client.input("42")

    outcome = probe.run("print('got', input('? '))", timeout_s=20, during=during, allow_stdin=True)
    return yes("got 42" in outcome.text("stdout"))


def median(probe: Probe, code: str, times: int) -> str:
    took = [outcome.reply_s for _ in range(times) if (outcome := probe.run(code)).reply_s is not None]
    return f"{statistics.median(took) * 1000:.0f} ms" if took else "-"


def restarts(probe: Probe) -> str:
    before = probe.contexts()
    probe.manager.restart_kernel()
    probe.client.wait_for_ready(timeout=60)
    probe.run("1")
    time.sleep(3)
    return f"{before} before, {probe.contexts()} after" if probe.workspace else "-"


def rows(probe: Probe) -> Iterator[tuple[str, str]]:
    """The table's rows, asked in this order of one kernel."""
    first = probe.run("print('hi')")
    yield "kernel-made outputs in a cell that prints", str(len(first.outputs) - len(first.of("stream")))
    yield "output while the cell runs", live(probe)
    streams = probe.run("import sys\nprint('o'); print('e', file=sys.stderr)")
    yield "stderr apart from stdout", yes(streams.text("stdout") == "o\n" and streams.text("stderr") == "e\n")
    result = probe.run("1 + 2").of("execute_result")
    yield "`execute_result` for an expression", yes(result and result[0]["data"]["text/plain"] == "3")
    html = probe.run("from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))").of("display_data")
    yield "HTML display", yes(any("text/html" in content["data"] for content in html))
    error = probe.run("raise ValueError('boom')").of("error")
    yield "true error name and value", yes([(e["ename"], e["evalue"]) for e in error] == [("ValueError", "boom")])
    probe.run("value = {'a': 1}")
    completion = probe.ask("complete", "value.ke")
    yield "completion of a variable", yes(completion and any("keys" in match for match in completion["matches"]))
    inspection = probe.ask("inspect", "value")
    yield "inspection", yes(inspection and inspection.get("found"))
    complete = probe.ask("is_complete", "for i in x:")
    yield "knows an unfinished line", yes(complete and complete["status"] == "incomplete")
    history = probe.ask("history", hist_access_type="tail", n=3)
    yield "history", yes(history and history["history"])
    expressions = probe.run("", user_expressions={"v": "1 + 1"}).reply or {}
    value = expressions.get("user_expressions", {}).get("v", {})
    yield "user expressions", yes(value.get("data", {}).get("text/plain") == "2")
    yield "`input()`", asks(probe)
    yield "trivial cell", median(probe, "1", 15)
    yield "0.3 s cell", median(probe, "import time; time.sleep(0.3)", 5)
    yield (
        "memory after these cells",
        f"{psutil.Process(probe.manager.provisioner.pid).memory_info().rss / 2**20:.0f} MiB",
    )
    yield "contexts around a restart", restarts(probe)
    yield "interrupt of `time.sleep(30)`", interrupt(probe)


def column(argv: list[str], remote: bool) -> dict[str, str]:
    """The answers of one kernel."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "module.py").write_text("VALUE = 1\n")
        (Path(folder) / "pyproject.toml").write_text("[tool.jupyter-databricks-kernel]\n")
        if not remote:
            with started(argv, None, Path(folder)) as probe:
                return dict(rows(probe))
        with Workspace(latency_s=LATENCY_S) as workspace, started(argv, workspace, Path(folder)) as probe:
            return dict(rows(probe))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter with jupyter-databricks-kernel 1.4.1")
    options = parser.parse_args()
    end = ["-f", "{connection_file}"]
    columns = {"this kernel": column([sys.executable, "-m", "jupyter_databricks_kernel", *end], remote=True)}
    if options.peer:
        columns["1.4.1"] = column([options.peer, "-m", "jupyter_databricks_kernel", *end], remote=True)
    columns["ipykernel (local)"] = column([sys.executable, "-m", "ipykernel_launcher", *end], remote=False)
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for name in columns["this kernel"]:
        print(f"| {name} | " + " | ".join(answers.get(name, "-") for answers in columns.values()) + " |")


if __name__ == "__main__":
    main()
