"""From the first context to the last: nothing stays behind, whatever ends the process."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest
from dbk_session import Finished, Session, Stream
from dbk_session._journal import Entry, Journal
from dbk_session._state_folder import usable_state_folder
from dbk_session._sweep import sweep
from dbk_session._track import Track
from dbk_session._transport import Door, Http
from dbk_session.errors import ContextLostError, SessionNotFound

CLIENT = """
import sys, threading
from dbk_session import Session
session = Session(channel=sys.argv[1])
session.run("1")
session.farewell(f"open({sys.argv[2]!r}, 'w').close()")
while session.channel != sys.argv[1]:
    threading.Event().wait(0.01)
print("ready", session._engine.keeper.link.guard_pid, flush=True)
session.start("import time\\nwhile True: time.sleep(0.01)")
threading.Event().wait()
"""

KILLS = int(os.environ.get("DBK_KILLS", "5"))


@pytest.fixture
def client(workspace, tmp_path):
    """Starts a process with a session in which a command runs; kills what is left at the end."""
    started = []

    def start(channel="spool", code=CLIENT):
        process = subprocess.Popen(
            [sys.executable, "-c", code, channel, str(tmp_path / "farewell")], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def ready(process):
    """The guard's process id, once the client has run its first command."""
    word, pid = process.stdout.readline().split()
    assert word == "ready"
    return int(pid)


def test_closing_leaves_nothing_on_the_cluster_and_nothing_on_disk(workspace, open_session, until, tmp_path):
    session = open_session(channel="spool")
    session.run("1")
    until(lambda: session.channel == "spool")
    spool = Path(session._engine._spool())
    assert spool.exists()

    session.close()

    assert workspace.contexts() == []
    assert list(Journal().entries()) == []
    assert not spool.exists()


@pytest.mark.parametrize(("channel", "how"), [("spool", signal.SIGKILL), ("plain", signal.SIGTERM)])
def test_a_killed_process_leaves_nothing_behind(workspace, client, until, is_gone, tmp_path, channel, how):
    process = client(channel)
    guard = ready(process)

    process.send_signal(how)
    process.wait()

    until(lambda: workspace.contexts() == [])
    until(lambda: is_gone(guard))
    assert list(Journal().entries()) == []
    # Nobody but a control context can do anything while the user's code runs.
    assert (tmp_path / "farewell").exists() or channel == "plain"


