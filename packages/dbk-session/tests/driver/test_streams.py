"""What a cell writes arrives whole, in order, under the right name and with the right run."""

import pytest
from dbk_session.driver import wire


def test_stdout_and_stderr_keep_their_names_and_their_order(driver):
    outcome = driver.run("import sys\nfor i in range(3):\n    print(i)\n    print(-i, file=sys.stderr)")

    assert outcome.streams() == [
        ("stdout", "0\n"),
        ("stderr", "0\n"),
        ("stdout", "1\n"),
        ("stderr", "-1\n"),
        ("stdout", "2\n"),
        ("stderr", "-2\n"),
    ]


def test_a_hundred_thousand_lines_arrive_whole_in_few_records(driver):
    outcome = driver.run("for i in range(100_000):\n    print(i)")

    assert outcome.text() == "".join(f"{i}\n" for i in range(100_000))
    # One in 50 ms, and one for each 64 Ki characters: nothing else makes a record, however slow the machine is.
    lasted_s = outcome.records[-1]["time"] - outcome.records[0]["time"]
    assert len(outcome.records) <= 30 + 20 * lasted_s
    assert max(len(record["text"]) for record in outcome.of("stream")) <= 64 * 1024
    assert outcome.frame["payload"] is None


def test_an_output_of_twenty_megabytes_arrives_whole(driver):
    outcome = driver.run("import hashlib\ntext = '0123456789' * 2_000_000\nprint(text, end='')")

    assert outcome.text() == "0123456789" * 2_000_000


def test_a_display_of_twenty_megabytes_arrives_whole(driver):
    outcome = driver.run("from IPython.display import display\ndisplay({'text/html': 'x' * 20_000_000}, raw=True)")

    assert len(outcome.of("display")[0]["data"]["text/html"]) == 20_000_000


def test_a_long_run_can_be_read_in_pieces_that_fit_a_result(driver):
    driver.run("import random\nrandom.seed(1)", run="pieces-0")
    outcome = driver.run("for _ in range(3000):\n    print(random.random())", run="pieces")
    data = b""
    while len(data) < outcome.frame["length"]:
        frame = driver.call_frame("read", run="pieces", offset=len(data), max_chars=5000)
        assert len(wire.make_frame(frame)) < 8000
        data += wire.unpack_piece(frame["value"])

    assert data == driver.file("pieces").read_bytes()
    assert frame["value"]["done_length"] == outcome.frame["length"]


def test_carriage_returns_are_kept(driver):
    assert driver.run("for i in range(3):\n    print(i, end='\\r')").text() == "0\r1\r2\r"


def test_output_over_the_budget_ends_with_a_word_about_it(driver):
    outcome = driver.run("for i in range(1000):\n    print('x' * 1000)\n1/0", budget_bytes=100_000)

    assert outcome.of("truncated") == [{"limit_bytes": 100_000}]
    assert outcome.frame["length"] < 130_000
    assert outcome.error == ("ZeroDivisionError", "division by zero")
    assert outcome.frame["status"] == "error"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nprint(1)\nos.system('echo sub')\nprint(2);",
        "import subprocess\nprint(1)\nsubprocess.run(['echo', 'sub'])\nprint(2)",
        "import os\nprint(1)\nos.write(1, b'sub\\n')\nprint(2)",
        "print(1)\n!echo sub\nprint(2)",
        "print(1)\nget_ipython().run_cell_magic('sh', '', 'echo sub')\nprint(2)",
    ],
)
def test_what_a_child_process_writes_stands_where_it_was_written(driver, code):
    assert driver.run(code).text().replace("\r", "") == "1\nsub\n2\n"


def test_what_is_written_below_python_at_the_very_start_of_a_cell_stands_first(driver):
    # A race that was lost once in 700 cells: the reader of the descriptors is woken at the same moment.
    texts = {driver.run("import os\nos.write(2, b'x')\nos.write(1, b'a\\n')\nprint('b')").text() for _ in range(300)}

    assert texts == {"a\nb\n"}


def test_stderr_of_a_child_process_is_stderr(driver):
    outcome = driver.run("import subprocess\nsubprocess.run(['sh', '-c', 'echo problem >&2'])\nNone")

    assert outcome.text("stderr") == "problem\n"


