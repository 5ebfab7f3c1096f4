"""Contexts that go away, connections that break: nothing runs twice, and what is lost is said."""

from __future__ import annotations

import pytest
from dbk_local import Workspace
from dbk_session import ContextLost, ContextOpened, Finished, Notice, Outage, Started, Stream
from dbk_session.errors import ConnectionLost, WorkspaceError

EXECUTE = "POST /api/1.2/commands/execute"
STATUS = "GET /api/1.2/commands/status"
CHANNELS = ["spool", "result"]


@pytest.fixture
def counter(tmp_path):
    """Code that writes down each of its runs, and how many there were."""
    path = tmp_path / "counter"
    path.touch()

    class Counter:
        code = f"with open({str(path)!r}, 'a') as file: file.write('x')\n"

        def count(self):
            return len(path.read_text())

    return Counter()


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def ready(session, until):
    """A session whose control context is up, so that the next request is a command's own."""
    session.run("import time")
    until(lambda: session.channel == "spool")
    return session


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        ("spool", "drop-after"),
        *(("result", kind) for kind in ("drop-after", "drop-before", "half-response", "503", "html")),
    ],
)
def test_a_command_whose_sending_was_unclear_runs_once(workspace, open_session, until, counter, channel, kind):
    session = open_session(channel=channel)
    session.run("1")
    until(lambda: session.channel == channel)
    workspace.fault(EXECUTE, kind)

    result = session.run(f"{counter.code}print('done')")

    assert (result.status, result.stdout, counter.count()) == ("ok", "done\n", 1)
    (struck,) = (request for request in workspace.requests() if request.faults)
    # Where no body was read the request went nowhere; there is one context, then.
    assert struck.body_json is None or struck.body_json["contextId"] == session.context_id


def test_a_throttled_command_is_sent_again_after_the_time_it_was_told(workspace, open_session, counter):
    session = open_session(channel="result")
    session.run("1")
    workspace.fault(EXECUTE, "429", retry_after=1)

    result = session.run(f"{counter.code}print('done')")

    assert (result.status, counter.count()) == ("ok", 1)
    sent = [request for request in workspace.requests() if request.path.endswith("execute")]
    refused = next(i for i, request in enumerate(sent) if request.status == 429)
    assert sent[refused + 1].started_s - sent[refused].ended_s >= 1.0


def test_output_of_a_long_command_is_seen_live_though_its_sending_was_unclear(workspace, open_session, until, tmp_path):
    session = ready(open_session(channel="spool"), until)
    gate = tmp_path / "gate"
    workspace.fault(EXECUTE, "drop-after")

    command = session.start(f"import os, time\nprint('on')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)")
    seen = next(event for event in command.events() if isinstance(event, Stream))
    gate.touch()

    assert seen.text.strip() == "on"
    assert command.result(60).status == "ok"


def test_helper_code_whose_sending_was_unclear_runs_once(workspace, open_session, counter):
    session = open_session(channel="result")
    session.run("1")
    workspace.fault(EXECUTE, "drop-after")

    assert session.call(f"{counter.code}print('helped')") == "helped\n"
    assert counter.count() == 1


def test_a_command_without_an_agent_is_not_sent_again(workspace, open_session, counter, events, until):
    session = open_session(channel="plain")
    session.run("1")
    workspace.fault(EXECUTE, "drop-after")

    command = session.start(counter.code)

    with pytest.raises(ConnectionLost, match="may have run"):
        command.result(60)
    with pytest.raises(ConnectionLost):
        events += command.events()
    assert [event.status for event in of(events, Finished)][-1] == "lost"
    until(counter.count)
    assert session.run("print(1)").text == "1"
    assert counter.count() == 1


@pytest.mark.parametrize(
    ("channel", "kind"),
    [("spool", "drop-after"), *(("result", kind) for kind in ("half-response", "503", "html", "null-results", "429"))],
)
def test_a_status_that_got_lost_is_asked_for_again(workspace, open_session, counter, channel, kind):
    session = open_session(channel=channel)
    session.run("1")
    workspace.fault(STATUS, kind, times=2)

    result = session.run(f"{counter.code}print('done')")

    assert (result.status, result.stdout, counter.count()) == ("ok", "done\n", 1)