def test_a_process_killed_at_any_moment_leaves_nothing_behind(workspace, client, until, is_gone):
    """`DBK_KILLS=50` tries more moments than the five of every run. It stands still while its guard is looked for."""
    moments = random.Random(KILLS)
    for _ in range(KILLS):
        process = client()
        threading.Event().wait(moments.uniform(0.2, 2.0))
        process.send_signal(signal.SIGSTOP)
        until(lambda process=process: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
        guards = [child.pid for child in psutil.Process(process.pid).children()]
        process.kill()
        process.wait()

        until(lambda guards=guards: all(is_gone(guard) for guard in guards))
        assert workspace.contexts() == []
        assert [known for entry in Journal().entries() for known in Journal().contexts(entry.session)] == []


def test_the_guard_survives_a_process_group_that_is_interrupted(workspace, client, until):
    process = client()
    guard = ready(process)

    os.kill(guard, signal.SIGINT)
    os.kill(guard, signal.SIGTERM)
    process.kill()
    process.wait()

    until(lambda: workspace.contexts() == [])


def test_the_next_start_sweeps_what_a_killed_guard_has_left(workspace, client, open_session, until):
    process = client("result")
    guard = ready(process)
    os.kill(guard, signal.SIGKILL)
    process.kill()
    process.wait()
    assert len(workspace.contexts()) == 1

    session = open_session(channel="result")
    session.run("1")

    until(lambda: [context["id"] for context in workspace.contexts()] == [session.context_id])


def test_a_session_whose_guard_was_killed_goes_on(workspace, open_session, until, is_gone):
    session = open_session(channel="result")
    session.run("x = 1")
    guard = session._engine.keeper.link.guard_pid
    os.kill(guard, signal.SIGKILL)
    until(lambda: is_gone(guard))
    workspace.evict(session.context_id)

    assert session.run("print(2)").text == "2"
    session.close()
    assert workspace.contexts() == []


def test_the_journal_is_for_the_user_alone_and_holds_no_token(workspace, open_session, tmp_path):
    session = open_session(channel="result")
    session.run("1")
    folder = tmp_path / "state" / "dbk-session"

    files = [path for path in folder.rglob("*") if path.is_file()]

    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(workspace.token not in path.read_text() for path in files)
    assert any(path.name == f"context-{session.context_id}" for path in files)


def test_where_no_state_can_be_kept_sessions_are_noted_among_temporary_files(open_session, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file" / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    session = open_session(channel="result")
    session.run("1")

    (folder,) = (tmp_path / "temporary").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.session for entry in Journal().entries()] == [path.name for path in folder.iterdir()] != []


@pytest.mark.parametrize("squat", ["open to others", "a link"])
def test_a_temporary_folder_of_somebody_else_is_not_used_for_state(tmp_path, monkeypatch, squat):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = usable_state_folder({"XDG_STATE_HOME": "/dev/null/state"})
    first.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    first.symlink_to(tmp_path / "elsewhere") if squat == "a link" else first.mkdir(mode=0o755)

    second = usable_state_folder({"XDG_STATE_HOME": "/dev/null/state"})

    assert second.parent == tmp_path
    assert second != first
    assert stat.S_IMODE(second.stat().st_mode) == 0o700


def test_the_guard_has_no_token_among_its_arguments(workspace, open_session):
    session = open_session(channel="result")
    session.run("1")

    guard = psutil.Process(session._engine.keeper.link.guard_pid)

    assert workspace.token not in " ".join(guard.cmdline())


def test_a_detached_command_goes_on_and_is_found_again_from_its_start(workspace, open_session, until, tmp_path):
    gate = tmp_path / "gate"
    session = open_session(channel="spool", name="long")
    session.run("x = 1")
    until(lambda: session.channel == "spool")
    command = session.start(
        "import os, time\nprint('first', flush=True)\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nprint('last')"
    )
    next(event for event in command.events() if isinstance(event, Stream))

    assert session.detach() == "long"
    assert (session.state, command.result(60).status) == ("detached", "lost")
    gate.touch()
    with Session.attach("long") as again:
        result = again.attached.result(60)
        assert again.run("print(x + 1)").text == "2"

    assert (again.attached.run_id, result.status, result.stdout) == (command.run_id, "ok", "first\nlast\n")
    assert workspace.contexts() == []


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_a_command_that_ended_before_attaching_is_told_whole(workspace, open_session, until, tmp_path, channel):
    gate, ended = tmp_path / "gate", tmp_path / "ended"
    session = open_session(channel=channel, name="early")
    command = session.start(
        f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
        f"print('all of it'); open({str(ended)!r}, 'w').close()"
    )
    until(lambda: command.state == "running")
    left = session.detach()
    gate.touch()
    until(ended.exists)

    with Session.attach(left) as again:
        until(lambda: again.current is None)
        told = again.attached.result(0)

    assert (told.status, told.stdout) == ("ok", "all of it\n")


@pytest.mark.parametrize("channel", ["result", "plain"])
def test_what_was_started_a_moment_before_goes_on_too(open_session, monkeypatch, tmp_path, channel):
    gate, moves = tmp_path / "gate", Track.on

    def slow(track, happening):
        moves(track, happening)
        if happening == "accepted":
            # The thread that has sent it stands still just here, until the session is left.
            track.over.wait(60)

    monkeypatch.setattr(Track, "on", slow)
    session = open_session(channel=channel, name="prompt")
    session.start(f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\nprint('all of it')")
    name = session.detach()
    gate.touch()

    with Session.attach(name) as again:
        told = again.attached.result(60)

    assert (told.status, told.stdout.strip()) == ("ok", "all of it")


@pytest.mark.parametrize("channel", ["spool", "result"])
def test_another_process_attaches_to_a_running_command(workspace, client, until, tmp_path, channel):
    gate = tmp_path / "gate"
    code = f"""
import sys
from dbk_session import Session
session = Session(channel=sys.argv[1], name="job")
session.run("1")
command = session.start("import os, time\\nprint('first', flush=True)\\n"
    "while not os.path.exists({str(gate)!r}): time.sleep(0.01)\\nprint('last')")
session.detach()
print("ready 0", flush=True)
"""
    process = client(channel, code)
    ready(process)
    process.wait(60)

    with Session.attach("job") as session:
        command = session.attached
        gate.touch()
        result = command.result(60)

    assert (result.status, result.stdout) == ("ok", "first\nlast\n")
    assert workspace.contexts() == []


def test_an_unknown_name_cannot_be_attached_to(workspace):
    with pytest.raises(SessionNotFound, match="nobody"):
        Session.attach("nobody")


def test_attaching_to_an_interpreter_that_is_gone_says_so(workspace, open_session):
    session = open_session(channel="result", name="gone")
    session.run("1")
    context_id = session.context_id
    session.detach()
    workspace.evict(context_id)

    with pytest.raises(ContextLostError, match="'gone' is gone"):
        Session.attach("gone")
    with pytest.raises(SessionNotFound):
        Session.attach("gone")


def test_a_detached_session_is_attached_to_once(workspace, open_session):
    session = open_session(channel="result", name="one")
    session.run("1")
    session.detach()

    with Session.attach("one"), pytest.raises(SessionNotFound):
        Session.attach("one")


def test_leaving_the_with_block_by_an_exception_closes_too(workspace):
    def leave():
        with Session(channel="result") as session:
            session.run("1")
            raise KeyError

    with pytest.raises(KeyError):
        leave()

    assert workspace.contexts() == []


def test_closing_while_a_command_runs_cancels_it(workspace, open_session, until):
    session = open_session(channel="spool")
    session.run("import time")
    command = session.start("print('go', flush=True)\nwhile True: time.sleep(0.01)")
    next(event for event in command.events() if isinstance(event, Stream))

    session.close()

    assert command.result(60).status == "cancelled"
    assert isinstance(list(command.events())[-1], Finished)
    assert workspace.contexts() == []


def test_a_context_whose_creation_got_no_answer_is_known_of_until_the_cluster_stops(workspace, client, until, is_gone):
    workspace.fault("POST /api/1.2/contexts/create", "drop-after")
    process = client("result")
    guard = ready(process)
    process.kill()
    process.wait()
    until(lambda: is_gone(guard))
    journal, http = Journal(), Http(Door(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"}))
    entry = next(journal.orphans())

    still = sweep(journal, [entry], http)
    left = workspace.contexts()
    workspace.terminate_cluster()
    stopped = sweep(journal, [entry], http)
    http.close()

    assert len(left) == len(still) == 1
    assert (still[0].context_id, "the answer never came" in still[0].problem) == ("", True)
    assert (stopped, list(journal.entries())) == ([], [])


def test_an_entry_of_another_machine_is_not_swept(tmp_path):
    journal = Journal(tmp_path)
    journal.write(Entry("a", "", "http://x", "c", node="elsewhere", pid=1))
    journal.write(Entry("b", "", "http://x", "c", pid=2**22 + 1, mark="1"))
    journal.write(Entry("c", "", "http://x", "c", pid=os.getpid()))

    assert [entry.session for entry in journal.orphans()] == ["b"]


def test_a_damaged_entry_is_passed_over(tmp_path):
    journal = Journal(tmp_path)
    journal.write(Entry("a", "", "http://x", "c"))
    (tmp_path / "a" / "session.json").write_text("{")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "session.json").write_text(json.dumps({"odd": 1}))

    assert list(journal.entries()) == []


def test_closing_with_a_dead_connection_does_not_hang(workspace, open_session, until):
    session = open_session(channel="spool")
    session.run("1")
    until(lambda: session.channel == "spool")
    workspace.fault("*", "drop-before", times=None)
    closing = threading.Thread(target=session.close)

    closing.start()
    closing.join(120)
    hangs = closing.is_alive()
    workspace.clear_faults()
    closing.join(60)

    assert not hangs
    until(lambda: workspace.contexts() == [])
