"""The options that say what is selected, and how much of a workspace, a line and time a run may take."""

import os
import signal
import subprocess
import sys

import pytest
from dbk_sync import _deadline
from dbk_sync._throttle import Pace

TREE = {".gitignore": b"dist/\n*.log\n", "a.py": b"", "b.log": b"", "dist/x.whl": b"", "d/c.py": b"", "d/n.log": b""}
VOLUME = "/Volumes/main/default/files/o"


def listed(dbk_sync, *words):
    ran = dbk_sync("ls", *words)
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def test_files_of_patterns_leave_out_and_select(dbk_sync, write, tmp_path):
    write(TREE)
    out, back = tmp_path / "out", tmp_path / "in"
    out.write_bytes(b"# not these\n\n/d/*\n!/d/n.log\n")
    back.write_bytes(b"\xef\xbb\xbfdist/\n*.log\n\n# but\n!b.log\n")

    assert listed(dbk_sync, "--exclude-from", out) == [".gitignore", "a.py", "d/n.log"]
    assert listed(dbk_sync, "--include-from", back) == [".gitignore", "a.py", "d/c.py", "d/n.log", "dist/x.whl"]
    assert listed(dbk_sync, "--include", "dist", "--include", "b.*") == [
        ".gitignore", "a.py", "b.log", "d/c.py", "dist/x.whl",
    ]  # fmt: skip


def test_to_leave_out_beats_to_select_in_whatever_order_and_the_last_file_beats_the_first(dbk_sync, write, tmp_path):
    write(TREE)
    for name, text in (("one", b"*.py\n"), ("two", b"!a.py\n")):
        (tmp_path / name).write_bytes(text)
    one, two = ("--exclude-from", tmp_path / "one"), ("--exclude-from", tmp_path / "two")

    assert listed(dbk_sync, "--exclude", "*.log", "--include", "*.log") == [".gitignore", "a.py", "d/c.py"]
    assert listed(dbk_sync, "--include", "*.py", *one) == [".gitignore"]
    assert listed(dbk_sync, *one, *two) == [".gitignore", "a.py"]
    assert listed(dbk_sync, *two, *one) == [".gitignore"]
    assert listed(dbk_sync, *one, "--exclude", "!d/c.py") == [".gitignore", "d/c.py"]


def test_the_file_and_line_that_decide_are_named(dbk_sync, write, tmp_path):
    write(TREE)
    rules = tmp_path / "rules"
    rules.write_bytes(b"\n*.py\n")

    out = dbk_sync("plan", "--exclude-from", rules, "--explain", "d/c.py").out
    back = dbk_sync("ls", "--include", "*.log", "--explain", "b.log").out

    assert out == f"d/c.py: excluded by {rules}:2: *.py\n"
    assert back == "b.log: included by include:1: !*.log\n"


def test_rules_of_a_nested_repository_do_not_undo_those_of_options(dbk_sync, write, tmp_path):
    write({"n/.gitignore": b"!*.py\n", "n/a.py": b"", "n/.git/HEAD": b"ref: refs/heads/main\n"})
    for folder in ("objects", "refs"):
        os.makedirs(f"n/.git/{folder}")
    (tmp_path / "rules").write_bytes(b"*.py\n")

    assert listed(dbk_sync, "--exclude-from", tmp_path / "rules") == ["n/.gitignore"]


@pytest.fixture
def repository(alone, write):
    write({**TREE, "kept.log": b"", "s p\n": b""})
    for words in (["init", "-q"], ["add", "-f", "a.py", "kept.log", "s p\n", "dist/x.whl"]):
        subprocess.run(["git", *words], cwd=alone, check=True)
    return alone


def test_only_what_git_tracks_of_what_is_selected(dbk_sync, repository):
    assert dbk_sync("ls", "-z", "--tracked-only").out == "a.py\0s p\n\0"
    assert listed(dbk_sync, "--tracked-only", "--no-use-gitignore") == ["a.py", "dist/x.whl", "kept.log", '"s p\\n"']
    planned = dbk_sync("plan", "--tracked-only").out.splitlines()
    assert planned == ["+ a.py", '+ "s p\\n"']
    assert dbk_sync("ls", "--tracked-only", "--explain", "d/c.py").out.startswith("d/c.py: excluded by --tracked-only")
    assert dbk_sync("ls", "--tracked-only", "--explain", "a.py").out == "a.py: included (no rule matches)\n"


def test_what_git_does_not_track_stays_unread(dbk_sync, repository, write):
    write({"big.bin": bytes(2_000_000)})

    assert dbk_sync("check", "--max-file-size-mb", "1").code == 4
    assert dbk_sync("check", "--max-file-size-mb", "1", "--tracked-only").code == 0


