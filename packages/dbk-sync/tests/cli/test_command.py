"""What the command says, to whom, and with which exit code."""

import json
import subprocess
import sys

import pytest
from dbk_sync._cli import make_parser
from dbk_sync._target import parse_target
from dbk_sync.errors import TargetError

SMALL = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 2\n"}
VOLUME = "/Volumes/main/default/files/p"


def test_a_dry_run_in_an_empty_directory_without_any_setting_says_what_is_missing(dbk_sync, alone):
    ran = dbk_sync("push", "--dry-run")

    assert ran.code == 0
    assert f"No file is selected in {alone}." in ran.err
    assert "Name a target, such as dbfs:/DIR" in ran.err


def test_a_plan_without_a_target_says_where_a_push_would_go(dbk_sync, write, monkeypatch):
    write(SMALL)
    monkeypatch.setenv("DATABRICKS_CLUSTER_ID", "0123-456789-ab")

    ran = dbk_sync("plan")

    assert "2 files, 12 bytes, could be sent." in ran.err
    assert "Without a target, push takes the project's cluster, cluster:0123-456789-ab." in ran.err


def test_a_plan_quotes_the_names_that_a_line_cannot_hold(dbk_sync, write, target_of):
    target = target_of("volume")
    write({"a\nb": b"", "c d": b""})

    new = dbk_sync("plan", ".", *target.words)
    dbk_sync("push", ".", *target.words)
    write({"a\nb": None})
    gone = dbk_sync("plan", ".", *target.words)

    assert new.out.splitlines() == [r'+ "a\nb"', "+ c d"]
    assert gone.out.splitlines() == [r'- "a\nb"']


def test_a_dry_run_without_a_workspace_lists_the_files(dbk_sync, write):
    write({**SMALL, ".gitignore": b"*.log\n", "x.log": b""})

    ran = dbk_sync("push", ".", "dbfs:/ci/p", "--dry-run")

    assert ran.code == 0
    assert ran.out.splitlines() == ["+ .gitignore", "+ a.py", "+ pkg/b.py"]
    assert "Compared with an empty target: DATABRICKS_HOST not set." in ran.err


def test_a_push_without_a_target_is_a_usage_error(dbk_sync, write):
    write(SMALL)

    ran = dbk_sync("push")

    assert ran.code == 2
    assert "error: There is no target." in ran.err


def test_a_push_without_a_host_names_the_variable(dbk_sync, write):
    write(SMALL)

    ran = dbk_sync("push", ".", "dbfs:/ci/p")

    assert ran.code == 2
    assert "error: DATABRICKS_HOST not set" in ran.err


@pytest.mark.parametrize("option", ["--dry-run", "--check"])
def test_nothing_is_sent_by_a_dry_run(dbk_sync, write, target, option):
    write(SMALL)
    first = dbk_sync("push", ".", *target.words, option)
    dbk_sync("push", ".", *target.words)
    write({"a.py": b"2", "pkg/b.py": None, "n": b""})
    second = dbk_sync("push", ".", *target.words, option)

    assert (first.code, second.code) == ((10, 10) if option == "--check" else (0, 0))
    assert second.out.splitlines() == ["~ a.py", "+ n", "- pkg/b.py"]
    assert "Would send 2 of 2 files, delete 1" in second.err
    assert all(one.startswith("GET ") for one in first.requests + second.requests)


def test_check_is_quiet_and_tells_by_its_exit_code(dbk_sync, write, target):
    write(SMALL)
    before = dbk_sync("check", ".", *target.words)
    dbk_sync("push", ".", *target.words)
    after = dbk_sync("check", ".", *target.words)

    assert (before.code, before.out) == (10, "")
    assert (after.code, after.out) == (0, "")


def test_plan_tells_what_a_push_would_do_and_may_tell_it_by_exit_code(dbk_sync, write, target):
    write(SMALL)

    plain, coded = dbk_sync("plan", ".", *target.words), dbk_sync("plan", ".", *target.words, "--exit-code")

    assert (plain.code, coded.code) == (0, 10)
    assert plain.out.splitlines() == ["+ a.py", "+ pkg/b.py"]


