"""The control side: what can be done from a second interpreter while the first one is busy."""

import json
import threading
from itertools import groupby

import pytest
from dbk_session.driver import wire


def read_all(control, driver, run_id, length=None):
    """All records of a run, through the control side."""
    data = b""
    while True:
        value = control.call("read", run=run_id, offset=len(data))
        piece = wire.unpack_piece(value)
        data += piece
        if not piece:
            return wire.read_records(data, driver.key)[0]


def test_the_control_side_says_hello_and_can_be_installed_again(control):
    assert (control.hello["kind"], control.hello["role"], control.hello["fresh"]) == ("hello", "control", True)


def test_it_sees_the_agents_folder_and_process(control, driver):
    assert control.call("probe", nonce=driver.hello["nonce"]) == {"shared": True, "pid_visible": True}
    assert control.call("probe", nonce="another")["shared"] is False
    assert control.call("probe", nonce="x", spool="/nowhere")["shared"] is False


def test_records_are_read_while_the_cell_runs(control, driver):
    run_id = driver.start("print('live')\ninput()", allow_stdin=True)

    value = control.call("read", run=run_id, offset=0, wait_s=30)
    driver.wait_for(run_id, "input")
    records = read_all(control, driver, run_id)

    assert value["size"] >= value["bytes"] > 0
    assert value["alive"] is True
    assert [kind for kind, _ in groupby(record["t"] for record in records)] == ["start", "stream", "input"]
    sealed = wire.seal(driver.key, json.dumps({"text": ""}).encode())
    assert control.call("answer", run=run_id, id=records[-1]["id"], sealed=sealed) == {}
    assert driver.finish(run_id).frame["status"] == "ok"


def test_waiting_ends_when_a_record_comes(control, driver, after):
    run_id = driver.start("input('?')", allow_stdin=True)
    driver.wait_for(run_id, "input")
    size = driver.file(run_id).stat().st_size

    question = driver.records(run_id)[-1]["id"]
    after(lambda: driver.answer(run_id, question, "x"))
    value = control.call("read", run=run_id, offset=size, wait_s=60)

    assert value["bytes"] > 0
    driver.finish(run_id)


def test_waiting_for_a_run_that_is_not_there_yet_is_no_error(control):
    value = control.call("read", run="not-yet", offset=0, wait_s=0.05)

    assert (value["bytes"], value["size"], value["alive"]) == (0, 0, True)


def test_settling_ends_with_the_last_record(control, driver):
    outcome = driver.run("1", run="settled")

    value = control.call("read", run="settled", offset=0, settle_s=600)

    assert value["bytes"] == outcome.frame["length"]


def test_what_only_an_earlier_run_writes_may_gather_and_what_this_one_writes_is_told_at_once(control, driver):
    driver.run("print('earlier')", run="earlier")
    late = [{"run": "earlier", "offset": 0}]

    gathered = control.call("read", run="silent", offset=0, wait_s=600, late=late, late_after_s=0.3)
    control.host.start(
        wire.control_text(
            "read", {"spool": driver.hello["spool"], "run": "now", "wait_s": 600, "late": late, "late_after_s": 600}
        )
    )
    outcome = driver.run("1", run="now")
    both = wire.find_frame(control.host.wait()["text"])[0]["value"]

    assert (gathered["bytes"], both["bytes"] > 0, outcome.frame["status"]) == (0, True, "ok")
    for value in (gathered, both):
        kinds = [each["t"] for each in wire.read_records(wire.unpack_piece(value["late"]["earlier"]), driver.key)[0]]
        assert kinds == ["start", "stream", "done"]


def test_what_earlier_runs_write_has_all_the_room_beside_a_silent_one(control, driver):
    driver.run("import random\nprint(random.Random(1).randbytes(20_000).hex())", run="wordy")
    late = [{"run": "wordy", "offset": 0}]

    value = control.call("read", run="silent", offset=0, late=late, max_chars=20_000)

    assert len(value["late"]["wordy"]["data"]) > 15_000


