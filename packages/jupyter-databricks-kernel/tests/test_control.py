"""Interrupts, questions, aborted queues and restarts (checks 18 to 27)."""

import time

import pytest

# What an interrupt may take here; the promise (1 s where the API obeys) is for a machine with nothing else to do.
SOON_S = 90.0


@pytest.fixture(autouse=True)
def warm(client):
    client.run("1")


@pytest.fixture
def interrupted(kernel, client, wait_until):
    """Runs a cell, interrupts it as soon as it has printed `go`, and gives its answer."""

    def run(code, **options):
        told = []

        def note(message):
            if message["msg_type"] == "stream" and "go" in message["content"].get("text", "") and not told:
                told.append(time.monotonic())
                kernel.interrupt()

        answer = client.run(code, on_message=note, **options)
        assert time.monotonic() - told[0] < SOON_S
        return answer

    return run


@pytest.mark.parametrize(
    "code",
    [
        "import time\nprint('go', flush=True)\ntime.sleep(600)",
        "print('go', flush=True)\nwhile True: pass",
        "import asyncio\nprint('go', flush=True)\nawait asyncio.sleep(600)",
        "import subprocess\nprint('go', flush=True)\nsubprocess.run(['sleep', '600'])",
    ],
    ids=["sleep", "busy loop", "await", "child process"],
)
def test_check_18_an_interrupt_stops_the_code_and_the_next_cell_runs(client, interrupted, code):
    answer = interrupted(code)

    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert answer.kinds.count("error") == 1
    assert client.run("1+1").result["text/plain"] == "2"


def test_code_that_handles_the_interrupt_ends_well(interrupted):
    code = (
        "import time\nprint('go', flush=True)\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('tidy')"
    )

    answer = interrupted(code)

    assert answer.status == "ok"
    assert answer.stdout.endswith("tidy\n")


def test_check_18_sigint_to_the_process_does_the_same(kernel, client):
    import os
    import signal

    sent = []

    def note(message):
        if message["msg_type"] == "stream" and not sent:
            sent.append(os.kill(kernel.pid, signal.SIGINT))

    answer = client.run("import time\nprint('go', flush=True)\ntime.sleep(600)", on_message=note)

    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert kernel.manager.is_alive()


def test_check_19_a_question_can_be_interrupted(kernel, client):
    msg_id = client.start("input('name? ')", allow_stdin=True)
    question = client.kc.get_stdin_msg(timeout=60)
    kernel.interrupt()
    answer = client.finish(msg_id)
    client.kc.session.send(
        client.kc.stdin_channel.socket, "input_reply", {"value": "too late"}, parent=question["header"]
    )

    assert question["content"]["prompt"] == "name? "
    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert client.run("input('again? ')", allow_stdin=True, answers=["now"]).result["text/plain"] == "'now'"


def test_check_21_an_error_aborts_the_queued_cells_and_no_others(client, tmp_path):
    gate = tmp_path / "gate"
    first = client.start(f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)\n1/0")
    queued = [client.start(f"print({n})") for n in range(5)]
    client.ask("kernel_info")  # it came after them, so they are in the queue
    gate.touch()

    failed = client.finish(first)
    replies = [client.reply(client.kc.get_shell_msg, msg_id)["content"]["status"] for msg_id in queued]
    later = client.run("print('later')")

    assert failed.status == "error"
    assert replies == ["aborted"] * 5
    assert later.stdout == "later\n"


def test_check_21_an_interrupt_aborts_the_queued_cells(kernel, client, wait_until):
    first = client.start("import time\nprint('go', flush=True)\ntime.sleep(600)")
    queued = client.start("print('not this')")
    wait_until(lambda: (m := client.next_output()) is not None and m["msg_type"] == "stream", "the cell runs")
    client.ask("kernel_info")  # it came after them, so they are in the queue
    kernel.interrupt()

    assert client.reply(client.kc.get_shell_msg, first)["content"]["ename"] == "KeyboardInterrupt"
    assert client.reply(client.kc.get_shell_msg, queued)["content"]["status"] == "aborted"