def test_a_size_limit_is_met_before_any_request(dbk_sync, write, workspace):
    write({"big.bin": bytes(2_000_000), **SMALL})

    ran = dbk_sync("push", ".", VOLUME, "--max-file-size-mb", "1")

    assert ran.code == 4
    assert "big.bin" in ran.err
    assert ran.requests == []


@pytest.mark.parametrize(
    ("files", "words", "code"),
    [
        ({".env": b"PASSWORD=hunter2hunter2"}, ("--secrets", "error"), 3),
        ({"a": b"", "d/A": b""}, ("--max-delete", "0"), 0),
        ({"a": b""}, ("--max-size-mb", "0"), 2),
        ({"a": b""}, ("--links", "sometimes"), 2),
    ],
)
def test_troubles_of_the_source_and_of_settings_have_their_codes(dbk_sync, write, workspace, files, words, code):
    write(files)

    ran = dbk_sync("push", ".", VOLUME + str(code), "--dry-run", *words)

    assert ran.code == code, ran.err
    if code:
        assert ran.requests == []


@pytest.mark.usefixtures("permissions_count")
@pytest.mark.parametrize("words", [(), ("--full",), ("--dry-run",), ("--check",)])
def test_unreadable_files_are_all_named_before_any_request(dbk_sync, write, workspace, project, words):
    write({"a": b"1", "b": b"2", "d/c": b"3"})
    for name in ("b", "d"):
        (project / name).chmod(0)

    ran = dbk_sync("push", ".", VOLUME + "u", *words)
    (project / "d").chmod(0o700)

    assert ran.code == 3
    assert "  b: Permission denied" in ran.err
    assert "  d/: cannot be listed: Permission denied" in ran.err
    assert ran.requests == []


@pytest.mark.usefixtures("permissions_count")
def test_what_cannot_be_read_can_be_skipped_and_stays_at_the_target(dbk_sync, write, workspace, project):
    write({"a": b"1", "b": b"2", "d/c": b"3"})
    assert dbk_sync("push", ".", VOLUME + "k").code == 0
    write({"a": b"11"})
    for name in ("b", "d"):
        (project / name).chmod(0)

    kept = dbk_sync("push", ".", VOLUME + "k", "--skip-unreadable")
    sent = dbk_sync("push", ".", VOLUME + "k", "--skip-unreadable", "--no-delete", "--json")
    (project / "d").chmod(0o700)

    assert kept.code == 7  # else what is only unreadable would be deleted there
    assert sent.code == 0
    assert "b is skipped, since it cannot be read: Permission denied" in sent.event("warning")["message"]
    assert sent.event("complete")["put"] == ["a"]
    assert sent.event("complete")["delete"] == []


def test_where_nobody_watches_a_file_that_looks_like_a_secret_is_refused(dbk_sync, write, workspace, monkeypatch):
    write({"id_rsa": b"-----BEGIN OPENSSH PRIVATE KEY-----\n"})
    watched = dbk_sync("push", ".", VOLUME + "s", "--dry-run")
    monkeypatch.setenv("CI", "true")
    alone = dbk_sync("push", ".", VOLUME + "s", "--dry-run")
    told = dbk_sync("push", ".", VOLUME + "s", "--dry-run", "--secrets", "warn")

    assert (watched.code, alone.code, told.code) == (0, 3, 0)
    assert alone.requests == []


def test_a_wrong_token_is_a_sign_in_error_and_not_shown(dbk_sync, write, workspace, monkeypatch):
    write(SMALL)
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi0123456789abcdef0123456789abcdef")

    ran = dbk_sync("push", ".", VOLUME)

    assert ran.code == 5
    assert "Invalid token" in ran.err
    assert "dapi" not in ran.err + ran.out


def test_most_files_are_not_deleted_without_permission(dbk_sync, write, target):
    write({f"f{number}": b"" for number in range(60)})
    dbk_sync("push", ".", *target.words)
    write({f"f{number}": None for number in range(40)})

    guarded = dbk_sync("push", ".", *target.words)
    few = dbk_sync("push", ".", *target.words, "--max-delete", "39")
    allowed = dbk_sync("push", ".", *target.words, "--max-delete", "40")

    assert (guarded.code, few.code, allowed.code) == (7, 7, 0)
    assert "would delete 40 of 60 files" in guarded.err
    assert all(one.startswith("GET ") for one in guarded.requests)


