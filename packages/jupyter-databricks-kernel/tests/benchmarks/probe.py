"""A kernel process and a client of it, for the comparison."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from dbk_local import Workspace
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

LATENCY_S = 0.05
ANSWER_WITHIN_S = 15.0
PROJECT = {
    "module.py": "VALUE = 1\n",
    "other.py": "# Databricks notebook source\nfrom_the_other = 7\n",
    "pyproject.toml": "[tool.jupyter-databricks-kernel]\n",
}


@dataclass
class Outcome:
    """What came back for one cell: the output messages with the seconds they took, and the reply, if any."""

    outputs: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    reply_metadata: dict[str, Any] = field(default_factory=dict)
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
            outcome.reply_metadata = reply["metadata"]

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

    def control(self, kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
        """A request on the control channel; None when no answer comes."""
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        end = time.monotonic() + ANSWER_WITHIN_S / 3
        while time.monotonic() < end:
            try:
                reply = self.client.get_control_msg(timeout=0.1)
            except Empty:
                continue
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                answer: dict[str, Any] = reply["content"]
                return answer
        return None

    def answering(self, code: str, *answers: str) -> Outcome:
        """Run a cell that asks, and type these answers."""
        left = list(answers)

        def during(_: Outcome) -> None:
            try:
                self.client.get_stdin_msg(timeout=0)
            except Empty:
                return
            self.client.input(left.pop(0) if left else "\x04")

        return self.run(code, timeout_s=20, during=during, allow_stdin=True)

    def contexts(self) -> int:
        return len(self.workspace.contexts()) if self.workspace else 0


@dataclass(frozen=True)
class Kind:
    """One of the kernels: how it is started, and whether it needs a workspace."""

    argv: list[str]
    remote: bool

    @contextmanager
    def workspace(self, **options: Any) -> Iterator[Workspace | None]:
        """A workspace of its own, None for a local kernel."""
        if not self.remote:
            yield None
            return
        with Workspace(latency_s=LATENCY_S, **options) as running:
            yield running

    @contextmanager
    def started(self, workspace: Workspace | None, **variables: str) -> Iterator[Probe]:
        """A kernel process, ready, in a project of its own."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in PROJECT.items():
                (Path(folder) / name).write_text(text)
            with started(self.argv, workspace, Path(folder), variables) as probe:
                yield probe


def variables(workspace: Workspace | None) -> dict[str, str]:
    """The variables of a kernel process: those of this one, with a workspace where one is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "DBK_"))}
    return {**kept, **(workspace.env() if workspace else {}), "DATABRICKS_CONFIG_FILE": os.devnull}


@contextmanager
def started(argv: list[str], workspace: Workspace | None, folder: Path, more: dict[str, str]) -> Iterator[Probe]:
    """A kernel process, ready."""
    spec = KernelSpec(argv=argv, display_name="probe", language="python")
    if workspace and argv[0] == sys.executable:
        spec.interrupt_mode = "message"
    manager = KernelManager()
    manager._kernel_spec = spec
    manager.start_kernel(env={**variables(workspace), **more}, cwd=str(folder), stderr=open(os.devnull, "w"))  # noqa: SIM115 - the child's
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Probe(manager, client, workspace)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=not manager.is_alive())
