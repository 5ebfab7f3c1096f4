"""What happens while a command runs: live output, input, cancelling, questions about the namespace."""

from __future__ import annotations

import threading

import pytest
from dbk_session import (
    Blocked,
    Comm,
    Completeness,
    Display,
    Failure,
    Finished,
    InputRequest,
    Notice,
    Skipped,
    Started,
    Stream,
    Truncated,
)
from dbk_session._control import Control
from dbk_session._room import SAFE_CHARS
from dbk_session._runner import Runner
from dbk_session._track import Order, Track
from dbk_session.driver import wire
from dbk_session.errors import ContextWedged, StdinNotAllowed

WAIT_FOR = "import os, time\nwhile not os.path.exists({path!r}): time.sleep(0.01)\n"


@pytest.fixture
def session(open_session, until):
    opened = open_session(channel="spool")
    opened.run("import time")
    until(lambda: opened.channel == "spool")
    return opened


def first(command, kind):
    return next(event for event in command.events() if isinstance(event, kind))


def printed(events, run_id):
    return "".join(event.text for event in events if isinstance(event, Stream) and event.run_id == run_id)


def test_output_arrives_while_the_command_runs(session, tmp_path):
    gate = tmp_path / "gate"

    command = session.start(f"print('now')\n{WAIT_FOR.format(path=str(gate))}print('later')")
    seen = first(command, Stream)
    running = command.state
    gate.touch()

    assert (seen.text.strip(), running) == ("now", "running")
    assert command.result().stdout == "now\nlater\n"


def test_live_output_is_neither_lost_nor_doubled_by_the_final_result(session):
    result = session.run("for i in range(20):\n    print(i, flush=True)\n    time.sleep(0.02)")

    assert result.stdout == "".join(f"{i}\n" for i in range(20))


def test_output_of_a_thread_comes_after_the_end_of_its_command(session, events, tmp_path, until):
    gate = tmp_path / "gate"
    wait = WAIT_FOR.format(path=str(gate)).replace("\n", "\n    ")

    result = session.run(
        f"import threading\ndef late():\n    {wait}print('late')\nthreading.Thread(target=late).start()"
    )
    gate.touch()
    until(lambda: printed(events, result.run_id) == "late\n")

    assert isinstance(events[-1], Stream)
    assert result.stdout == ""


def test_late_output_of_the_very_first_command_comes_by_itself(open_session, events, tmp_path, until):
    gate = tmp_path / "gate"
    wait = WAIT_FOR.format(path=str(gate)).replace("\n", "\n    ")
    session = open_session(channel="spool")

    result = session.run(
        f"import threading\ndef late():\n    {wait}print('late')\nthreading.Thread(target=late).start()"
    )
    gate.touch()

    until(lambda: printed(events, result.run_id) == "late\n")


def test_late_output_on_the_result_channel_comes_with_the_next_command(open_session, events, tmp_path, until):
    session = open_session(channel="result")
    gate = tmp_path / "gate"
    wait = WAIT_FOR.format(path=str(gate)).replace("\n", "\n    ")
    result = session.run(
        f"import threading\ndef late():\n    {wait}print('late')\n"
        "thread = threading.Thread(target=late)\nthread.start()"
    )
    assert printed(events, result.run_id) == ""
    gate.touch()

    session.run("thread.join()")

    until(lambda: printed(events, result.run_id) == "late\n")


LATE_WRITER = """
import asyncio, comm, os, sys, threading, time
from IPython.display import display
def until(path):
    while not os.path.exists(path): time.sleep(0.01)
async def until_in_task(path):
    while not os.path.exists(path): await asyncio.sleep(0.01)
shown = display('before', display_id=True)
def thread():
    until({text!r}); sys.stdout.write('late\\n')
    until({shown!r}); shown.update('after')
    until({message!r}); comm.create_comm(target_name='dbk-late')
async def task():
    await until_in_task({text!r}); sys.stdout.write('late\\n')
    await until_in_task({shown!r}); shown.update('after')
    await until_in_task({message!r}); comm.create_comm(target_name='dbk-late')
"""
LATE = {
    "text": lambda event: isinstance(event, Stream) and event.text == "late\n",
    "shown": lambda event: isinstance(event, Display) and event.update,
    "message": lambda event: isinstance(event, Comm) and event.content["target_name"] == "dbk-late",
}
BEGUN = {
    "thread": ("threading.Thread(target=thread).start()", "until({!r})"),
    "task": ("kept = asyncio.get_running_loop().create_task(task())", "await until_in_task({!r})"),
}


