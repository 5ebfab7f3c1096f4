"""Cells that take longer than any limit somebody might have built in (check 27)."""

import pytest

# Loaded by Python at its start: from the moment the marker is there, the kernel's clocks run 300 times as fast.
FAST_CLOCK = """
import os, time

marker, mono, wall = os.environ["FAST_CLOCK_FROM"], time.monotonic, time.time
began, told = [], [0.0]


def ahead_s():
    if not began and os.path.exists(marker):
        began.append(mono())
    ahead = 299 * (mono() - began[0]) if began else 0.0
    if ahead > told[0] + 60:
        told[0] = ahead
        with open(f"{marker}.{os.getpid()}.new", "w") as file:
            file.write(str(ahead))
        os.replace(file.name, f"{marker}.{os.getpid()}")
    return ahead


time.monotonic = lambda: mono() + ahead_s()
time.time = lambda: wall() + ahead_s()
"""


@pytest.fixture
def fast(tmp_path):
    """The variables that give a process the clock above, and the marker that starts it."""
    (tmp_path / "sitecustomize.py").write_text(FAST_CLOCK, "utf-8")
    marker = tmp_path / "now"
    return {"PYTHONPATH": str(tmp_path), "FAST_CLOCK_FROM": str(marker)}, marker


def test_check_27_a_cell_of_25_minutes_ends_well(fast, workspace, environment, start_kernel, make_project):
    variables, marker = fast
    with start_kernel(environment(workspace, **variables), make_project()) as kernel:
        kernel.client.run("import time")
        marker.touch()
        answer = kernel.client.run("for minute in range(26):\n    print(minute)\n    time.sleep(0.2)\n'over'")
        told = marker.with_name(f"{marker.name}.{kernel.pid}")
        passed_s = float(told.read_text())

    assert answer.result["text/plain"] == "'over'"
    assert answer.stdout == "".join(f"{minute}\n" for minute in range(26))
    assert answer.stderr == ""
    assert passed_s > 25 * 60
