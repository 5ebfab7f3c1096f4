"""`dbk-sync push` to the three places that keep files, in both layouts: what lies there, and by which requests."""

import os
import random
import subprocess
import sys

import pytest
from dbk_sync import _packed, _packing
from dbk_sync.errors import ChangedWhileReadingError

NOTEBOOK = b"# Databricks notebook source\n"
SMALL = {"a.py": b"a = 1\n", "pkg/__init__.py": b"", "pkg/b.py": b"b = 2\n"}


def checked_out(target, workspace, tmp_path, *, dirs=False):
    """The tree that `checkout.py` makes of packs, from the workspace's own folder."""
    kind, path = (
        ("dbfs", target.text.removeprefix("dbfs:")) if target.text.startswith("dbfs:") else ("volumes", target.text)
    )
    script = workspace.folder / kind / path.removeprefix("/Volumes").lstrip("/") / "checkout.py"
    destination = tmp_path / "out" / "tree"
    ran = subprocess.run(
        [sys.executable, "-I", str(script), str(destination)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(destination)
    found = {str(one.relative_to(destination)): one for one in destination.rglob("*") if ".databricks" not in one.parts}
    files = {name: one.read_bytes() for name, one in found.items() if one.is_file()}
    empty = {name: None for name, one in found.items() if one.is_dir() and not any(one.iterdir())}
    return {**files, **empty} if dirs else files


def held(target, workspace, tmp_path, *, dirs=False):
    return checked_out(target, workspace, tmp_path, dirs=dirs) if target.packed else target.files(dirs=dirs)


def test_a_first_push_brings_everything(dbk_sync, write, target, workspace, tmp_path):
    write({**SMALL, ".gitignore": b"*.log\n", "x.log": b"no"})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0, ran.err
    assert "Sent 4 of 4 files" in ran.err
    assert ran.out == ""
    assert held(target, workspace, tmp_path) == {**SMALL, ".gitignore": b"*.log\n"}


def test_a_push_with_nothing_to_do_costs_two_requests_at_most(dbk_sync, write, target):
    write(SMALL)
    dbk_sync("push", ".", *target.words)

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0
    assert ran.err.startswith("Nothing to do: 3 files are at ")
    assert len(ran.requests) == (1 if target.packed else 2)


def test_an_edit_costs_four_requests_in_a_row_and_sends_nothing_else(dbk_sync, write, target, workspace, tmp_path):
    write({**SMALL, "big.bin": random.Random(1).randbytes(300_000)})
    dbk_sync("push", ".", *target.words)
    write({"pkg/b.py": b"b = 3\n"})

    ran = dbk_sync("push", ".", *target.words, "--json")

    # The removal of the old intent goes beside the file.
    in_a_row = [one for one in ran.requests if not one.startswith("DELETE") and not one.endswith("/delete")]
    assert len(in_a_row) == (3 if target.packed else 4)
    assert sum(one.bytes_in for one in workspace.requests()) < 4_000
    summary = ran.event("summary")
    assert (summary["written"], summary["deleted"], summary["changed"]) == (1, 0, True)
    assert held(target, workspace, tmp_path)["pkg/b.py"] == b"b = 3\n"


def test_another_machine_is_incremental_without_any_memory(dbk_sync, write, target, monkeypatch, tmp_path):
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    for path, content in SMALL.items():
        write({path: None})
        write({path: content})

    same = dbk_sync("push", ".", *target.words)
    write({"a.py": b"a = 2\n"})
    ran = dbk_sync("push", ".", *target.words, "--json")

    assert same.err.startswith("Nothing to do")
    assert ran.event("summary")["written"] == 1


def test_what_is_gone_here_goes_there_with_its_directories(dbk_sync, write, target, workspace, tmp_path):
    write({**SMALL, "old/deep/x.txt": b"x"})
    dbk_sync("push", ".", *target.words)
    held(target, workspace, tmp_path)
    write({"old/deep/x.txt": None, "pkg/b.py": None})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0, ran.err
    assert "deleted 2" in ran.err
    assert held(target, workspace, tmp_path) == {"a.py": b"a = 1\n", "pkg/__init__.py": b""}
    if not target.packed:
        assert "old" not in target.names("")


def test_files_of_others_at_the_target_stay(dbk_sync, write, target_of):
    target = target_of("volume")
    target.put("pkg/foreign.txt", b"theirs")
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    write({"pkg/b.py": None, "pkg/__init__.py": None})

    dbk_sync("push", ".", *target.words, "--max-delete", "100%")

    assert target.files() == {"a.py": b"a = 1\n", "pkg/foreign.txt": b"theirs"}


def test_folders_without_files_are_kept_when_asked_for(dbk_sync, write, alone, target, workspace, tmp_path):
    write({"a.py": b"a", "data/x.csv": b"1", "logs/x.log": b"no", ".gitignore": b"*.log\n"})
    for name in ("out/deep", "was", "filled"):
        (alone / name).mkdir(parents=True)

    def pushed(*words):
        ran = dbk_sync("push", ".", *target.words, "--keep-empty-dirs", *words)
        assert ran.code == 0, ran.err
        found = held(target, workspace, tmp_path, dirs=True)
        assert found.pop(".gitignore") == b"*.log\n"
        return found

    first = pushed()
    again = dbk_sync("push", ".", *target.words, "--keep-empty-dirs")
    (alone / "was").rmdir()
    write({"a.py": None, "was": b"a file", "filled/x": b"x", "data/x.csv": None})
    (alone / "a.py").mkdir()
    second = pushed()
    checked = dbk_sync("verify", *target.words)
    dropped = dbk_sync("push", ".", *target.words)

    assert first == {"a.py": b"a", "data/x.csv": b"1", "out/deep": None, "was": None, "filled": None, "logs": None}
    assert again.err.startswith("Nothing to do: 7 files")
    assert second == {
        "a.py": None,
        "data": None,
        "out/deep": None,
        "was": b"a file",
        "filled/x": b"x",
        "logs": None,
    }
    assert checked.code == 0, checked.err
    assert dropped.code == 0, dropped.err
    assert held(target, workspace, tmp_path, dirs=True) == {
        ".gitignore": b"*.log\n", "was": b"a file", "filled/x": b"x"
    }  # fmt: skip


def test_files_in_packs_get_the_times_they_have_here_when_asked_for(
    dbk_sync, write, alone, target_of, workspace, tmp_path
):
    target = target_of("dbfs")
    write({"old.py": b"1", "new.py": b"2"})
    os.utime(alone / "old.py", ns=(0, 1_000_000_000_123_456_789))
    dbk_sync("push", ".", *target.words, "--preserve-times")
    checked_out(target, workspace, tmp_path)
    there = tmp_path / "out/tree"
    first = (there / "old.py").stat().st_mtime_ns
    write({"moved.py": b"1"})
    os.utime(alone / "moved.py", ns=(0, 5))
    dbk_sync("push", ".", *target.words, "--preserve-times")
    checked_out(target, workspace, tmp_path)

    assert first == (there / "old.py").stat().st_mtime_ns == 1_000_000_000_123_456_789
    assert (there / "moved.py").stat().st_mtime_ns == 5


@pytest.mark.parametrize("kind", ["volume", "workspace", "dbfs files"])
def test_plain_files_cannot_have_such_times(dbk_sync, write, target_of, kind):
    write(SMALL)

    ran = dbk_sync("push", ".", *target_of(kind).words, "--preserve-times")

    assert ran.code == 2
    assert "--layout packs" in ran.err
    assert ran.requests == []


@pytest.mark.parametrize("kind", ["volume", "workspace", "dbfs files"])
def test_a_folder_that_is_gone_or_that_others_use_is_noticed_and_left_alone(dbk_sync, write, alone, target_of, kind):
    target = target_of(kind)
    write({"a": b"1"})
    (alone / "out").mkdir()
    (alone / "in").mkdir()
    dbk_sync("push", ".", *target.words, "--keep-empty-dirs")
    target.put("out/theirs.csv", b"1,2")
    target.remove_dir("in")

    checked = dbk_sync("verify", *target.words, "--json")
    ran = dbk_sync("push", ".", *target.words)

    assert checked.code == 6
    assert checked.event("result")["missing"] == ["in"]
    assert ran.code == 0, ran.err
    assert target.files(dirs=True) == {"a": b"1", "out/theirs.csv": b"1,2"}


def test_a_file_becomes_a_directory_and_back(dbk_sync, write, target, workspace, tmp_path):
    write({"x": b"file", "y/z": b"in a directory"})
    dbk_sync("push", ".", *target.words)
    write({"x": None, "y/z": None})
    (tmp_path / "project" / "y").rmdir()
    write({"x/deep": b"directory", "y": b"file"})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0, ran.err
    assert held(target, workspace, tmp_path) == {"x/deep": b"directory", "y": b"file"}


def test_a_large_file_goes_in_one_request_and_a_large_pack_in_parts(dbk_sync, write, target, workspace, tmp_path):
    content = random.Random(3).randbytes(9_000_000)
    write({"big.bin": content})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0, ran.err
    assert sum(one.bytes_in >= 1_000_000 for one in workspace.requests()) == (3 if target.packed else 1)
    assert sum(one.bytes_in for one in workspace.requests()) < 9_100_000
    assert held(target, workspace, tmp_path) == {"big.bin": content}


def test_parts_of_a_pack_are_kept_together(dbk_sync, write, target_of, workspace, tmp_path):
    target = target_of("dbfs")
    content = random.Random(3).randbytes(4_000_000)
    write({"big.bin": content})
    dbk_sync("push", ".", *target.words)
    parts = target.names(".databricks/dbk-sync/packs")

    collected = dbk_sync("gc", *target.words, "--older-than", "0")
    sound = dbk_sync("verify", *target.words)
    target.delete(f".databricks/dbk-sync/packs/{parts[1]}")
    broken = dbk_sync("verify", *target.words)
    mended = dbk_sync("push", ".", *target.words, "--full")

    assert len(parts) == 2
    assert (collected.code, sound.code, broken.code, mended.code) == (0, 0, 6, 0)
    assert f"The pack {parts[1][:12]} is missing." in broken.err
    assert target.names(".databricks/dbk-sync/packs") == parts
    assert checked_out(target, workspace, tmp_path) == {"big.bin": content}


def test_a_file_that_changes_when_parts_have_gone_leaves_the_old_tree(
    dbk_sync, write, target_of, workspace, tmp_path, monkeypatch
):
    target = target_of("dbfs")
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    write({"big.bin": random.Random(3).randbytes(4_000_000)})
    pack = _packing.pack

    def changing(*given, **options):
        yield from list(pack(*given, **options))[:-1]
        raise ChangedWhileReadingError("big.bin changed while it was being sent.")

    with monkeypatch.context() as patched:
        patched.setattr(_packing, "pack", changing)
        failed = dbk_sync("push", ".", *target.words)

    assert failed.code == 3
    assert checked_out(target, workspace, tmp_path) == SMALL
    dbk_sync("gc", *target.words, "--older-than", "0")
    assert len(target.names(".databricks/dbk-sync/packs")) == 1
    assert dbk_sync("push", ".", *target.words).code == 0


def test_many_packs_become_one_again(dbk_sync, write, target_of, workspace, tmp_path):
    target = target_of("dbfs")
    for number in range(30):
        write({"a.py": b"%d" % number})
        assert dbk_sync("push", ".", *target.words).code == 0

    packs = target.names(".databricks/dbk-sync/packs")
    removed = dbk_sync("gc", *target.words, "--older-than", "0")

    assert len(packs) == 30
    assert removed.code == 0
    assert len(target.names(".databricks/dbk-sync/packs")) < 10
    assert checked_out(target, workspace, tmp_path) == {"a.py": b"29"}
    assert dbk_sync("verify", *target.words).code == 0


def test_a_checkout_reads_only_what_is_new(dbk_sync, write, target_of, workspace, tmp_path):
    target = target_of("dbfs")
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    checked_out(target, workspace, tmp_path)
    write({"a.py": b"a = 2\n"})
    dbk_sync("push", ".", *target.words)
    first = target.names(".databricks/dbk-sync/packs")
    state = target.get(".databricks/dbk-sync/state")
    base = next(name for name in first if name.encode() in state.split(b'"packs": [')[1].split(b"}")[0])
    target.delete(f".databricks/dbk-sync/packs/{base}")

    assert checked_out(target, workspace, tmp_path)["a.py"] == b"a = 2\n"


def test_packs_of_another_version_are_not_gone_on_with(dbk_sync, write, target_of, workspace, tmp_path, monkeypatch):
    target = target_of("dbfs")
    write(SMALL)
    with monkeypatch.context() as earlier:
        earlier.setattr(_packed, "VERSION", _packed.VERSION - 1)
        dbk_sync("push", ".", *target.words)
    (old,) = target.names(".databricks/dbk-sync/packs")
    write({"a.py": b"a = 2\n"})

    dbk_sync("push", ".", *target.words)
    target.delete(f".databricks/dbk-sync/packs/{old}")

    assert checked_out(target, workspace, tmp_path) == {**SMALL, "a.py": b"a = 2\n"}
    assert dbk_sync("verify", *target.words).code == 0


def test_full_sends_everything_again(dbk_sync, write, target, workspace, tmp_path):
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    if not target.packed:
        target.put("a.py", b"changed there")

    ran = dbk_sync("push", ".", *target.words, "--full", "--json")

    assert ran.event("summary")["written"] == 3
    assert held(target, workspace, tmp_path) == SMALL


def test_without_delete_files_stay_and_stay_known(dbk_sync, write, target_of):
    target = target_of("volume")
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    write({"a.py": None})

    kept = dbk_sync("push", ".", *target.words, "--no-delete")
    gone = dbk_sync("push", ".", *target.words)

    assert kept.code == 0
    assert kept.err.startswith("Nothing to do")
    assert "deleted 1" in gone.err
    assert "a.py" not in target.files()


def test_without_delete_what_is_in_the_way_goes(dbk_sync, write, target_of):
    target = target_of("volume")
    write({"a": b"1", "b": b"2"})
    dbk_sync("push", ".", *target.words)
    write({"a": None, "b": None})
    write({"a/x": b"3"})

    ran = dbk_sync("push", ".", *target.words, "--no-delete")

    assert ran.code == 0, ran.err
    assert target.files() == {"a/x": b"3", "b": b"2"}


@pytest.mark.parametrize("kind", ["volume", "workspace", "dbfs files"])
def test_without_delete_no_file_takes_the_place_of_a_folder(dbk_sync, write, alone, target_of, kind):
    target = target_of(kind)
    write({"a/x": b"1", "b/y/z": b"2", "c": b"3"})
    dbk_sync("push", ".", *target.words)
    write({"a/x": None, "b/y/z": None})
    (alone / "a").rmdir()
    (alone / "b/y").rmdir()
    write({"a": b"4", "b/y": b"5"})

    refused = dbk_sync("push", ".", *target.words, "--no-delete")
    unharmed = target.files()
    ran = dbk_sync("push", ".", *target.words)

    assert refused.code == 7
    assert ":\n  a\n  b/y\n" in refused.err
    assert unharmed == {"a/x": b"1", "b/y/z": b"2", "c": b"3"}
    assert ran.code == 0, ran.err
    assert target.files() == {"a": b"4", "b/y": b"5", "c": b"3"}


def test_packs_cannot_keep_what_is_gone(dbk_sync, write, target_of):
    write(SMALL)

    assert dbk_sync("push", ".", *target_of("dbfs").words, "--no-delete").code == 2


def test_a_notebook_loses_its_extension_and_comes_and_goes(dbk_sync, write, target_of):
    target = target_of("workspace")
    notebook, script = b"# Databricks notebook source\nprint(1)\n", b"print(2)\n"
    write({"n.py": notebook, "m.py": script})
    dbk_sync("push", ".", *target.words)
    first = target.names("")
    write({"n.py": script, "m.py": notebook})
    swapped = dbk_sync("push", ".", *target.words)
    second = target.names("")
    write({"n.py": None, "m.py": None, "k.py": script})
    gone = dbk_sync("push", ".", *target.words, "--max-delete", "100%")

    assert first == [".databricks", "m.py", "n"]
    assert (swapped.code, second) == (0, [".databricks", "m", "n.py"])
    assert (gone.code, target.names("")) == (0, [".databricks", "k.py"])


@pytest.mark.parametrize(
    "files",
    [
        {"n.py": NOTEBOOK, "n": b"file"},
        {"d/n.py": NOTEBOOK, "d/n.sql": b"-- Databricks notebook source\n"},
        {"n.py": NOTEBOOK, "n.ipynb": b'{"nbformat": 4, "cells": [], "metadata": {}}'},
        {"n.py": NOTEBOOK, "n/x.py": b"a folder"},
        {"d/n/deep/x": b"a folder", "d/n.py": NOTEBOOK},
    ],
)
def test_a_notebook_and_a_file_of_one_name_are_refused_before_any_request(dbk_sync, write, target_of, files):
    target = target_of("workspace")
    write({"other.py": NOTEBOOK, **files})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 2
    assert "would both be" in ran.err
    assert ran.requests == []


def test_every_notebook_without_a_name_of_its_own_is_named(dbk_sync, write, target_of):
    write({"a.py": NOTEBOOK, "a": b"file", "b.py": NOTEBOOK, "b/x": b"", "c.py": b"no notebook", "c/x": b""})

    ran = dbk_sync("push", ".", *target_of("workspace").words)

    assert "  a and a.py would both be a\n  b/ and b.py would both be b\n" in ran.err
    assert "c.py" not in ran.err


def test_a_notebook_takes_the_place_of_a_folder_and_back(dbk_sync, write, target_of):
    target = target_of("workspace")
    write({"n/x.py": b"1", "k": b""})
    dbk_sync("push", ".", *target.words)
    write({"n/x.py": None, "n.py": NOTEBOOK})
    there = dbk_sync("push", ".", *target.words)
    listed = target.names("")
    write({"n.py": None, "n/x.py": b"1"})
    back = dbk_sync("push", ".", *target.words)

    assert (there.code, back.code) == (0, 0), there.err + back.err
    assert listed == [".databricks", "k", "n"]
    assert target.files() == {"n/x.py": b"1", "k": b""}


def test_a_script_and_a_file_of_one_name_are_two(dbk_sync, write, target_of):
    target = target_of("workspace")
    write({"n.py": b"pass\n", "n": b"file", "n.sql": b"select 1"})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0
    assert set(target.files()) == {"n.py", "n", "n.sql"}


def test_a_notebook_that_takes_the_name_of_a_file_that_is_to_stay_is_refused(dbk_sync, write, target_of):
    target = target_of("workspace")
    write({"n": b"file"})
    dbk_sync("push", ".", *target.words)
    write({"n": None, "n.py": NOTEBOOK})

    ran = dbk_sync("push", ".", *target.words, "--no-delete")

    assert ran.code == 2
    assert "n and n.py would both be n" in ran.err
    assert target.files() == {"n": b"file"}


@pytest.mark.parametrize("pair", [("README", "readme"), ("\u00e9", "e\u0301")])
def test_names_that_a_volume_may_not_keep_apart_are_refused_before_any_request(dbk_sync, write, target_of, pair):
    volume = target_of("volume")
    write({pair[0]: b"1", pair[1]: b"2", "d/a": b"", "d/A": b"", "c": b""})

    ran = dbk_sync("push", ".", *volume.words)

    assert ran.code == 2
    assert all(name in ran.err for name in (*pair, "d/a", "d/A"))
    assert "--layout packs" in ran.err
    assert ran.requests == []


def test_such_names_are_told_and_kept_where_they_can_be(dbk_sync, write, target):
    if target.text.startswith("/Volumes/") and not target.packed:
        pytest.skip("refused there")
    write({"README": b"1", "readme": b"2"})

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0
    assert "differs from README only by case" in ran.err
    if not target.packed:
        assert target.files() == {"README": b"1", "readme": b"2"}


def test_links_are_left_out_of_plain_files_and_kept_in_packs(dbk_sync, write, alone, target, workspace, tmp_path):
    write({"a": b"1"})
    (alone / "l").symlink_to("a")

    ran = dbk_sync("push", ".", *target.words)
    again = dbk_sync("push", ".", *target.words)

    assert ran.code == 0
    assert ("l is a link and is left out" in ran.err) is not target.packed
    assert set(held(target, workspace, tmp_path)) == ({"a", "l"} if target.packed else {"a"})
    assert "Nothing to do" in again.err


def test_names_that_are_not_text_need_packs(dbk_sync, alone, target_of):
    (alone / "ok").touch()
    with open(bytes(alone) + b"/\xff", "wb"):
        pass

    plain, packed = dbk_sync("push", ".", *target_of("volume").words), dbk_sync("push", ".", *target_of("dbfs").words)

    assert plain.code == 2
    assert "Use --layout packs" in plain.err
    assert plain.requests == []
    assert packed.code == 0


def test_a_target_is_asked_for_in_the_layout_it_has(dbk_sync, write, target_of):
    target = target_of("volume")
    write(SMALL)
    dbk_sync("push", ".", *target.words)

    ran = dbk_sync("push", ".", target.text, "--layout", "packs")

    assert ran.code == 2
    assert "Push with --layout files" in ran.err


def test_a_damaged_state_is_never_taken_for_true(dbk_sync, write, target, workspace, tmp_path):
    write(SMALL)
    dbk_sync("push", ".", *target.words)
    state = target.get(".databricks/dbk-sync/state")
    target.put(".databricks/dbk-sync/state", state[:-3])

    ran = dbk_sync("push", ".", *target.words)
    repaired = dbk_sync("push", ".", *target.words, "--full")

    assert ran.code == 6
    assert "Push with --full" in ran.err
    assert repaired.code == 0, repaired.err
    assert held(target, workspace, tmp_path) == SMALL


def test_watch_says_so_pushes_after_an_edit_and_ends_by_an_interrupt(write, workspace, target_of, alone, tmp_path):
    import os
    import re
    import signal

    def until_pushed(said):
        """Reads up to the summary of a push."""
        while not re.search(r"\d+ requests", line := process.stderr.readline().decode()):
            assert line, said
            said.append(line)
        said.append(line)

    target = target_of("volume")
    write(SMALL)
    said = []
    with subprocess.Popen(
        [sys.executable, "-m", "dbk_sync", "watch", ".", target.text, "--interval", "0.05"], stderr=subprocess.PIPE
    ) as process:
        try:
            until_pushed(said)
            write({"a.py": b"edited"})
            until_pushed(said)
            os.kill(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()

    said = "".join(said)
    first, second = map(int, re.findall(r"(\d+) requests", said))
    assert target.files() == {**SMALL, "a.py": b"edited"}
    assert process.returncode == 130
    assert f"Watching {alone}: every edit is pushed to {target.text}. Ctrl-C ends it." in said
    assert second <= first  # each push counts its own


@pytest.mark.parametrize("kind", ["dbfs", "volume", "workspace"])
def test_a_target_that_is_closed_is_a_permission_error(dbk_sync, write, target_of, workspace, kind):
    target = target_of(kind)
    write(SMALL)
    workspace.fault("* /api/*", "status", status=403, code="PERMISSION_DENIED", message="no", times=None)

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 5
    assert "Permission denied on" in ran.err