def test_a_wait_that_is_cancelled_loses_nothing(control, driver):
    control.host.start(wire.control_text("read", {"spool": driver.hello["spool"], "run": "not-yet", "wait_s": 600}))
    interrupting = threading.Event()

    def interrupt_until_it_ends():
        while not interrupting.wait(0.2):
            control.host.interrupt()

    thread = threading.Thread(target=interrupt_until_it_ends)
    thread.start()
    text = control.host.wait()["text"]
    interrupting.set()
    thread.join()

    frame, _ = wire.find_frame(text)
    assert frame is None or frame["error"]["ename"] == "KeyboardInterrupt"
    assert control.call("read", run="not-yet", offset=0)["size"] == 0


@pytest.mark.parametrize("run_id", ["../owner", "a/b", "..", ""])
def test_only_runs_can_be_read(control, run_id):
    frame = control.call_frame("read", run=run_id, offset=0)

    assert frame["error"]["ename"] == "ValueError"


def test_a_signal_interrupts_the_cell(control, driver):
    run_id = driver.start("import time\nprint('on')\ntime.sleep(600)")
    driver.wait_for(run_id, "stream")

    assert control.call("signal") == {"how": "signal"}

    assert driver.finish(run_id).error[0] == "KeyboardInterrupt"


def test_an_interrupt_through_the_inbox_reaches_a_busy_agent(control, driver):
    run_id = driver.start("import time\nprint('on')\ntime.sleep(600)")
    driver.wait_for(run_id, "stream")

    message = json.dumps({"type": "interrupt", "run": run_id}).encode()
    control.call("post", sealed=wire.seal(driver.key, message))

    assert driver.finish(run_id).error[0] == "KeyboardInterrupt"


def test_a_forged_message_is_refused_with_a_notice(control, driver):
    run_id = driver.start("input()", allow_stdin=True)
    driver.wait_for(run_id, "input")

    control.call("post", sealed=wire.seal(bytes(32), b'{"type": "interrupt"}'))

    notice = driver.wait_for(run_id, "notice")
    assert "refused" in notice["text"]
    driver.answer(run_id, driver.wait_for(run_id, "input")["id"], "")
    assert driver.finish(run_id).frame["status"] == "ok"


def test_the_snapshot_comes_with_a_stamp(control, driver, wait_until):
    driver.run("snapshot_me = [1]")

    def look():
        value = control.call("snapshot")
        return value if value["size"] and b"snapshot_me" in wire.unpack_piece(value) else None

    value = wait_until(look, "a snapshot with the new name")
    again = control.call("snapshot", stamp=value["stamp"])
    assert (again["unchanged"], again["data"]) == (True, None)


def test_without_spark_there_is_no_progress_and_nothing_to_cancel(control):
    assert control.call("progress", group="g", tag="t") is None
    assert control.call("cancel_spark", group="g")["cancelled"] is False


def test_the_control_context_does_not_grow(control):
    for _ in range(120):
        control.call("read", run="not-yet", offset=0)

    text = control.host.command("print(len(In), sum(map(len, In)))")
    entries, chars = map(int, text.split()[:2])

    assert chars < 2000
    assert entries < 300


def test_cleanup_removes_the_folder_and_only_one_of_ours(control, make_driver, tmp_path):
    driver = make_driver()
    stranger = tmp_path / "stranger"
    stranger.mkdir()

    assert control.call("cleanup", spool=driver.hello["spool"]) == {"removed": True}
    assert control.call_frame("cleanup", spool=str(stranger))["ok"] is False

    assert not driver.file("x").parents[1].exists()
    assert stranger.exists()
    assert driver.run("1").result is None  # nothing on the disk, but
    assert driver.run("1").frame["payload"] is not None


def test_folders_of_killed_interpreters_are_swept(control, make_driver):
    killed, living = make_driver(), make_driver()
    root = str(killed.host.folder)
    killed.host.process.kill()
    killed.host.process.wait(60)

    assert control.call("sweep", root=root)["removed"] == [killed.hello["spool"]]
    assert control.call("sweep", root=str(living.host.folder))["removed"] == []
    assert control.call("read", spool=living.hello["spool"], run="x", offset=0)["alive"] is True
