"""The command `dbk-session`, as a person or a CI job starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from dbk_session._journal import Entry, Journal
from dbk_session._outputs import outputs_of
from dbk_session._source import source_of, text_of
from dbk_session.errors import UnreadableSource


@pytest.fixture
def dbk(workspace):
    """Runs `dbk-session ARGS` to its end."""

    def run(*arguments, stdin="", **options):
        command = [sys.executable, "-m", "dbk_session", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=120, **options)

    yield run
    assert workspace.contexts() == []


def test_a_script_sees_its_arguments_its_name_and_itself_as_main(dbk, tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import sys\nif __name__ == '__main__':\n    print(sys.argv, __file__)\n'not shown'\n")

    done = dbk("run", script, "--epochs", "3")

    assert done.stdout == f"{[str(script), '--epochs', '3']} {script}\n"
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("code", "status"),
    [("import sys; sys.exit(7)", 7), ("import sys; sys.exit()", 0), ("1/0", 1), ("raise SystemExit('no')", 1)],
)
def test_the_exit_status_is_the_scripts(dbk, code, status):
    done = dbk("run", "-", stdin=code)

    assert done.returncode == status, done.stderr
    assert ("ZeroDivisionError" in done.stderr) == (code == "1/0")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("import sys; sys.exit(0)", 0, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("import argparse; argparse.ArgumentParser('p', usage='p').parse_args(['-x'])", 2,
         "usage: p\np: error: unrecognized arguments: -x\n"),
    ],
)  # fmt: skip
def test_a_script_that_exits_shows_only_what_python_would(dbk, code, status, expected):
    done = dbk("run", "-", stdin=code)

    assert (done.returncode, done.stderr) == (status, expected)


@pytest.mark.parametrize("header", ["", "# Databricks notebook source\n"])
@pytest.mark.parametrize(
    ("cookie", "encoding"),
    [("", "utf-8"), ("", "utf-8-sig"), ("# -*- coding: latin-1 -*-\n", "latin-1"), ("# coding: cp1252\n", "cp1252")],
)
def test_a_file_is_decoded_as_python_does(header, cookie, encoding):
    data = f"{header}{cookie}print('é')\r\n".encode(encoding)

    source = source_of(text_of(data, "x.py"), "x.py")

    assert [cell.removeprefix(cookie).strip() for cell in source.cells] == ["print('é')"]
    assert source.is_script == (header == "")


def test_a_script_with_a_byte_order_mark_or_a_coding_comment_runs(dbk, tmp_path):
    marked, latin = tmp_path / "bom.py", tmp_path / "latin.py"
    marked.write_bytes(b"\xef\xbb\xbfprint('bom')\n")
    latin.write_bytes("# -*- coding: latin-1 -*-\nprint(ascii('é'))\n".encode("latin-1"))

    assert (dbk("run", marked).stdout, dbk("run", latin).stdout) == ("bom\n", "'\\xe9'\n")


@pytest.mark.parametrize("data", [b"print('\xe9')", b"# coding: no-such\n"])
def test_a_file_in_another_encoding_than_it_says_is_named(data):
    with pytest.raises(UnreadableSource, match=r"x\.py cannot be read"):
        text_of(data, "x.py")


def test_code_that_crashes_python_is_told_so_once(dbk):
    done = dbk("run", "-", stdin="import os; os._exit(3)")

    assert done.returncode == 1
    assert done.stderr.count("the code itself ended it") == 1
    assert done.stderr.startswith("dbk-session: The interpreter is gone: ")


def test_what_the_terminal_cannot_encode_is_escaped(dbk):
    done = dbk("exec", "-c", "print('é')", env={**os.environ, "PYTHONIOENCODING": "ascii"})

    assert (done.returncode, done.stdout) == (0, "\\xe9\n"), done.stderr


def test_standard_output_and_error_stay_apart(dbk):
    done = dbk("run", "-", stdin="import sys\nprint('out')\nprint('err', file=sys.stderr)")

    assert done.stdout == "out\n"
    assert done.stderr == "err\n"


def test_exec_shows_the_value_of_the_last_expression(dbk):
    assert dbk("exec", "-c", "6 * 7").stdout == "42\n"


def test_json_gives_every_event_on_a_line(dbk):
    done = dbk("exec", "-c", "print('a'); 1", "--json")

    kinds = list(dict.fromkeys(json.loads(line)["type"] for line in done.stdout.splitlines()))
    assert kinds == ["ContextOpened", "Started", "Stream", "ExecuteResult", "Finished"]


def test_a_databricks_notebook_runs_cell_by_cell(dbk, tmp_path):
    notebook = tmp_path / "nb.py"
    notebook.write_text(
        "# Databricks notebook source\n# MAGIC %md\n# MAGIC # Title\n\n# COMMAND ----------\n\nx = 20\n\n"
        "# COMMAND ----------\n\n# DBTITLE 1,Show it\nx + 1\n\n"
        "# COMMAND ----------\n\n# MAGIC %%time\n# MAGIC print('timed')\n"
    )

    done = dbk("run", notebook)

    assert done.stdout.startswith("21\ntimed\n")
    assert done.returncode == 0


def test_a_notebook_is_saved_with_its_outputs(dbk, tmp_path):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# T"},
        {
            "cell_type": "code",
            "metadata": {},
            "source": ["print('a')\n", "1 + 1"],
            "outputs": [],
            "execution_count": None,
        },
        {"cell_type": "code", "metadata": {}, "source": "1/0", "outputs": [], "execution_count": None},
        {"cell_type": "code", "metadata": {}, "source": "print('no')", "outputs": [], "execution_count": None},
    ]
    notebook = tmp_path / "nb.ipynb"
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))

    done = dbk("run", notebook, "--inplace")

    saved = json.loads(notebook.read_text())["cells"]
    assert done.returncode == 1
    assert [output["output_type"] for output in saved[1]["outputs"]] == ["stream", "execute_result"]
    assert saved[1]["execution_count"] == 1
    assert saved[2]["outputs"][0]["ename"] == "ZeroDivisionError"
    assert saved[3]["outputs"] == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_on_the_cluster_too(workspace, tmp_path, number, status):
    script = tmp_path / "loop.py"
    script.write_text("import time\nprint('go', flush=True)\nwhile True: time.sleep(0.01)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "dbk_session", "run", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "go\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=90)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == status
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    assert workspace.contexts() == []


def test_a_line_of_code_that_exits_shows_only_what_it_says(dbk):
    done = dbk("exec", "-c", "raise SystemExit(3)")

    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_a_script_reads_from_a_pipe_as_python_lets_it(dbk, tmp_path):
    script = tmp_path / "asks.py"
    script.write_text(
        "first = input('first? ')\nprint(first, input(), sep='-')\n"
        "try:\n    input('more? ')\nexcept EOFError as error:\n    print('no more', error)\n"
    )
    told = {"input": "one\ntwo\n", "capture_output": True, "text": True}
    expected = subprocess.run([sys.executable, script], timeout=60, check=True, **told)

    done = dbk("run", script, stdin="one\ntwo\n")

    assert (done.stdout, done.returncode) == (expected.stdout, 0), done.stderr


def test_json_lines_hold_the_question_of_a_script_and_nothing_else(dbk):
    done = dbk("exec", "--json", "-c", "print(input('name? '))", stdin="me\n")

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["prompt"] for event in events if event["type"] == "InputRequest"] == ["name? "]
    assert [event["text"] for event in events if event["type"] == "Stream"] == ["me\n"]


def test_what_was_left_running_is_followed_from_its_start(dbk, workspace, tmp_path):
    gate = tmp_path / "gate"
    script = tmp_path / "long.py"
    script.write_text(
        "import os, time\nprint('first', flush=True)\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nprint('last')\n"
    )

    left = dbk_run("run", "--detach", "night", script)
    listed = dbk_run("sweep", "--list")
    gate.touch()
    done = dbk("attach", "night")

    assert "dbk-session attach night" in left.stdout
    assert "night" in listed.stdout
    assert done.stdout == "first\nlast\n"


def test_a_reader_that_leaves_early_leaves_the_command_running(dbk, workspace, tmp_path):
    gates = [tmp_path / "one", tmp_path / "two"]
    script = tmp_path / "long.py"
    script.write_text(
        "import os, time\nprint('first', flush=True)\n"
        f"for gate in {[str(gate) for gate in gates]!r}:\n"
        "    while not os.path.exists(gate): time.sleep(0.01)\n    print('more', flush=True)\n"
    )
    dbk_run("run", "--detach", "night", script)
    command = [sys.executable, "-m", "dbk_session", "attach", "night"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as early:
        assert early.stdout.readline() == "first\n"
        early.stdout.close()
        gates[0].touch()
        assert early.wait(60) == 1, "it was not told that nobody reads"
    gates[1].touch()

    assert dbk("attach", "night").stdout == "first\nmore\nmore\n"


def test_a_name_under_which_a_session_was_left_is_refused_before_anything_runs(dbk, open_session, workspace, tmp_path):
    session = open_session(channel="result", name="taken")
    session.run("1")
    session.detach()
    (tmp_path / "x.py").write_text("1")
    workspace.clear_requests()

    refused = dbk("run", "--detach", "taken", tmp_path / "x.py")

    assert refused.returncode == 1
    assert "called 'taken' already" in refused.stderr
    assert workspace.requests() == []
    assert dbk("attach", "taken").returncode == 0


def test_a_notebook_that_could_not_be_saved_is_not_run(dbk, workspace, tmp_path):
    notebook = tmp_path / "x.ipynb"
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')

    refused = dbk("run", "--output", tmp_path / "nowhere" / "y.ipynb", notebook)

    assert refused.returncode == 1
    assert f"{tmp_path / 'nowhere'} cannot be written." in refused.stderr
    assert workspace.contexts() == []


def test_a_script_that_ends_before_it_is_left_is_shown_and_nothing_stays(dbk, workspace, tmp_path):
    script = tmp_path / "short.py"
    script.write_text("print('all of it')\nraise SystemExit(3)\n")

    left = dbk("run", "--detach", "short", script)
    seen = dbk("attach", "short") if left.returncode == 0 else left

    assert (seen.stdout, seen.returncode) == ("all of it\n", 3)
    assert dbk("sweep", "--list").stdout == "no session is open or left over\n"


def dbk_run(*arguments):
    command = [sys.executable, "-m", "dbk_session", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_sweep_removes_what_a_dead_process_left(dbk, workspace):
    created = workspace_create(workspace)
    journal = Journal()
    journal.write(Entry("dead", "", workspace.host, workspace.cluster_id, pid=2**22 + 7, mark="1"))
    journal.add_context("dead", created)

    done = dbk("sweep")

    assert f"context {created} removed" in done.stdout
    assert dbk("sweep").stdout == "nothing is left over\n"


def test_sweep_does_not_tell_for_ever_of_workspaces_that_are_gone(dbk, workspace):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = f"http://127.0.0.1:{server.getsockname()[1]}"
    journal = Journal()
    for name, host in (("over", ended), ("closed", workspace.host)):
        journal.write(Entry(name, "", host, "c-1", pid=2**22 + 7, mark="1"))
        journal.add_context(name, "1")
    refusal = {"status": 403, "code": "PERMISSION_DENIED", "message": "Not yours."}
    workspace.fault("POST /api/1.2/contexts/destroy", "status", times=None, **refusal)

    done = dbk("sweep")
    kept = [entry.session for entry in journal.entries()]
    forgotten = dbk("sweep", "--forget", f"{workspace.host}/")

    assert f"{ended}: this embedded workspace has ended" in done.stdout
    assert (done.returncode, kept) == (1, ["closed"])
    assert f"dbk-session sweep --forget {workspace.host}\n" in done.stderr
    assert forgotten.stdout == f"c-1 on {workspace.host}: 1 contexts forgotten\n"
    assert list(journal.entries()) == []


def workspace_create(workspace):
    from dbk_session._calls import create_context, id_of
    from dbk_session._transport import Door, Http

    http = Http(Door(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"}))
    try:
        return id_of(http.send(create_context(workspace.cluster_id)).json())
    finally:
        http.close()


def test_doctor_reports_what_the_cluster_can_do(dbk):
    report = json.loads(dbk("doctor", "--json").stdout)

    assert report["channel"] == "spool"
    assert report["cluster"]["state"] == "RUNNING"
    assert report["trivial_command_ms"] > 0
    assert report["result_text_chars"] == "at least 2000000"


def test_a_foreseeable_mistake_is_two_lines_and_no_trace(dbk, tmp_path):
    missing = dbk("run", tmp_path / "nothing.py")
    unset = dbk("exec", "-c", "1", env={**os.environ, "DATABRICKS_HOST": ""})

    assert missing.stderr.startswith("error: ")
    assert "Traceback" not in missing.stderr + unset.stderr
    assert "DATABRICKS_HOST not set" in unset.stderr


def test_a_file_that_is_no_notebook_is_named():
    with pytest.raises(UnreadableSource, match=r"x\.ipynb is not a notebook"):
        source_of("{", "x.ipynb")


def test_outputs_are_saved_as_a_front_end_would():
    from dbk_session import ClearOutput, Display, Stream

    events = [
        Stream("r", "stdout", "gone"),
        ClearOutput("r", wait=True),
        Stream("r", "stdout", "10%\r"),
        Stream("r", "stdout", "20%\n"),
        Display("r", {"text/plain": "1"}, transient={"display_id": "d"}),
        Display("r", {"text/plain": "2"}, transient={"display_id": "d"}, update=True),
    ]

    assert outputs_of(events) == [
        {"output_type": "stream", "name": "stdout", "text": "20%\n"},
        {"output_type": "display_data", "data": {"text/plain": "2"}, "metadata": {}},
    ]


def test_the_whole_parser_can_be_had():
    from dbk_session._cli import make_parser

    assert Path(make_parser().prog).name == "dbk-session"
