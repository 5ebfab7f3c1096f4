"""How commands, contexts and drivers end."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from dbk_local._seam import ContextDied, DriverDied

DEADLINE_S = 60
BUSY = {
    "loop": "while True: pass",
    "sleep": "import time\ntime.sleep(1000)",
    "await": "import asyncio\nawait asyncio.sleep(1000)",
    "busy await": "import asyncio\nawait asyncio.sleep(0)\nwhile True: pass",
    "system": "import os\n_ = os.system('sleep 1000')",
    "bang": "!sleep 1000",
    "sh": "get_ipython().run_cell_magic('sh', '', 'sleep 1000')",
    "swallowed": "import time\ntry:\n    time.sleep(1000)\nexcept KeyboardInterrupt:\n    print('caught')",
}


def runs_sleep(pid):
    try:
        return any(child.name() == "sleep" for child in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("code", BUSY.values(), ids=BUSY)
def test_cancel_ends_the_command_as_cancelled_and_keeps_the_context(context, started, wait_until, code):
    context.text("kept = 1")
    running = started(context, code)
    if "sleep 1000" in code:
        wait_until(lambda: runs_sleep(context.pid))  # before, system(3) already ignores what nobody else hears yet

    context.cancel()
    results = running.result(DEADLINE_S).results

    assert results["resultType"] == "error"
    assert results["cause"].startswith("com.databricks.backend.common.rpc.CommandCancelledException")
    assert "KeyboardInterrupt" not in results["cause"]
    assert context.text("kept") == "1"


def test_cancel_right_after_the_start_is_not_lost(context, wait_until):
    for _ in range(20):
        running = context.start("while True: pass")
        wait_until(lambda: context.handle._running)
        context.cancel()
        assert running.result(DEADLINE_S).results["cause"].startswith("com.databricks")


def test_an_interrupt_that_python_could_only_report_still_cancels(context):
    code = (
        "import os, signal, time\n"
        "class Swallows:\n    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n        time.sleep(0.1)\n"
        "try:\n    Swallows()\n    time.sleep(1000)\nexcept KeyboardInterrupt:\n    print('came through')"
    )

    assert context.text(code) == "came through"


def test_the_traceback_of_an_interrupt_that_had_to_wait_ends_at_the_line_of_the_user(context):
    code = (
        "import gc, os, signal\n"
        "from dbk_local._driver._interrupts import Interrupts\n"
        "(own,) = [found for found in gc.get_objects() if type(found) is Interrupts]\n"
        "with own.deferred():\n    os.kill(os.getpid(), signal.SIGINT)"
    )

    cause = context.run(code)["cause"]

    assert "KeyboardInterrupt" in cause
    assert "_interrupts.py" not in cause


def test_cancel_while_idle_changes_nothing(context):
    context.cancel()
    os.kill(context.pid, signal.SIGINT)

    assert context.text("1 + 1") == "2"
    assert not context.deaths


def test_destroy_ends_a_running_command(context, started):
    running = started(context, "while True: pass")

    context.destroy()

    with pytest.raises(ContextDied, match="destroyed"):
        running.result(DEADLINE_S)
    assert not context.deaths


@pytest.mark.skipif(sys.platform != "linux", reason="descendants are known on Linux only")
def test_destroy_ends_children_that_left_the_session(context, gone):
    code = (
        "import subprocess\n"
        "out = subprocess.run(['sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!'], capture_output=True)\n"
        "print(int(out.stdout))"
    )
    stray = int(context.text(code))
    os.kill(stray, 0)

    context.destroy()

    gone(stray)
    gone(context.pid)


def test_a_context_that_kills_itself_is_reported_and_the_others_live(driver, context, wait_until):
    other = driver.context()

    with pytest.raises(ContextDied, match=r"exit code 137 \(SIGKILL: Killed\)"):
        context.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")

    wait_until(lambda: context.deaths)
    assert "exit code 137" in context.deaths[0]
    assert other.text("1") == "1"
    other.destroy()


def test_what_a_dead_context_left_behind_is_ended(driver, gone, wait_until):
    context = driver.context()
    context.text("import subprocess\np = subprocess.Popen(['sleep', '1000'], start_new_session=True)")
    stray = int(context.text("p.pid"))

    os.kill(context.pid, signal.SIGKILL)

    gone(stray)
    wait_until(lambda: context.deaths)
    context.destroy()


def test_a_context_that_goes_away_while_its_python_restarts_leaves_no_process(driver, gone, monkeypatch):
    others = set(driver.process.zygote.exits)
    context = driver.context()
    fork, forking, forked = driver.process.zygote.fork, threading.Event(), []

    async def noted(*arguments):
        forking.set()
        forked.append(await fork(*arguments))
        return forked[-1]

    monkeypatch.setattr(driver.process.zygote, "fork", noted)
    running = context.start("dbutils.library.restartPython()")
    assert forking.wait(DEADLINE_S)
    running.cancel()
    context.destroy()

    assert len(forked) == 1
    gone(forked[0])
    assert set(driver.process.zygote.exits) == others


def test_contexts_have_separate_processes_and_run_at_once(driver, started):
    first, second = driver.context(), driver.context()
    running = started(first, "import time\ntime.sleep(1000)")

    assert first.pid != second.pid
    assert second.text("1 + 1") == "2"

    assert not running.done()
    first.destroy()
    second.destroy()


def test_stop_ends_everything(new_driver, gone):
    driver = new_driver()
    contexts = [driver.context() for _ in range(3)]
    child = int(
        contexts[0].text("import subprocess\nprint(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)")
    )
    zygote = driver.process.zygote.pid

    driver.loop.do(driver.process.stop())

    for pid in [zygote, child, *(context.pid for context in contexts)]:
        gone(pid)
    assert not driver.deaths
    assert not any(context.deaths for context in contexts)
    with pytest.raises(DriverDied):
        driver.context()


def test_the_death_of_the_driver_is_told_and_takes_all_contexts_along(new_driver, gone, wait_until, started):
    driver = new_driver()
    context = driver.context()
    running = started(context, "while True: pass")

    os.kill(driver.process.zygote.pid, signal.SIGKILL)

    with pytest.raises(DriverDied):
        running.result(DEADLINE_S)
    wait_until(lambda: driver.deaths)
    gone(context.pid)
    with pytest.raises(DriverDied):
        driver.context()


def test_nothing_survives_a_server_that_is_killed(tmp_path, gone):
    code = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from dbk_local._driver import open_driver\nfrom dbk_local._seam import Truth\n"
        "async def main():\n"
        "    folder = Path(sys.argv[1])\n"
        "    truth = Truth(spark='off', local_disk=folder / 'disk')\n"
        "    driver = open_driver(truth, folder)\n"
        "    await driver.start()\n"
        "    context = await driver.create_context('1', 'python')\n"
        '    code = \'import subprocess\\nprint(subprocess.Popen(["sleep", "1000"], start_new_session=True).pid)\'\n'
        "    child = (await context.run('c', 'python', code, truth)).results['data']\n"
        "    busy = asyncio.create_task(context.run('d', 'python', 'while True: pass', truth))\n"
        "    await context._interpreter.started.wait()\n"
        "    print(driver.zygote.pid, context.pid, child, flush=True)\n"
        "    await busy\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as server:
        try:
            pids = [int(word) for word in server.stdout.readline().split()]
        finally:
            server.kill()

    assert len(pids) == 3
    for pid in pids:
        gone(pid)


def test_many_contexts_leave_no_descriptors_behind(new_driver):
    driver = new_driver()
    driver.context().destroy()
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(10):
        context = driver.context()
        context.text("1")
        context.destroy()

    assert len(os.listdir("/proc/self/fd")) == before
    assert not os.listdir(driver.folder / "contexts")


def test_eight_are_busy_at_once(driver):
    contexts = [driver.context() for _ in range(8)]

    running = [context.start(f"import time\ntime.sleep(0.2)\nprint({i})") for i, context in enumerate(contexts)]
    done, _ = concurrent.futures.wait(running, DEADLINE_S)

    assert len(done) == 8
    assert [future.result().results["data"] for future in running] == [str(i) for i in range(8)]
    for context in contexts:
        context.destroy()


def test_a_context_that_is_given_up_while_it_starts_leaves_the_next_one_its_own_process(driver, wait_until):
    zygote = driver.process.zygote
    os.kill(zygote.pid, signal.SIGSTOP)
    try:
        given_up = driver.loop.start(driver.process.create_context("given up", "python"))
        wait_until(lambda: zygote.is_forking)
        given_up.cancel()
        next_one = driver.loop.start(driver.process.create_context("next", "python"))
    finally:
        os.kill(zygote.pid, signal.SIGCONT)

    context = next_one.result(DEADLINE_S)
    outcome = driver.loop.do(context.run("command", "python", "import os; os.getpid()", driver.truth))

    assert outcome.results["data"] == str(context.pid)
    driver.loop.do(context.destroy())
    wait_until(lambda: psutil.Process(zygote.pid).children() == [])