@pytest.mark.parametrize(("begin", "wait"), BEGUN.values(), ids=BEGUN)
def test_what_an_earlier_command_writes_late_is_read_with_the_polls_of_the_one_that_runs(
    session, workspace, events, until, tmp_path, begin, wait
):
    pytest.importorskip("comm")  # the interpreters of the workspace have what this one has
    gates = {name: tmp_path / name for name in (*LATE, "end")}
    writer = session.run(LATE_WRITER.format(**{name: str(gate) for name, gate in gates.items()}) + begin)

    def polls():
        asked = [each.body_json["command"] for each in workspace.requests() if each.path.endswith("/commands/execute")]
        calls = [wire.parse_call(text.split('"')[3]) for text in asked if text.startswith('__import__("_dbk_control")')]
        return len([call for call in calls if call[0] == "read" and call[1]["run"] == running.run_id])

    running = session.start(wait.format(str(gates["end"])))
    first(running, Started)
    until(lambda: polls() == 2)  # the one that told of the start, and the one that waits for more
    for nth, (name, is_it) in enumerate(LATE.items(), start=1):
        gates[name].touch()
        until(lambda is_it=is_it: any(is_it(event) and event.run_id == writer.run_id for event in events))
        until(lambda nth=nth: polls() == 2 + nth)  # one answer each, and one question more
    assert running.state == "running"
    gates["end"].touch()

    assert running.result(60).status == "ok"
    assert [type(event) for event in running.result().events] == [Started, Finished]


def test_late_output_of_a_command_that_was_cancelled_comes_by_itself(session, events, until, tmp_path):
    gate = tmp_path / "gate"
    wait = WAIT_FOR.format(path=str(gate)).replace("\n", "\n    ")
    code = f"import threading\ndef late():\n    {wait}print('late')\nthreading.Thread(target=late).start()\n"
    command = session.start(f"{code}print('go', flush=True)\nwhile True: time.sleep(0.01)")
    first(command, Stream)

    command.cancel()
    result = command.result(60)
    gate.touch()

    assert result.status == "cancelled"
    until(lambda: printed(events, result.run_id) == "go\nlate\n")


def test_a_running_command_is_cancelled_and_its_state_stays(session):
    session.run("kept = 5")
    command = session.start("print('go', flush=True)\nwhile True: time.sleep(0.01)")
    first(command, Stream)

    command.cancel()
    result = command.result(60)

    assert result.status == "cancelled"
    assert result.error.ename == "KeyboardInterrupt"
    assert session.run("print(kept)").text == "5"
    assert session.state == "idle"


BROKEN_CALL = """
class Py4JNetworkError(Exception): pass
print('go', flush=True)
try:
    while True: time.sleep(0.01)
except KeyboardInterrupt: pass
{end}
"""


def test_a_call_to_java_that_a_cancel_breaks_ends_as_an_interrupt(session):
    command = session.start(BROKEN_CALL.format(end="raise Py4JNetworkError('Answer from Java side is empty')"))
    first(command, Stream)

    command.cancel()
    result = command.result(60)

    shown = [event for event in result.events if isinstance(event, Failure)]
    assert (result.status, [failure.ename for failure in shown]) == ("cancelled", ["KeyboardInterrupt"])
    text = "\n".join(shown[0].traceback)
    assert "KeyboardInterrupt" in shown[0].traceback[-1]
    assert "raise" in text
    assert "Py4JNetworkError:" not in text


