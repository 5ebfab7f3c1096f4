"""What the command lines of all packages share: options, the error frame, logging."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading

import pytest
from dbk_config import DbkError, Secret, cli
from dbk_config._secret import redact


@pytest.fixture(autouse=True)
def quiet_tree():
    tree = logging.getLogger("dbk")
    before = tree.level, tree.propagate, list(tree.handlers)
    yield
    tree.level, tree.propagate, tree.handlers[:] = before


def command(run, **more):
    parser = cli.make_parser("dbk-config", "Does it.", example="it go", prog="it")
    commands = parser.add_subparsers(title="commands")
    return parser, cli.add_command(commands, "go", run, package="dbk-config", help="go", example="it go", **more)


def outcome(run, *argv, capsys):
    code = cli.run_parser(command(run)[0], ["go", *argv])
    return code, capsys.readouterr()


def failing(error):
    def run(_):
        raise error

    return run


def test_an_error_is_a_message_a_hint_and_an_exit_code(capsys):
    code, shown = outcome(failing(DbkError("It failed", "Do this.")), capsys=capsys)

    assert code == 1
    assert shown.err == "error: It failed\nhint: Do this.\n"


def test_a_defect_is_one_line_and_a_request_to_report_it(capsys):
    code, shown = outcome(failing(KeyError("x")), capsys=capsys)

    assert code == 1
    assert shown.err.splitlines()[0] == "error: KeyError: 'x'"
    assert "Traceback" not in shown.err


@pytest.mark.parametrize("place", [("--debug", "go"), ("go", "--debug")])
def test_debug_shows_the_stack_trace(capsys, place):
    code = cli.run_parser(command(failing(DbkError("It failed")))[0], list(place))

    shown = capsys.readouterr().err
    assert code == 1
    assert shown.startswith("Traceback")
    assert shown.endswith("error: It failed\n")


def test_an_error_of_the_system_is_no_defect(capsys):
    code, shown = outcome(failing(FileNotFoundError(2, "No such file or directory", "x.py")), capsys=capsys)

    assert (code, shown.err) == (1, "error: [Errno 2] No such file or directory: 'x.py'\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_ends_no_command(closed, tmp_path):
    command = f"{sys.executable} -m dbk_config schema {closed}; echo $?"

    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines()[-1] == "0", done.stderr
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_told_and_is_no_defect(tmp_path):
    command = [sys.executable, "-m", "dbk_config", "schema"]

    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=-1, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


def test_an_interrupt_is_silent(capsys):
    code, shown = outcome(failing(KeyboardInterrupt()), capsys=capsys)

    assert (code, shown.err) == (130, "")


def test_the_code_of_the_command_is_the_exit_code(capsys):
    assert outcome(lambda _: 3, capsys=capsys)[0] == 3
    assert outcome(lambda _: None, capsys=capsys)[0] == 0


def test_options_of_settings_reach_the_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got = []
    parser, go = command(lambda ns: got.append(cli.settings_of(ns)), settings=("cluster_id",))
    cli.add_setting_options(go, "sync.exclude", "sync.enabled", "sync.store")

    words = ["--cluster-id", "a", "--exclude", "x", "--exclude", "y,z", "--no-enabled", "--store", "workspace"]
    code = cli.run_parser(parser, ["--verbose", "go", *words])

    assert code == 0
    assert got[0].cluster_id == "a"
    assert (got[0].sync.exclude, got[0].sync.enabled, got[0].sync.store) == (("x", "y,z"), False, "workspace")
    assert got[0].log_level == "info"


def test_a_bad_option_value_is_named_by_its_option(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    parser, go = command(cli.settings_of)
    cli.add_setting_options(go, "display_rows")

    assert cli.run_parser(parser, ["go", "--display-rows", "0"]) == 2
    assert "error: argument --display-rows: must be a whole number of rows" in capsys.readouterr().err


def test_the_manual_has_the_help_of_every_command(monkeypatch):
    parser, _ = command(None, settings=("host",))
    monkeypatch.setenv("COLUMNS", "40")

    page = cli.manual(parser)

    assert page.startswith("## `it`\n\n```text\nusage: it [OPTIONS]")
    assert "### `it go`" in page
    assert "  --host HOST    address of the workspace\n" in page
    assert os.environ["COLUMNS"] == "40"


def test_log_records_go_to_stderr_by_the_switch(capsys, monkeypatch):
    log = logging.getLogger("dbk.test")

    cli.configure_logging()
    log.info("unseen")
    monkeypatch.setenv("DBK_LOG", "info")
    cli.configure_logging()
    log.info("seen %s", "once")
    cli.configure_logging("debug")
    log.debug("seen too")

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "info dbk.test: seen once"
    assert lines[1].endswith(" debug dbk.test: seen too")
    assert len(lines) == 2


def test_log_records_and_their_traces_hide_secrets(capsys):
    secret = Secret("another-kind-of-token")
    cli.configure_logging("debug")

    try:
        raise ValueError("Authorization: Bearer another-kind-of-token")
    except ValueError:
        logging.getLogger("dbk.test").exception("with %s", {"Authorization": "Bearer abcdefghijk"})

    shown = capsys.readouterr().err
    assert "another-kind-of-token" not in shown
    assert "abcdefghijk" not in shown
    assert "Bearer ***" in shown
    assert secret.reveal()


def test_known_secrets_and_what_looks_like_one_are_masked(monkeypatch):
    first, second = Secret("the-same-secret"), Secret("the-same-secret")
    del first
    monkeypatch.setenv("DATABRICKS_TOKEN", "from-the-environment")

    text = redact(f"a the-same-secret b dapi{'0' * 32}-2 c from-the-environment d")

    assert text == "a *** b *** c *** d"
    assert second.reveal()


def test_a_short_secret_does_not_hit_ordinary_words():
    secret = Secret("x")

    assert redact("exit") == "exit"
    assert secret.reveal() == "x"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_ends_the_process_leaves_through_the_blocks(name):
    number = getattr(signal, name)
    steps = []

    def work():
        with cli.ending_in_order():
            try:
                os.kill(os.getpid(), number)
                threading.Event().wait(60)  # until the handler has run
            finally:
                steps.append("cleaned up")

    with pytest.raises(SystemExit) as left:
        work()

    assert (left.value.code, steps) == (128 + number, ["cleaned up"])
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with cli.ending_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_beside_the_main_thread_no_handler_is_set():
    seen = []

    def work():
        with cli.ending_in_order():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [signal.SIG_DFL]
