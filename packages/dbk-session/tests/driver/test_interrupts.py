"""A cancel reaches the cell, is recorded, and leaves the interpreter as it was."""

import pytest

WAITING = {
    "sleep": "import time\nprint('on')\ntime.sleep(600)",
    "loop": "print('on')\nwhile True:\n    pass",
    "child": "import subprocess\nprint('on')\nsubprocess.run(['sleep', '600'])",
    "await": "import asyncio\nprint('on')\nawait asyncio.sleep(600)",
    "script": "%sh\necho on\nsleep 600",
    "lock": "import threading\nprint('on')\nthreading.Event().wait()",
    "output": "print('on')\nwhile True:\n    print('x' * 100)",
}


@pytest.mark.parametrize("name", list(WAITING))
def test_an_interrupted_cell_ends_with_keyboard_interrupt(driver, name):
    driver.run("kept = 5")
    run_id = driver.start(WAITING[name])
    driver.wait_for(run_id, "stream")

    driver.host.interrupt()
    outcome = driver.finish(run_id)

    (ename,) = [error["ename"] for error in outcome.of("error")]
    # What IPython makes of an awaited cell's interrupt differs by its version.
    assert ename == "KeyboardInterrupt" or (name, ename) == ("await", "CancelledError")
    assert outcome.frame["status"] == "error"
    assert outcome.text().startswith("on\n")
    assert driver.run("kept").result == "5"


def test_records_are_on_the_disk_also_when_the_frame_is_lost(driver):
    run_id = driver.start("print('before')\nimport time\ntime.sleep(600)", run="lost-frame")
    driver.wait_for(run_id, "stream")
    driver.host.interrupt()
    driver.host.wait()  # a cancelled command's text is thrown away by the API

    known = driver.call("has", run="lost-frame")

    assert known["state"] == "done"
    assert [record["t"] for record in driver.records(run_id, known["length"])][-2:] == ["error", "done"]


def test_a_cell_that_catches_the_interrupt_goes_on(driver):
    run_id = driver.start(
        "import time\ntry:\n    print('on')\n    time.sleep(600)\n"
        "except KeyboardInterrupt:\n    print('caught')\n'value'"
    )
    driver.wait_for(run_id, "stream")

    driver.host.interrupt()
    outcome = driver.finish(run_id)

    assert outcome.text() == "on\ncaught\n"
    assert outcome.result == "'value'"
    assert outcome.frame["status"] == "ok"


def test_many_interrupts_at_any_moment_never_tear_a_record(make_driver, wait_until):
    driver = make_driver()
    for round_number in range(5):
        run_id = driver.start("while True:\n    print('x' * 50)", run=f"torn-{round_number}")
        driver.wait_for(run_id, "stream")
        for _ in range(3):
            driver.host.interrupt()
        text = driver.host.wait()["text"]
        assert "Fatal" not in text
        wait_until(lambda name=run_id: driver.call("has", run=name)["state"] == "done", "the end of the run")
        records = driver.records(run_id)  # checks every signature
        assert [record["n"] for record in records] == list(range(1, len(records) + 1))
        assert "done" in [record["t"] for record in records]

    assert driver.run("1").result == "1"


def test_an_interrupt_between_cells_changes_nothing(driver):
    driver.run("kept = 6")

    driver.host.interrupt()

    assert driver.run("kept").result == "6"


BROKEN_CALL = """
import time
class Py4JNetworkError(Exception): pass
def call():
    try:
        print('on')
        time.sleep(600)
    except KeyboardInterrupt:
        raise Py4JNetworkError('Answer from Java side is empty')
call()
"""


def test_an_interrupt_that_breaks_a_call_to_java_keeps_its_name(driver):
    run_id = driver.start(BROKEN_CALL)
    driver.wait_for(run_id, "stream")

    driver.host.interrupt()
    outcome = driver.finish(run_id)

    error = outcome.of("error")[0]
    assert (error["ename"], outcome.done["error"]["ename"]) == ("KeyboardInterrupt", "KeyboardInterrupt")
    text = "\n".join(error["traceback"])
    assert "time" in text
    assert "Py4J" not in error["traceback"][-1]
    assert "KeyboardInterrupt" in error["traceback"][-1]


SPOILT = """
import time
shown = get_ipython().InteractiveTB.structured_traceback
def spoil(*args, **kwargs):
    get_ipython().InteractiveTB.structured_traceback = shown
    raise KeyboardInterrupt
get_ipython().InteractiveTB.structured_traceback = spoil
print('on')
time.sleep(600)
"""


def test_a_second_interrupt_that_spoils_the_traceback_of_the_first_costs_no_record(driver):
    run_id = driver.start(SPOILT)
    driver.wait_for(run_id, "stream")

    driver.host.interrupt()
    outcome = driver.finish(run_id)

    assert [error["ename"] for error in outcome.of("error")] == ["KeyboardInterrupt"]
    assert outcome.done["error"]["ename"] == "KeyboardInterrupt"