def test_files_are_not_deleted_for_a_new_rule_without_permission(dbk_sync, write, target):
    write(SMALL)
    dbk_sync("push", ".", *target.words)

    guarded = dbk_sync("push", ".", *target.words, "--exclude", "pkg")
    allowed = dbk_sync("push", ".", *target.words, "--exclude", "pkg", "--allow-filter-deletes")

    assert (guarded.code, allowed.code) == (7, 0)
    assert "pkg/b.py" in guarded.err


def test_a_busy_workspace_is_to_be_tried_again_later(dbk_sync, write, workspace):
    write(SMALL)
    workspace.fault("* /api/*", "429", times=None, retry_after=1000)

    assert dbk_sync("push", ".", VOLUME).code == 75


def test_events_are_one_object_a_line(dbk_sync, write, target):
    write(SMALL)

    ran = dbk_sync("push", ".", *target.words, "--json")

    assert ran.err == ""
    assert [event["seq"] for event in ran.events] == list(range(1, len(ran.events) + 1))
    assert {event["v"] for event in ran.events} == {1}
    assert ran.event("start")["put"] == ran.event("complete")["put"] == ["a.py", "pkg/b.py"]
    named = {event["path"] for event in ran.events if event["type"] == "progress" and event["action"] == "put"}
    assert named == {"a.py", "pkg/b.py"}
    summary = ran.event("summary")
    assert summary["requests"] == len(ran.requests)
    assert set(summary["phases_ms"]) == {"scan", "read", "send"}
    assert len(summary["tree"]) == 64


def test_an_error_is_an_event_too(dbk_sync, write, workspace):
    write({"big.bin": bytes(2_000_000)})

    ran = dbk_sync("push", ".", VOLUME, "--max-file-size-mb", "1", "--json")

    error = ran.event("error")
    assert (error["code"], error["status"], error["paths"]) == ("FileSizeError", 4, ["big.bin"])


def test_a_name_that_is_not_text_is_told_exactly(dbk_sync, alone, target_of):
    with open(bytes(alone) + b"/\xff", "wb"):
        pass

    ran = dbk_sync("push", ".", *target_of("dbfs").words, "--json")

    put = next(event for event in ran.events if event.get("action") == "put")
    assert (put["path"], put["path_b64"]) == ("\\xff", "/w==")


def test_ls_needs_nothing_and_ends_paths_as_asked(dbk_sync, write, alone, monkeypatch):
    write({".gitignore": b"*.log\n", "a b": b"", "x.log": b"", "d/e": b""})
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir("/")

    lines, nul = dbk_sync("ls", alone), dbk_sync("ls", alone, "-z")

    assert lines.out == ".gitignore\na b\nd/e\n"
    assert nul.out == ".gitignore\0a b\0d/e\0"
    assert (lines.err, nul.err, lines.code) == ("", "", 0)


def test_ls_leaves_out_the_links_that_a_push_skips(dbk_sync, write, alone):
    write({"d/a": b""})
    (alone / "up").symlink_to("../..")
    (alone / "l").symlink_to("d/a")

    listed, planned = dbk_sync("ls"), dbk_sync("plan")
    skipping, refusing = dbk_sync("ls", "--links", "skip"), dbk_sync("ls", "--links", "error")
    up, kept = dbk_sync("ls", "--explain", "up"), dbk_sync("ls", "--explain", "l")

    assert (listed.out, listed.code) == ("d/a\nl\n", 0)
    assert "up (its target is outside of the source)" in listed.err
    assert listed.err.splitlines()[0] in planned.err
    assert dbk_sync("ls", "--json").out == listed.out
    assert (skipping.out, refusing.out) == ("d/a\n", "d/a\nl\n")
    assert up.out == "up: excluded by links: its target is outside of the source\n"
    assert kept.out == "l: included (no rule matches)\n"


