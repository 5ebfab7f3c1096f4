"""The main job of the README: a real notebook, through every package, on an embedded workspace with Spark."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid

import nbformat
import psutil
import pytest

pytest.importorskip("pyspark")
pytestmark = pytest.mark.spark

DEMO_DEADLINE_S = 240
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def demo(root, tmp_path):
    """Starts the demo as a shell would, in a session of its own; all that it started ends with the test."""
    mark = uuid.uuid4().hex
    started = []

    def start(*arguments):
        environment = {**os.environ, "DEMO_TEST_MARK": mark, "XDG_STATE_HOME": str(tmp_path / "state")}
        process = subprocess.Popen(
            [sys.executable, root / "docs/examples/demo.py", "--output", tmp_path / "out.ipynb", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        process.mark = mark
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    for left in alive_with(mark):
        left.kill()


def alive_with(mark):
    """Living processes that carry the mark in their environment; a zombie is dead, whoever has yet to collect it."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("DEMO_TEST_MARK") == mark:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_the_demo_runs_the_quick_start_and_shows_it(demo, tmp_path):
    process = demo()
    shown, _ = process.communicate(timeout=DEMO_DEADLINE_S)

    assert process.returncode == 0, shown
    assert "Hello from Databricks!" in shown
    assert "Next:" in shown
    book = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    nbformat.validate(book)
    cells = {cell.id: cell for cell in book.cells}
    hello, package, aggregation, plot, error = (
        cells[name].outputs for name in ("hello", "package", "aggregation", "plot", "error")
    )
    assert [output.output_type for output in hello] == ["stream", "execute_result"]
    assert hello[0].text == "Hello from Databricks!\n"
    assert hello[1].data["text/plain"].strip("'").split(".")[0] in ("3", "4")
    assert [output.text for output in package] == ["warmest: Lisbon\nscratch folder on the cluster: False\n"]
    assert [output.output_type for output in aggregation] == ["display_data"]
    assert "<table" in aggregation[0].data["text/html"]
    for city, mean in (("Berlin", "9.8"), ("Lisbon", "17.3"), ("Oslo", "6.3")):
        assert city in aggregation[0].data["text/html"]
        assert mean in aggregation[0].data["text/html"]
    assert ["image/png" in output.data for output in plot] == [True]
    assert [output.text for output in error] == ["caught: TABLE_OR_VIEW_NOT_FOUND\n"]
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert json.dumps(book).count("dbk:") == 0
    assert not eventually_alive(process.mark)


def test_a_failing_cell_ends_the_demo_with_status_one_and_its_traceback(demo, tmp_path):
    notebook = tmp_path / "broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1/0")]), notebook)

    process = demo(str(notebook))
    shown, _ = process.communicate(timeout=DEMO_DEADLINE_S)

    assert process.returncode == 1
    assert "ZeroDivisionError: division by zero" in ANSI.sub("", shown)
    (output,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs
    assert (output.ename, output.evalue) == ("ZeroDivisionError", "division by zero")


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (signal.SIGKILL, "Starting an embedded"),
        (signal.SIGTERM, "the first Spark cell"),
        (signal.SIGKILL, "Hello from Databricks!"),
        (signal.SIGINT, "Hello from Databricks!"),
        (signal.SIGKILL, ">>> display(per_city)"),
    ],
)
def test_killing_the_demo_leaves_no_process(demo, how, line):
    process = demo()
    assert any(line in shown for shown in process.stdout)

    process.send_signal(how)
    process.wait(timeout=60)

    assert not eventually_alive(process.mark)


def eventually_alive(mark, deadline_s=120.0):
    """Processes with the mark that are still alive at the deadline, or none as soon as there is none."""
    end = time.monotonic() + deadline_s
    while (left := alive_with(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    return [" ".join(process.cmdline()) for process in left if process.is_running()]