# More than can be read in a while: what is random is not made smaller on its way.
FLOOD = """
import os, time
for _ in range(4_000): print(os.urandom(500).hex())
__import__('_dbk_agent').current().core.scribe.flush()
open({mark!r}, 'w').close()
while True: time.sleep(0.01)
"""


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_a_cancel_of_a_command_that_floods_its_output_ends_it_within_a_few_questions(
    open_session, workspace, events, until, calls, tmp_path, channel
):
    session = open_session(channel=channel)
    session.run("1")
    until(lambda: session.channel == channel)
    mark = tmp_path / "mark"
    command = session.start(FLOOD.format(mark=str(mark)))
    until(mark.exists)
    workspace.clear_requests()

    command.cancel()
    result = command.result(60)
    asked = calls().count("execute")
    after = session.run("print('next')")

    skipped = [event.skipped_bytes for event in result.events if isinstance(event, Skipped)]
    assert (result.status, result.error.ename) == ("cancelled", "KeyboardInterrupt")
    assert len(result.error.traceback) > 1
    assert sum(skipped) > 1_000_000
    assert [type(event) for event in result.events][-3:] in ([Stream, Failure, Finished], [Skipped, Failure, Finished])
    # On one channel the rest of it would be some 75 pieces.
    assert asked < 50
    assert after.stdout == "next\n"
    assert {event.run_id for event in events[events.index(result.events[-1]) + 1 :]} == {after.run_id}


WORDY = """
import random
print(random.Random(1).randbytes({bytes}).hex())
"""


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_much_output_is_read_in_few_pieces_where_the_runtime_allows_it(open_session, workspace, until, calls, channel):
    session = open_session(channel=channel)
    session.run("1")
    until(lambda: session.channel == channel)
    workspace.clear_requests()

    result = session.run(WORDY.format(bytes=500_000))

    assert len(result.stdout) == 1_000_001
    # Half a million random bytes: 670,000 characters, which take 19 pieces of the safe size.
    assert calls().count("execute") <= 18


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_where_an_answer_has_less_room_than_the_runtime_promises_output_is_whole_all_the_same(
    open_session, workspace, until, channel
):
    workspace.set_options(text_cap_bytes=60_000)
    session = open_session(channel=channel)
    session.run("1")
    until(lambda: session.channel == channel)

    result = session.run(WORDY.format(bytes=150_000))

    assert len(result.stdout) == 300_001
    assert session._engine.keeper.interpreter.room.chars < 60_000


def test_the_output_limit_is_told_when_it_is_reached_and_not_when_all_before_it_was_read(
    workspace, open_session, events, until, monkeypatch, tmp_path
):
    monkeypatch.setenv("DBK_OUTPUT_LIMIT_MB", "2")
    session = open_session(channel="spool")
    session.run("import time")
    until(lambda: session.channel == "spool")
    room = session._engine.keeper.interpreter.room
    room.chars = 2_000

    command = session.start(FLOOD.format(mark=str(tmp_path / "mark")))
    until(lambda: any(isinstance(event, Truncated) for event in events))
    read = len(printed(events, command.run_id))
    room.chars = SAFE_CHARS
    command.cancel()
    result = command.result(60)

    assert read < 1_000_000
    assert [event.limit_bytes for event in result.events if isinstance(event, Truncated)] == [2_000_000]


def test_another_error_after_a_cancel_keeps_its_name(session):
    command = session.start(BROKEN_CALL.format(end="raise ValueError('mine')"))
    first(command, Stream)

    command.cancel()
    result = command.result(60)

    assert (result.status, result.error.ename) == ("error", "ValueError")


@pytest.mark.parametrize("channel", ["result", "plain"])
def test_cancelling_works_without_a_live_channel(open_session, until, channel, tmp_path):
    session = open_session(channel=channel)
    mark = tmp_path / "mark"
    command = session.start(f"open({str(mark)!r}, 'w').close()\nwhile True: pass")
    until(mark.exists)

    command.cancel()

    assert command.result(60).status == "cancelled"
    assert session.run("print(1)").text == "1"


class JustNowRunning(Track):
    """A command that ends between the look at its state and what is made of it."""

    state = "running"


def test_a_cancel_that_comes_as_the_command_ends_is_no_error(open_session):
    engine = open_session()._engine
    track = JustNowRunning(Order("1", "r"), engine.bus)
    for happening in ("begin", "ready", "accepted", "final"):
        track.on(happening)

    engine.stops.press(track, Runner(engine, track))

    assert track.finish(Finished("r", "ok"))


def test_cancelling_a_waiting_command_ends_it_without_sending_it(session, workspace, tmp_path):
    gate = tmp_path / "gate"
    running = session.start(WAIT_FOR.format(path=str(gate)))
    waiting = session.start("print('never sent')")

    waiting.cancel()
    result = waiting.result(60)
    gate.touch()
    running.result()

    assert (result.status, result.stdout) == ("cancelled", "")
    assert "never sent" not in str([request.body_json for request in workspace.requests()])