def test_ls_quotes_the_names_that_a_line_cannot_hold(dbk_sync, alone):
    names = [b"a\nb", b'a"\\b', b"a\x01", b"a\xffb\t", "ä b".encode()]
    for name in names:
        with open(bytes(alone) + b"/" + name, "wb"):
            pass

    lines, nul = dbk_sync("ls"), dbk_sync("ls", "-z")

    quoted = [r'"a\001"', r'"a\nb"', r'"a\"\\b"', r'"a\377b\t"', "ä b"]
    assert lines.out.splitlines() == quoted
    assert nul.out == b"".join(name + b"\0" for name in sorted(names)).decode("utf-8", "replace")


@pytest.mark.parametrize("command", ["ls", "plan"])
def test_the_deciding_rule_is_named(dbk_sync, write, command):
    write({".gitignore": b"# no logs\n*.log\n", "x.log": b"", "a": b""})

    out, kept = dbk_sync(command, "--explain", "x.log"), dbk_sync(command, "--explain", "a", "--json")

    assert (out.code, out.out) == (0, "x.log: excluded by .gitignore:2: *.log\n")
    assert (kept.code, kept.event("result")["included"], kept.event("result")["exists"]) == (0, True, True)


def test_a_path_that_does_not_exist_is_explained_as_if_it_did_and_that_is_said(dbk_sync, write):
    write({".gitignore": b"*.log\n"})

    texts = [dbk_sync("ls", "--explain", path).out for path in ("nope", "x.log", "no/such/")]

    assert texts == [
        "nope: included (no rule matches), but there is no such file\n",
        "x.log: excluded by .gitignore:1: *.log, but there is no such file\n",
        "no/such/: included (no rule matches), but there is no such file\n",
    ]


def test_verify_finds_what_was_changed_or_removed_at_the_target(dbk_sync, write, target_of):
    target = target_of("volume")
    write({**SMALL, "c": b"c"})
    dbk_sync("push", ".", *target.words)
    sound = dbk_sync("verify", ".", *target.words)
    target.put("a.py", b"a = 2\n")
    target.delete("c")

    broken = dbk_sync("verify", *target.words, "--json")

    assert (sound.code, broken.code) == (0, 6)
    assert "All 3 files are as they were pushed." in sound.out
    result = broken.event("result")
    assert (result["changed"], result["missing"]) == (["a.py"], ["c"])


def test_verify_finds_a_damaged_pack(dbk_sync, write, target_of):
    target = target_of("dbfs")
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    (name,) = target.names(".databricks/dbk-sync/packs")
    target.put(f".databricks/dbk-sync/packs/{name}", b"damaged")

    ran = dbk_sync("verify", *target.words)

    assert ran.code == 6
    assert "is damaged" in ran.err


def test_pull_manifest_prints_what_sha256sum_would(dbk_sync, write, target, tmp_path):
    import hashlib

    write(SMALL)
    dbk_sync("push", ".", *target.words)

    shown = dbk_sync("pull-manifest", *target.words)
    dbk_sync("pull-manifest", *target.words, "-o", tmp_path / "out.txt")

    lines = [line.split(" ") for line in shown.out.splitlines() if not line.startswith("#")]
    assert lines == [["644", hashlib.sha256(body).hexdigest(), str(len(body)), path] for path, body in SMALL.items()]
    assert (tmp_path / "out.txt").read_text() == shown.out


def test_clean_removes_what_was_pushed_and_leaves_what_was_not(dbk_sync, write, target):
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    target.put("theirs", b"x")

    dry = dbk_sync("clean", *target.words, "--dry-run")
    ran = dbk_sync("clean", *target.words)

    assert dry.code == ran.code == 0
    assert dry.out.splitlines() == ["- a.py", "- pkg/b.py"]
    assert target.names("") == ["theirs"]
    assert dbk_sync("verify", *target.words).code == 2