@pytest.mark.parametrize("channel", [*CHANNELS, "plain"])
def test_a_workspace_that_stumbles_over_a_question_is_asked_again(workspace, open_session, counter, channel):
    session = open_session(channel=channel)
    session.run("1")
    workspace.fault(STATUS, "status", status=500, times=4)

    result = session.run(f"{counter.code}print('done')")

    assert (result.status, result.stdout, counter.count()) == ("ok", "done\n", 1)
    assert workspace.faults()[0]["hits"] == 4


def test_what_is_not_a_question_is_not_repeated_after_a_stumble(workspace, open_session, counter):
    session = open_session(channel="result")
    session.run("1")
    workspace.fault(EXECUTE, "status", status=500)

    with pytest.raises(WorkspaceError, match="Something went wrong"):
        session.run(counter.code).check()

    assert counter.count() == 0
    assert session.run("print(2)").text == "2"


@pytest.mark.parametrize("channel", [*CHANNELS, "plain"])
def test_a_context_evicted_between_commands_is_replaced_and_the_command_runs_once(
    workspace, open_session, events, counter, channel
):
    session = open_session(channel=channel)
    session.run("x = 1")
    workspace.evict(session.context_id)

    result = session.run(f"{counter.code}print('x' in globals())")

    assert (result.stdout, counter.count()) == ("False\n", 1)
    assert len(of(events, ContextLost)) == 1
    assert len(of(events, ContextOpened)) == 2
    assert [event.run_id for event in of(events, Started)].count(result.run_id) == 1


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_command_whose_context_goes_away_is_lost_and_not_run_again(
    workspace, open_session, events, counter, until, channel
):
    session = open_session(channel=channel)
    session.run("import time")
    command = session.start(f"{counter.code}while True: time.sleep(0.01)")
    until(counter.count)

    workspace.evict(session.context_id)
    result = command.result(60)

    assert (result.status, counter.count()) == ("lost", 1)
    assert "evicted" in of(events, ContextLost)[0].reason
    assert "os._exit" in of(events, ContextLost)[0].reason  # nothing tells a crash by the code from the others
    assert session.run("print(2)").text == "2"
    assert counter.count() == 1


def test_what_a_lost_command_wrote_before_is_shown(workspace, open_session, until):
    session = ready(open_session(channel="spool"), until)
    command = session.start("print('written', flush=True)\nwhile True: time.sleep(0.01)")
    next(event for event in command.events() if isinstance(event, Stream))

    workspace.evict(session.context_id)

    assert command.result(60).stdout == "written\n"


def test_a_driver_restart_is_reported_and_repaired(workspace, open_session, events, counter, until):
    session = ready(open_session(channel="spool"), until)
    command = session.start(f"{counter.code}while True: time.sleep(0.01)")
    until(counter.count)

    workspace.restart_driver()

    assert command.result(60).status == "lost"
    assert len(of(events, ContextLost)) == 1
    assert session.run("print(3)").text == "3"


def test_a_restart_of_python_is_noticed_and_the_agent_installed_again(workspace, open_session, events):
    session = open_session(channel="spool")
    session.run("x = 1")

    restarting = session.run("import os; os.kill(os.getpid(), 9)")
    after = session.run("print('x' in globals())")

    assert restarting.status == "lost"
    assert after.stdout == "False\n"
    assert len(of(events, ContextLost)) == 1


def test_restart_python_of_the_library_keeps_the_session_going(open_session, events):
    session = open_session(channel="result")
    session.run("x = 1")

    session.run("dbutils.library.restartPython()")
    after = session.run("print('x' in globals())\n'value'")

    # The agent is there again before the command is sent, so its value is told apart from what it prints.
    assert (after.stdout, after.data("text/plain")) == ("False\n", "'value'")
    assert len(of(events, ContextLost)) == 1