def test_cancelling_the_session_cancels_what_waits_too(session):
    going = "print('go', flush=True)\nwhile True: time.sleep(0.01)"
    commands = [session.start(going), session.start("1"), session.start("2")]
    first(commands[0], Stream)

    session.cancel()

    assert [command.result(60).status for command in commands] == ["cancelled"] * 3


def test_code_that_catches_a_cancel_is_not_interrupted_again(session):
    code = (
        "print('go', flush=True)\n"
        "try:\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n"
        "    for step in range(25):\n        time.sleep(0.2)\n"
        "    print('saved')\n"
    )
    command = session.start(code)
    first(command, Stream)

    command.cancel()
    result = command.result(60)

    assert (result.status, result.stdout) == ("ok", "go\nsaved\n")


def test_each_further_cancel_is_one_more_interrupt(session, events, until):
    code = (
        "print('go', flush=True)\n"
        "for _ in range(3):\n"
        "    try:\n        time.sleep(600)\n    except KeyboardInterrupt: print('no', flush=True)\n"
        "print('out')"
    )
    command = session.start(code)
    until(lambda: "go" in printed(events, command.run_id))
    for count in (1, 2, 3):
        command.cancel()
        until(lambda count=count: printed(events, command.run_id).count("no") == count)

    assert command.result(60).stdout == "go\nno\nno\nno\nout\n"
    assert command.result(60).status == "ok"


def test_a_cancel_that_has_no_effect_is_followed_by_a_signal(session, workspace):
    workspace.fault("POST /api/1.2/commands/cancel", "status", status=200, text="{}")
    command = session.start("print('go', flush=True)\ntime.sleep(600)")
    first(command, Stream)

    command.cancel()
    result = command.result(60)

    assert result.status == "cancelled"


UNSTOPPABLE = (
    "import os, signal\nprint('go', flush=True)\nold = signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "{wait}signal.signal(signal.SIGINT, old)\nprint('late')"
)


def test_a_command_that_does_not_stop_is_answered_all_the_same(session, events, until, tmp_path):
    gate = tmp_path / "gate"
    command = session.start(UNSTOPPABLE.format(wait=WAIT_FOR.format(path=str(gate))))
    first(command, Stream)

    command.cancel()
    result = command.result(60)
    with pytest.raises(ContextWedged, match="still runs"):
        session.call("print(1)")
    waiting = session.start("print('next')")
    until(lambda: any(isinstance(event, Blocked) for event in events))
    state = session.state
    gate.touch()

    assert result.status == "cancelled"
    assert state == "wedged"
    assert any(isinstance(event, Notice) and "did not stop" in event.text for event in events)
    assert waiting.result(60).stdout == "next\n"
    until(lambda: any(isinstance(event, Stream) and event.text == "late\n" for event in events))


def test_a_command_that_waits_for_one_that_does_not_stop_can_be_cancelled(session, events, until, tmp_path):
    gate = tmp_path / "gate"
    command = session.start(UNSTOPPABLE.format(wait=WAIT_FOR.format(path=str(gate))))
    first(command, Stream)
    command.cancel()
    command.result(60)
    waiting = session.start("print('never sent')")
    until(lambda: any(isinstance(event, Blocked) for event in events))

    waiting.cancel()

    assert (waiting.result(60).status, waiting.result(60).stdout) == ("cancelled", "")
    gate.touch()
    assert session.run("1").text == "1"


def test_input_is_asked_for_and_answered(session):
    command = session.start("name = input('Who? ')\nprint('Hello', name)", allow_stdin=True)

    request = first(command, InputRequest)
    command.answer("Ada")

    assert (request.prompt, request.password) == ("Who? ", False)
    assert command.result(60).stdout == "Hello Ada\n"


def test_a_password_is_not_in_any_command(session, workspace):
    command = session.start("import getpass\nsecret = getpass.getpass('PIN: ')", allow_stdin=True)

    request = first(command, InputRequest)
    command.answer("open-sesame")

    assert request.password
    assert command.result(60).status == "ok"
    assert session.run("print(secret)").text == "open-sesame"
    assert "open-sesame" not in str([request.body_json for request in workspace.requests()])