def test_gc_removes_packs_that_killed_kernels_left(dbk_sync, workspace, target_of):
    target = target_of("dbfs")
    name = "dbk-sync-" + "0" * 32 + ".pack"
    from dbk_sync._bodies import Bytes

    for path in (f"/tmp/{name}", "/tmp/dbk-sync-notes.txt"):
        target.store.put(path, Bytes(b"x"))

    fresh, dry = dbk_sync("gc"), dbk_sync("gc", "--older-than", "0", "--dry-run")
    ran = dbk_sync("gc", "--older-than", "0")

    assert "0 objects were removed" in fresh.err
    assert dry.out.splitlines() == ran.out.splitlines() == [f"- /tmp/{name}"]
    assert [one.name for one in target.store.list("/tmp")] == ["dbk-sync-notes.txt"]
    target.store.delete("/tmp/dbk-sync-notes.txt")


def test_doctor_tries_everything_and_shows_no_token(dbk_sync, write, workspace, monkeypatch):
    write(SMALL)
    well = dbk_sync("doctor")
    workspace.set_options(dbfs="disabled")
    try:
        ill = dbk_sync("doctor", "--json")
    finally:
        workspace.set_options(dbfs="enabled")
    monkeypatch.delenv("DATABRICKS_HOST")
    lost = dbk_sync("doctor")

    assert well.code == 0
    assert [line.split()[0] for line in well.out.splitlines()] == ["ok"] * 7
    assert workspace.token not in well.out + well.err
    assert ill.code == 0
    assert [event["check"] for event in ill.events if event.get("state") == "no"] == ["DBFS"]
    assert lost.code == 1
    assert "DATABRICKS_HOST not set" in lost.out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dbfs:/a/b/", "dbfs:/a/b"),
        ("/Volumes/a/b/c/d", "/Volumes/a/b/c/d"),
        ("dbfs:/Volumes/a/b/c", "/Volumes/a/b/c"),
        ("/Workspace/Users/me/p", "/Workspace/Users/me/p"),
        ("/Shared/p", "/Workspace/Shared/p"),
        ("cluster:0123-4-ab", "cluster:0123-4-ab"),
    ],
)
def test_targets_are_known_by_their_names(text, shown):
    assert str(parse_target(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["dbfs:/", "dbfs:x", "/Volumes/a/b", "/Workspace/Users/me", "/Workspace", "cluster:", "cluster:a/b", "dbfs:/a/../b",
     "/tmp/x", "dbfs:/a//b", "dbfs:/a/.databricks", "/Repos/me", "dbfs:/a\nb"],
)  # fmt: skip
def test_shared_and_strange_places_are_no_targets(text):
    with pytest.raises(TargetError):
        parse_target(text)


def test_too_many_or_missing_directories_are_usage_errors(dbk_sync, alone):
    assert dbk_sync("push", "nowhere", "dbfs:/x").code == 2
    assert dbk_sync("push", ".", ".", "dbfs:/x").code == 2
    assert dbk_sync("verify", "nowhere", "dbfs:/x").code == 2
    assert "There is no target." in dbk_sync("verify").err


@pytest.mark.parametrize("share", ["-1", "x", "101%", "0.5"])
def test_a_share_that_is_none_is_a_usage_error(share, capsys):
    with pytest.raises(SystemExit) as raised:
        make_parser().parse_args(["push", "--max-delete", share])

    assert raised.value.code == 2


def test_a_terminated_run_ends_with_143(workspace, write, alone):
    import signal
    import time

    write(SMALL)
    workspace.fault("* /api/*", "delay", times=None, seconds=30)
    with subprocess.Popen([sys.executable, "-m", "dbk_sync", "push", ".", VOLUME], stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 60
            while not workspace.faults()[0]["seen"] and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 143


def test_help_and_version_start_quickly_and_load_little():
    code = (
        "import sys\nfrom dbk_sync.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('requests', 'databricks.sdk', 'zlib', 'tomllib') if name in sys.modules])"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    loaded = ran.stdout.splitlines()[-1]
    assert "requests" not in loaded
    assert "databricks" not in loaded


def test_a_push_with_a_token_never_loads_the_sdk(workspace, write, alone):
    write(SMALL)
    code = (
        "import json, sys\nfrom dbk_sync.__main__ import main\n"
        f"code = main(['push', '.', {VOLUME + 'n'!r}])\nprint(json.dumps([code, 'databricks' in sys.modules]))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(ran.stdout) == [0, False]