@pytest.mark.parametrize("path", ["", "/nowhere"])
def test_git_that_cannot_say_is_an_error_before_any_request(dbk_sync, write, workspace, monkeypatch, path):
    write({"a": b""})
    monkeypatch.setenv("PATH", path or os.environ["PATH"])
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.path.dirname(os.getcwd()))

    ran = dbk_sync("push", ".", VOLUME, "--tracked-only")

    assert ran.code == 2
    assert "Git cannot say what it tracks" in ran.err
    assert ran.requests == []


@pytest.mark.parametrize(
    "words",
    [
        ("--exclude-from", "nope"),
        ("--include-from", "."),
        ("--concurrency", "0"),
        ("--concurrency", "21"),
        ("--concurrency", "many"),
        ("--bwlimit", "100"),
        ("--bwlimit", "1k"),
        ("--bwlimit", "infM"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "soon"),
    ],
)
def test_values_are_checked_before_anything_else(dbk_sync, alone, words, capfd):
    with pytest.raises(SystemExit) as end:
        dbk_sync("push", ".", VOLUME, *words)

    assert end.value.code == 2
    assert f"error: argument {words[0]}" in capfd.readouterr().err


def test_no_more_requests_at_a_time_than_are_allowed(dbk_sync, write, workspace):
    write({f"f{number}": b"x" for number in range(12)})
    workspace.set_options(latency_s=0.02)
    try:
        ran = dbk_sync("push", ".", VOLUME + "c", "--concurrency", "2", "--bwlimit", "1G")
    finally:
        workspace.set_options(latency_s=0.0)

    spans = [(one.started_s, one.ended_s) for one in workspace.requests() if one.method == "PUT"]
    assert ran.code == 0
    assert len(spans) >= 12
    assert max(sum(start <= other[0] < end for start, end in spans) for other in spans) <= 2


def test_a_line_is_shared_by_all_that_goes_out_at_once():
    now_s, slept = [0.0], []
    pace = Pace(1000, clock=lambda: now_s[0], sleep=slept.append)

    for size_bytes in (100, 400, 500):
        pace.spend(size_bytes)
    now_s[0] = 5.0
    pace.spend(300)

    assert slept == pytest.approx([0.5, 1.0, 0.3])


def test_a_body_goes_out_at_the_pace(dbk_sync, write, workspace, monkeypatch):
    spent = []
    monkeypatch.setattr(Pace, "spend", lambda _, size_bytes: spent.append(size_bytes))
    write({"random": os.urandom(100_000)})

    ran = dbk_sync("push", ".", VOLUME + "b", "--bwlimit", "64k")

    assert ran.code == 0
    assert sum(spent) >= 100_000
    assert max(spent) <= 32 << 10


def test_limits_do_not_hold_on_clusters_and_say_so(dbk_sync, write, workspace):
    write({"a": b""})

    ran = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--bwlimit", "1M")

    assert ran.code == 2
    assert "do not work on clusters" in ran.err
    assert ran.requests == []


def test_a_run_that_takes_too_long_ends_in_order_and_is_to_be_tried_again(dbk_sync, write, workspace, monkeypatch):
    monkeypatch.setattr(_deadline, "GRACE_S", 3600.0)  # it would end this process
    write({f"f{number}": b"x" for number in range(40)})
    workspace.fault("PUT /api/2.0/fs/files*", "delay", times=None, seconds=0.5)

    ended = dbk_sync("push", ".", VOLUME + "t", "--timeout", "1.5")
    workspace.clear_faults()
    again = dbk_sync("push", ".", VOLUME + "t", "--timeout", "600")

    assert ended.code == 75
    assert "error: Not done after 1.5 s (--timeout)." in ended.err
    assert again.code == 0, again.err


def test_a_run_that_does_not_leave_in_order_is_ended():
    code = (
        "import contextlib, time\nfrom dbk_sync import _deadline\n_deadline.GRACE_S = 0.2\n"
        "with _deadline.ending_after(0.1):\n    while True:\n        with contextlib.suppress(BaseException):\n"
        "            time.sleep(60)\n"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (ran.returncode, ran.stdout) == (75, "")
    assert ran.stderr == "error: Not done after --timeout, and a request does not end.\n"


def test_a_timeout_does_not_outlive_its_run(dbk_sync, write):
    write({"a": b""})
    handler = signal.getsignal(signal.SIGALRM)
    timer = signal.setitimer(signal.ITIMER_REAL, 500, 7)
    try:
        assert dbk_sync("plan", "--timeout", "60").code == 0
        left = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)

    assert signal.getsignal(signal.SIGALRM) is handler
    assert left[0] > 60
    assert left[1] == 7