def test_the_end_of_input_is_an_eof_error(session):
    command = session.start("input()", allow_stdin=True)
    first(command, InputRequest)

    command.answer(None)

    assert command.result(60).error.ename == "EOFError"


def test_input_is_refused_at_once_where_nobody_can_answer(session):
    result = session.run("input('Who? ')")

    assert result.error.ename == "StdinNotImplementedError"


def test_a_question_to_nobody_cannot_be_answered(session):
    command = session.start("1")
    command.result()

    with pytest.raises(StdinNotAllowed):
        command.answer("x")


def test_run_answers_through_a_function(session):
    result = session.run("print(input('a') + input('b'))", answer=lambda request: request.prompt * 2)

    assert result.stdout == "aabb\n"


def test_cancelling_breaks_a_wait_for_input(session):
    command = session.start("input('Who? ')", allow_stdin=True)
    first(command, InputRequest)

    command.cancel()

    assert command.result(60).status == "cancelled"
    assert session.run("print(1)").text == "1"


def test_the_debugger_can_be_used(session):
    answers = iter(["p x", "c"])

    result = session.run("x = 41\nimport pdb; pdb.set_trace()\nprint(x + 1)", answer=lambda _: next(answers))

    assert "41" in result.stdout
    assert result.stdout.endswith("42\n")


def test_names_are_completed_by_the_idle_interpreter(session):
    session.run("remote_value = {'a': 1}")
    # An answer that takes too long is given up; the driver may still be loading what completes.
    completion = next(found for found in (session.complete("remote_va") for _ in range(100)) if found.matches)

    assert completion.matches == ("remote_value",)
    assert (completion.cursor_start, completion.cursor_end) == (0, 9)
    assert "keys" in str(session.complete("remote_value.ke").matches)


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_what_completion_needs_is_loaded_after_the_first_command_and_costs_no_call(
    open_session, until, calls, goes_quiet, channel
):
    session = open_session(channel=channel, completion=True)
    session.run("remote_value = 1")
    until(lambda: session.channel == channel)
    goes_quiet(0.2)
    asked = []

    def is_loaded():
        asked.append(session.call("import sys, threading\nprint([each.name for each in threading.enumerate()])"))
        return "dbk-warmup" not in asked[-1]

    until(is_loaded)

    assert calls().count("execute") == len(asked)
    assert session.call("import sys\nprint('jedi.api.helpers' in sys.modules)") == "True\n"
    assert session.complete("remote_va").matches == ("remote_value",)


def test_an_object_is_inspected_by_the_idle_interpreter(session):
    session.run("def doubled(x):\n    'Twice x.'\n    return x * 2")

    inspection = session.inspect("doubled", 3)

    assert inspection.found
    assert "Twice x." in inspection.data["text/plain"]
    assert not session.inspect("nothing_like_it").found


ARROW = """
def arrow(lines):
    return [line.replace('-->', '=') for line in lines]
get_ipython().input_transformers_cleanup.append(arrow)
"""


def test_whether_a_cell_is_complete_is_told_by_the_interpreter_and_its_own_transformers(session, calls, goes_quiet):
    session.run(ARROW)
    goes_quiet(0.2)

    whole = session.is_complete("x --> 1")

    # At no latency at all the first status may come too early, and one more is asked for.
    assert (whole, calls()[:2], calls().count("execute")) == (Completeness("complete"), ["execute", "status"], 1)
    assert session.is_complete("for x in y:") == Completeness("incomplete", "    ")
    assert session.is_complete("a b") == Completeness("invalid")
    assert session.is_complete("%time 1") == Completeness("complete")


def test_whether_a_cell_is_complete_is_told_while_a_command_runs(session, workspace, tmp_path):
    gate = tmp_path / "gate"
    command = session.start(f"print('go', flush=True)\n{WAIT_FOR.format(path=str(gate))}")
    first(command, Stream)
    workspace.clear_requests()

    answers = [session.is_complete("if x:"), session.is_complete("!ls")]
    still_running = command.state
    gate.touch()
    command.result()

    assert answers == [Completeness("incomplete", "    "), Completeness("complete")]
    assert still_running == "running"
    # The control context reads the output meanwhile, by commands of its own; the busy interpreter was asked nothing.
    asked = [request.body_json for request in workspace.requests() if request.path.endswith("/commands/execute")]
    assert session.context_id not in [body["contextId"] for body in asked]