def test_a_forked_child_prints_into_the_run(driver):
    outcome = driver.run(
        "import multiprocessing\nfork = multiprocessing.get_context('fork')\n"
        "child = fork.Process(target=print, args=('from the child',))\nchild.start()\nchild.join()\nprint('parent')"
    )

    assert outcome.text() == "from the child\nparent\n"


def test_text_of_c_code_is_there_when_the_cell_ends(driver):
    outcome = driver.run("import ctypes\nctypes.CDLL(None).printf(b'from C\\n')\nNone")

    assert outcome.text() == "from C\n"


def test_a_child_that_outlives_the_cell_goes_on_writing_into_it(driver):
    outcome = driver.run(
        "import subprocess\nchild = subprocess.Popen(['sh', '-c', 'read line; echo late'], stdin=subprocess.PIPE)",
        run="outlived",
    )
    assert outcome.frame["live"] >= 1

    driver.run("child.communicate(b'\\n')\nNone")

    driver.wait_for_text("outlived", "late\n")


def test_output_of_a_thread_belongs_to_the_cell_that_started_it(driver):
    driver.run("import threading\ngo = threading.Event()")
    first = driver.run(
        "thread = threading.Thread(target=lambda: (go.wait(), print('late')))\nthread.start()", run="starts"
    )
    second = driver.run("print('mine')\ngo.set()\nthread.join()\nprint('mine')", run="other")

    assert first.frame["live"] == 1
    assert second.text() == "mine\nmine\n"
    assert second.frame["late"]["starts"] > first.frame["length"]
    late = driver.records("starts")[len(first.records) :]
    assert {record["t"] for record in late} == {"stream"}
    assert "".join(record["text"] for record in late) == "late\n"
    assert late[0]["n"] == first.frame["last"] + 1


def test_output_of_a_pool_belongs_to_the_cell_that_started_its_threads(driver):
    outcome = driver.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n    list(pool.map(print, range(4)))"
    )

    # Threads may write between another's text and its newline, as everywhere.
    assert sorted(outcome.text().replace("\n", "")) == ["0", "1", "2", "3"]


def test_output_of_a_task_that_was_left_belongs_to_its_cell(driver):
    driver.run(
        "import asyncio\nasync def late():\n    await asyncio.sleep(0)\n    await asyncio.sleep(0)\n    print('late')\n"
        "task = asyncio.ensure_future(late())\nawait asyncio.sleep(0)",
        run="makes-task",
    )

    driver.run("await task\nprint('mine')", run="awaits-task")

    driver.wait_for_text("makes-task", "late\n")
    assert driver.text_of("awaits-task") == "mine\n"


def test_between_cells_the_main_thread_writes_to_the_host(driver):
    driver.run("1")

    text = driver.host.command("print('for the host')")

    assert text == "for the host\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("sys.stdout.buffer.write('grün\\n'.encode())\nNone", "grün\n"),
        ("sys.stdout.writelines(['a', 'b'])", "ab"),
        ("sys.stdout.flush()\nprint(sys.stdout.encoding.lower(), sys.stdout.isatty(), sys.stdout.writable())", None),
        (
            "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n    print(1)\n"
            "print(out.getvalue())",
            "1\n\n",
        ),
        ("sys.stdout.close()\nprint('still open')", "still open\n"),
    ],
)
def test_the_stream_is_one_that_programs_can_use(driver, code, text):
    outcome = driver.run("import sys\n" + code)

    assert outcome.frame["status"] == "ok", outcome.records
    assert outcome.text() == ("utf-8 False True\n" if text is None else text)


def test_only_text_can_be_written(driver):
    assert driver.run("import sys\nsys.stdout.write(b'x')").error == (
        "TypeError",
        "write() argument must be str, not bytes",
    )


def test_a_log_handler_that_was_made_before_the_agent_writes_into_the_cell(make_driver):
    driver = make_driver(install=False)
    driver.host.command("import logging\nlogging.basicConfig(format='%(message)s')")
    driver.install()

    assert driver.run("logging.warning('careful')").text("stderr") == "careful\n"


def test_first_output_is_on_the_disk_while_the_cell_runs(driver):
    run_id = driver.start("import sys\nprint('early')\ninput()", allow_stdin=True)

    driver.wait_for_text(run_id, "early\n")

    driver.wait_for(run_id, "input")
    driver.answer(run_id, driver.records(run_id)[-1]["id"], "")
    driver.finish(run_id)