def test_a_cell_that_may_fail_aborts_nothing(client):
    client.start("1/0", stop_on_error=False)
    queued = client.start("print('goes on')")

    assert client.reply(client.kc.get_shell_msg, queued)["content"]["status"] == "ok"


def test_check_22_a_question_makes_the_round_trip(client):
    code = "import getpass\na = input('name? ')\nb = getpass.getpass('word? ')\n(a, b)"

    answer = client.run(code, allow_stdin=True, answers=["Ada", "s3cret"])

    assert answer.result["text/plain"] == "('Ada', 's3cret')"


def test_check_22_a_password_is_marked_as_one(client):
    msg_id = client.start("import getpass\ngetpass.getpass('word? ')", allow_stdin=True)
    question = client.kc.get_stdin_msg(timeout=60)["content"]
    client.kc.input("x")
    client.finish(msg_id)

    assert question == {"prompt": "word? ", "password": True}


def test_check_22_the_end_of_input_is_an_eoferror(client):
    assert client.run("input()", allow_stdin=True, answers=["\x04"]).reply["ename"] == "EOFError"


def test_check_22_without_a_person_a_question_is_refused(client):
    answer = client.run("input('name? ')", allow_stdin=False)

    assert answer.reply["ename"] == "StdinNotImplementedError"


def test_check_23_a_debugger_session(client):
    code = "import pdb\ndef f(x):\n    pdb.set_trace()\n    y = x + 1\n    return y\nf(41)"

    answer = client.run(code, allow_stdin=True, answers=["n", "p x", "c"])

    assert answer.result["text/plain"] == "42"
    assert "41" in answer.stdout


@pytest.fixture
def held(client, tmp_path, wait_until):
    """A cell that runs until it is let go: its id, and the function that lets it go."""
    gate = tmp_path / "gate"
    code = f"import os, time\nprint('go', flush=True)\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.05)"
    msg_id = client.start(code)
    wait_until(lambda: (m := client.next_output()) is not None and m["msg_type"] == "stream", "the cell runs")
    yield msg_id, gate.touch
    gate.touch()


def test_check_03_kernel_info_on_both_channels_while_a_cell_runs(client, held):
    msg_id, let_go = held

    on_control = client.control("kernel_info_request", {})
    on_shell = client.ask("kernel_info")
    let_go()

    assert on_control["content"]["status"] == on_shell["status"] == "ok"
    assert client.reply(client.kc.get_shell_msg, msg_id)["content"]["status"] == "ok"


def test_the_kernel_looks_busy_as_long_as_its_cell_runs(client, held, wait_until):
    msg_id, let_go = held
    client.control("kernel_info_request", {})
    client.ask("is_complete", "1")
    let_go()
    states = []

    def ended():
        message = client.next_output()
        if message is not None and message["msg_type"] == "status":
            states.append((message["parent_header"]["msg_id"] == msg_id, message["content"]["execution_state"]))
        return states[-1:] == [(True, "idle")]

    wait_until(ended, "the cell ends")

    # Whatever else was answered meanwhile: each idle of another request is followed by a busy of the cell.
    others = [n for n, (ours, state) in enumerate(states[:-1]) if not ours and state == "idle"]
    assert len(others) == 2
    assert all(states[n + 1] == (True, "busy") for n in others)


def test_check_24_a_restart_gives_a_fresh_interpreter(kernel, client, workspace, wait_until):
    client.run("x = 1")
    before = contexts(workspace)

    kernel.manager.restart_kernel()
    client.kc.wait_for_ready(timeout=60)
    answer = client.run("x")

    assert answer.reply["ename"] == "NameError"
    # The one for code, and the one that is opened beside the first cell.
    wait_until(lambda: len(contexts(workspace) - before) == 2, "the new kernel has its contexts")
    wait_until(lambda: not contexts(workspace) & before, "those of the old kernel are gone")


def contexts(workspace):
    return {context["id"] for context in workspace.contexts()}