def test_a_control_context_that_is_evicted_costs_only_the_live_output(workspace, open_session, events, until, tmp_path):
    session = ready(open_session(channel="spool"), until)
    control = next(context["id"] for context in workspace.contexts() if context["id"] != session.context_id)
    workspace.evict(control)

    result = session.run("for i in range(3):\n    print(i, flush=True)\n    time.sleep(0.2)")

    assert (result.status, result.stdout) == ("ok", "0\n1\n2\n")
    assert session.run("print(1)").status == "ok"


def test_an_outage_of_many_polls_loses_nothing(workspace, open_session, events, until):
    session = ready(open_session(channel="spool"), until)
    workspace.fault("*", "drop-before", times=5, after=3)

    result = session.run("for i in range(5):\n    print(i, flush=True)\n    time.sleep(0.1)")

    assert (result.status, result.stdout) == ("ok", "0\n1\n2\n3\n4\n")
    assert of(events, Notice) == []


@pytest.mark.parametrize(("channel", "kind"), [("result", "drop-after"), ("spool", "html")])
def test_an_outage_is_waited_out_in_peace_and_told_once_and_so_is_its_end(
    workspace, open_session, events, until, channel, kind, counter
):
    session = open_session(channel=channel)
    session.run("import time")
    until(lambda: session.channel == channel)
    workspace.fault("*", kind, times=None)
    workspace.clear_requests()

    command = session.start(counter.code + "print('once')")
    until(lambda: of(events, Outage))
    asked = len(workspace.requests())
    workspace.clear_faults()

    assert command.result(60).stdout == "once\n"
    assert counter.count() == 1
    assert asked < 60, "the workspace is asked without a pause"
    assert [(event.text, event.is_over) for event in of(events, Outage)] == [
        (f"Connection lost ({of(events, Outage)[0].cause}); trying again.", False),
        ("Connected again.", True),
    ]


def test_an_outage_of_the_live_channel_alone_is_told_too_and_holds_up_no_question(
    workspace, open_session, events, until
):
    session = ready(open_session(channel="spool"), until)
    session.run("remote_value = 1")
    command = session.start("while True:\n    print('on', flush=True)\n    time.sleep(0.01)")
    until(lambda: of(events, Stream))
    workspace.fault(EXECUTE, "drop-after", times=None)
    until(lambda: of(events, Outage))
    workspace.clear_faults()

    assert session.complete("remote_va").matches == ("remote_value",)
    assert command.state == "running"
    seen = len(of(events, Stream))
    until(lambda: len(of(events, Stream)) > seen)
    assert [event.is_over for event in of(events, Outage)] == [False, True]


def test_a_session_that_gets_no_second_context_falls_back_and_says_so_once(workspace, open_session, events, until):
    refusal = {"status": 400, "code": "QUOTA", "message": "No more contexts for you."}
    workspace.fault("POST /api/1.2/contexts/create", "status", times=None, after=1, **refusal)
    session = open_session(channel="auto")

    session.run("1")
    until(lambda: of(events, Notice))
    result = session.run("print('all')")

    assert result.stdout == "all\n"
    assert session.channel == "result"
    assert "No more contexts for you." in of(events, Notice)[0].text
    assert len(of(events, Notice)) == 1


def test_contexts_that_do_not_share_a_disk_make_the_session_fall_back(
    open_session, events, until, monkeypatch, tmp_path
):
    with Workspace(spark=False, options={"shared_tmp": False}) as apart:
        for name, value in apart.env().items():
            monkeypatch.setenv(name, value)
        with open_session(channel="auto") as session:
            if session.run(f"import os; print(os.path.exists({str(tmp_path)!r}))").text == "True":
                pytest.skip("this machine gives a process no /tmp of its own")
            until(lambda: of(events, Notice))

            assert "do not share a disk" in of(events, Notice)[0].text
            assert session.run("print('all')").stdout == "all\n"
            until(lambda: len(apart.contexts()) == 1)


def test_every_command_finishes_exactly_once(workspace, open_session, events):
    session = open_session(channel="spool")
    session.run("1")
    workspace.fault(EXECUTE, "drop-after")
    session.run("2")
    workspace.evict(session.context_id)
    session.run("3")

    finished = [event.run_id for event in of(events, Finished)]

    assert len(finished) == len(set(finished)) == 3
