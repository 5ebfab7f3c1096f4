"""What must hold on every runtime and in every access mode: how many calls, how soon, and nothing lost.

Times have room for a slow machine; `DBK_CHAOS=full` watches a quiet command for a whole minute, the suite for seconds.
"""

from __future__ import annotations

import os
import secrets
import time

import pytest
from dbk_session import ContextLost, Stream

pytestmark = pytest.mark.every_preset

ROUND_TRIP_S = 0.05
WHOLE = os.environ.get("DBK_CHAOS") == "full"
QUIET_S, MOST_CALLS = (60.0, 60) if WHOLE else (3.0, 30)
# What the machine may add beyond what is promised for a quiet one.
SLACK_S = 2.0


@pytest.fixture
def session(open_session, workspace, until):
    """Ready, with its live channel, and every request a round trip away."""
    opened = open_session(channel="spool")
    opened.run("import os, time")
    until(lambda: opened.channel == "spool")
    workspace.set_options(latency_s=ROUND_TRIP_S)
    workspace.clear_requests()
    return opened


def best_of(times, work):
    """The shortest of several tries: the machine may be busy with something else."""
    return min(work() for _ in range(times))


def took_s(work):
    began_s = time.monotonic()
    work()
    return time.monotonic() - began_s


@pytest.mark.parametrize("channel", ["spool", "result", "plain"])
def test_every_channel_gives_what_is_printed_and_what_failed(open_session, channel):
    session = open_session(channel=channel)

    assert session.run("print('one'); print('zwei: ä ☃')").stdout.rstrip() == "one\nzwei: ä ☃"
    failed = session.run("print('before')\n1/0")
    assert (failed.status, failed.error.ename) == ("error", "ZeroDivisionError")
    assert session.run("print(6 * 7)").text == "42"


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_values_displays_and_large_output_are_whole(open_session, channel):
    session = open_session(channel=channel)

    result = session.run("from IPython.display import HTML, display\ndisplay(HTML('<b>1</b>'))\n'value'")
    large = session.run("import random\nr = random.Random(1)\nprint(r.randbytes(60_000).hex())")

    assert [shown.data["text/html"] for shown in result.displays] == ["<b>1</b>"]
    assert result.result.data["text/plain"] == "'value'"
    assert len(large.stdout) == 120_001


def test_a_trivial_command_takes_three_round_trips(session, workspace, calls):
    def takes_three():
        workspace.clear_requests()
        session.run("1")
        return calls().count("execute") == 1 and len(calls()) <= 3

    least = best_of(4, lambda: took_s(lambda: session.run("1")))

    assert least < 3 * ROUND_TRIP_S + 0.05 + SLACK_S
    # On a busy machine a command may not have ended when it is first asked for.
    assert any(takes_three() for _ in range(30))


def test_a_short_command_ends_soon_after_its_end(session):
    least = best_of(2, lambda: took_s(lambda: session.run("time.sleep(0.3)")))

    assert least < 0.3 + 3 * ROUND_TRIP_S + 0.1 + SLACK_S


def test_the_first_print_of_a_long_command_is_seen_soon(session, tmp_path):
    def first_print_s():
        gate = tmp_path / secrets.token_hex(4)
        command = session.start(f"print('now', flush=True)\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)")
        seconds = took_s(lambda: next(event for event in command.events() if isinstance(event, Stream)))
        assert not command.done
        gate.touch()
        assert command.result(60).status == "ok"
        return seconds

    assert best_of(2, first_print_s) < 0.4 + SLACK_S


def test_a_quiet_command_costs_few_calls_and_an_idle_session_none(session, workspace, goes_quiet):
    command = session.start(f"time.sleep({QUIET_S})")

    assert command.result(QUIET_S + 60).status == "ok"
    assert len(workspace.requests()) <= MOST_CALLS
    goes_quiet(0.5)


def test_a_command_that_keeps_printing_costs_few_calls(session, workspace):
    code = "for number in range(60):\n    print(number, flush=True)\n    time.sleep(0.1)"
    results = []

    seconds = took_s(lambda: results.append(session.run(code)))

    assert results[0].stdout == "".join(f"{number}\n" for number in range(60))
    assert len(workspace.requests()) <= 8 + 5 * seconds


def test_a_cancel_ends_a_command_and_keeps_its_state(session):
    session.run("kept = 5")
    command = session.start("print('go', flush=True)\nwhile True: time.sleep(0.01)")
    next(event for event in command.events() if isinstance(event, Stream))

    command.cancel()
    result = command.result(60)

    assert (result.status, result.error.ename, result.stdout) == ("cancelled", "KeyboardInterrupt", "go\n")
    assert session.run("print(kept)").text == "5"


def test_a_lost_context_is_told_and_repaired_and_nothing_runs_again(session, workspace, events, until, tmp_path):
    path = tmp_path / "counter"
    command = session.start(
        f"print('go', flush=True)\nopen({str(path)!r}, 'a').write('x')\nwhile True: time.sleep(0.01)"
    )
    until(lambda: path.exists() and path.read_text())
    next(event for event in command.events() if isinstance(event, Stream))

    workspace.evict(session.context_id)

    result = command.result(60)
    assert (result.status, result.stdout) == ("lost", "go\n")
    assert session.run("print(2)").text == "2"
    assert [type(event) for event in events].count(ContextLost) == 1
    assert path.read_text() == "x"


def test_an_answer_that_is_lost_runs_nothing_twice(session, workspace, tmp_path):
    path = tmp_path / "counter"
    workspace.fault("POST /api/1.2/commands/execute", "drop-after")

    result = session.run(f"open({str(path)!r}, 'a').write('x')\nprint('done')")

    assert (result.status, result.stdout, path.read_text()) == ("ok", "done\n", "x")