def test_names_are_completed_while_a_command_runs(session, tmp_path):
    session.run("remote_value = {'a': 1}")
    gate = tmp_path / "gate"
    command = session.start(f"print('go', flush=True)\n{WAIT_FOR.format(path=str(gate))}")
    first(command, Stream)

    completion = session.complete("remote_va")
    still_running = command.state
    gate.touch()
    command.result()

    assert completion.matches == ("remote_value",)
    assert still_running == "running"


def test_names_are_completed_while_the_last_command_is_still_tidied_up_after(open_session, monkeypatch):
    session, leave, asked = open_session(channel="result"), Runner._leave, threading.Event()
    session.run("remote_value = 1")

    def slow(runner):
        asked.wait(60)
        leave(runner)

    monkeypatch.setattr(Runner, "_leave", slow)
    session.run("1")
    threading.Timer(0.2, asked.set).start()

    assert session.complete("remote_va").matches == ("remote_value",)


def test_a_quiet_session_makes_no_calls(session, goes_quiet):
    session.run("print(1)")

    goes_quiet(1.5)


def test_a_restart_gives_a_fresh_interpreter(session):
    session.run("x = 1")
    before = session.context_id

    session.restart()

    assert session.run("print('x' in globals())").text == "False"
    assert session.context_id != before


def test_a_restart_stops_what_runs(session):
    command = session.start("print('go', flush=True)\nwhile True: time.sleep(0.01)")
    first(command, Stream)

    session.restart()

    assert command.result(60).status == "cancelled"
    assert session.run("print(2)").text == "2"


def test_every_command_ends_with_one_finished(session):
    command = session.start("print('go', flush=True)\nwhile True: time.sleep(0.01)")
    first(command, Stream)
    command.cancel()
    command.cancel()

    events = list(command.events())

    assert [type(event) for event in events].count(Finished) == 1
    assert events[-1].status == "cancelled"


COMM = """
import comm, time
values = []
def opened(opened_comm, message):
    opened_comm.on_msg(lambda m: (values.append(m['content']['data']), print('handled')))
comm.get_comm_manager().register_target('dbk-test', opened)
"""


def test_a_comm_message_is_handled_by_the_idle_interpreter(session, events):
    pytest.importorskip("comm")  # the interpreters of the workspace have what this one has
    session.run(COMM)

    session.comm("comm_open", {"comm_id": "c", "target_name": "dbk-test", "data": {}})
    session.comm("comm_msg", {"comm_id": "c", "data": 1}, run_id="from-front-end")

    assert session.run("values").text == "[1]"
    assert printed(events, "from-front-end") == "handled\n"


def test_a_comm_message_is_handled_while_a_command_runs(session, events):
    pytest.importorskip("comm")  # the interpreters of the workspace have what this one has
    session.run(COMM)
    session.comm("comm_open", {"comm_id": "c", "target_name": "dbk-test", "data": {}})
    command = session.start("print('go', flush=True)\nwhile not values: time.sleep(0.01)\nprint(values)")
    first(command, Stream)

    session.comm("comm_msg", {"comm_id": "c", "data": 2}, run_id="from-front-end")

    assert command.result(60).stdout == "go\n[2]\n"
    assert printed(events, "from-front-end") == "handled\n"


def test_a_comm_message_that_comes_when_the_command_has_just_ended_is_handled(session, events, monkeypatch, tmp_path):
    pytest.importorskip("comm")  # the interpreters of the workspace have what this one has
    session.run(COMM)
    session.comm("comm_open", {"comm_id": "c", "target_name": "dbk-test", "data": {}})
    gate, ask = tmp_path / "gate", Control.ask
    command = session.start(f"print('go', flush=True)\n{WAIT_FOR.format(path=str(gate))}")
    first(command, Stream)

    def ask_too_late(control, op, arguments):
        if op == "post":
            gate.touch()
            command.result(60)
            threading.Event().wait(0.2)  # the agent has looked for the last time
        return ask(control, op, arguments)

    monkeypatch.setattr(Control, "ask", ask_too_late)
    session.comm("comm_msg", {"comm_id": "c", "data": 3}, run_id="from-front-end")

    assert printed(events, "from-front-end") == "handled\n"
    assert session.run("values").text == "[3]"
    assert printed(events, "from-front-end") == "handled\n"
