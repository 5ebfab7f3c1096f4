"""A failure inside the agent never breaks the user's cell."""

from itertools import groupby
from pathlib import Path

from dbk_session.driver import wire

BREAK = """
import sys as _sys
def _break(module, name, attribute):
    def broken(*args, **kwargs):
        raise RuntimeError('broken on purpose')
    setattr(getattr(_sys.modules['_dbk_agent.agent.' + module], name), attribute, broken)
"""


def broken(driver, module, name, attribute):
    """Make one function of the agent raise."""
    driver.host.command(BREAK + f"_break({module!r}, {name!r}, {attribute!r})")


def notices(outcome):
    """What the agent has said."""
    return [record["text"] for record in outcome.of("notice")]


def test_a_hook_that_raises_gives_way_to_the_original_and_says_so_once(make_driver):
    driver = make_driver()
    driver.host.command(
        "import sys\nsys.modules['_dbk_agent.agent.outputs'].error_content = lambda *a: [][1]",
    )

    first, second = driver.run("1/0"), driver.run("print(1)\n2")

    assert first.frame["status"] == "error"
    assert "ZeroDivisionError" in first.text() + first.rest
    assert [text for text in notices(first) + notices(second) if "switched off" in text] == [
        "CommandShell._showtraceback is switched off in this session: IndexError: list index out of range".replace(
            "CommandShell", "InteractiveShell"
        )
    ]
    assert (second.text(), second.result) == ("1\n", "2")


def test_without_its_frame_a_run_is_still_recorded_and_the_host_has_its_output_back(make_driver):
    driver = make_driver()
    driver.host.command("import sys\nsys.modules['_dbk_agent.agent.cells'].frame_of = lambda *a: [][1]")

    driver.run("x = 1\nx", run="frameless")

    assert driver.call("has", run="frameless")["state"] == "done"
    kinds = [record["t"] for record in driver.records("frameless")]
    assert [kind for kind in kinds if kind != "notice"] == ["start", "result", "done"]
    assert driver.host.command("print(x)") == "1\n"


def test_a_run_whose_start_fails_is_left_to_the_host(make_driver):
    driver = make_driver()
    broken(driver, "scribe", "Scribe", "put")

    first, second = driver.run("print('one')"), driver.run("print('two')")

    assert (first.frame, first.rest) == (None, "one\n")
    assert (second.frame, second.rest) == (None, "two\n")


def test_a_part_that_cannot_begin_is_left_out(make_driver):
    driver = make_driver()
    broken(driver, "stdin", "Stdin", "begin")

    outcome = driver.run("print('works')\n3")

    assert (outcome.text(), outcome.result) == ("works\n", "3")
    assert any("stdin is switched off" in text for text in notices(outcome))
    assert notices(driver.run("1")) == []


def test_where_the_folder_cannot_be_made_records_stay_in_memory(make_driver):
    driver = make_driver(agent={"spool_root": "/proc/nowhere"})

    text = driver.host.command(wire.with_trailer("print('x')\n1", {"run": "r"}))

    assert driver.hello["spool"] is None
    frame, _ = wire.find_frame(text)
    records, _ = wire.read_records(frame["payload"].encode(), driver.key)
    kinds = [kind for kind, _ in groupby(record["t"] for record in records)]
    assert kinds == ["start", "notice", "stream", "result", "done"]
    assert "no place for records" in records[1]["text"]
    piece = driver.call("read", run="r", offset=0)
    assert wire.read_records(wire.unpack_piece(piece), driver.key)[0] == records


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(make_driver):
    driver = make_driver()
    # A full device in place of the run's file: the first write fails.
    driver.host.command("import os")
    Path(driver.hello["spool"], "runs", "full.jsonl").symlink_to("/dev/full")

    text = driver.host.command(wire.with_trailer("print('kept')\n5", {"run": "full"}))

    frame, _ = wire.find_frame(text)
    records, _ = wire.read_records(frame["payload"].encode(), driver.key)
    kinds = [kind for kind, _ in groupby(record["t"] for record in records if record["t"] != "notice")]
    assert kinds == ["start", "stream", "result", "done"]
    piece = driver.call("read", run="full", offset=0)
    assert wire.unpack_piece(piece).startswith(frame["payload"].encode())
    assert driver.run("print('next')").text() == "next\n"


def test_the_folder_is_private(driver):
    folder = Path(driver.hello["spool"])
    driver.run("1", run="private")

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert len(folder.name) > 32


def test_old_runs_are_dropped_and_late_output_of_theirs_goes_to_the_latest(make_driver):
    driver = make_driver()
    driver.run("import threading\ngo = threading.Event()")
    driver.run("thread = threading.Thread(target=lambda: (go.wait(), print('late')))\nthread.start()", run="oldest")
    for number in range(60):
        driver.run("pass", run=f"later-{number}")
    assert not driver.file("oldest").exists()

    outcome = driver.run("go.set()\nthread.join()", run="latest")

    driver.wait_for_text("latest", "late\n")
    assert driver.run("1", run="oldest").frame["kind"] == "refused"
    assert len(list(driver.file("x").parent.iterdir())) <= 52
    assert outcome.frame["status"] == "ok"


def test_an_unknown_operation_and_a_bad_request_are_answered(driver):
    assert driver.call_frame("no_such")["error"]["ename"] == "KeyError"
    frame, _ = wire.find_frame(driver.host.command('__import__("_dbk_agent").call("???")'))
    assert frame["ok"] is False


def test_a_reset_of_the_namespace_does_not_lose_the_agent(make_driver):
    driver = make_driver()
    driver.run("x = 1")
    driver.run("%reset -f")

    assert driver.run("print('there')\n'x' in globals()").text() == "there\n"
    assert driver.run("display(1)").of("display")[0]["data"] == {"text/plain": "1"}
