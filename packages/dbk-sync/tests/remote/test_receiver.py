"""The receiver in this process: what a request does to a directory."""

import itertools
import os
import random
import sys
import threading
from pathlib import Path

import pytest
from dbk_sync.driver import _source

ONE = {b"a.py": b"a = 1\n", b"pkg/__init__.py": b"", b"pkg/deep/b.txt": b"b" * 3_000_000}


def test_the_first_pack_makes_the_tree_and_enters_it(bench, tools):
    one = bench()

    answer = one.apply(None, ONE)

    assert tools.read_tree(answer["path"]) == ONE
    assert answer["tree"] == tools.manifest_of(ONE).tree
    assert (answer["written"], answer["deleted"], answer["bytes"]) == (3, 0, 3_000_006)
    assert sys.path[0] == answer["path"] == os.getcwd()
    assert answer["where"] == "driver"


@pytest.mark.parametrize(
    "new",
    [
        {},
        {b"a.py": b"a = 2\n"},
        {**ONE, b"new/dir/c.py": b"c"},
        {b"a.py/x": b"a file becomes a directory", b"pkg": b"a directory becomes a file"},
        {b"pkg/deep/b.txt": b"short"},
        {b"\xff\xfe": b"a name that is not UTF-8"},
    ],
    ids=["nothing", "one", "more", "kinds", "few", "bytes"],
)
def test_a_delta_leads_from_one_tree_to_the_next_and_back(bench, tools, new):
    one = bench()
    path = one.apply(None, ONE)["path"]

    there = one.apply(ONE, new)
    seen = tools.read_tree(path)
    back = one.apply(new, ONE)

    assert seen == new
    assert there["tree"] == tools.manifest_of(new).tree
    assert tools.read_tree(path) == ONE
    assert back["tree"] == tools.manifest_of(ONE).tree


def test_modes_and_links_arrive(bench, tools):
    tree = {b"run.sh": tools.Script(b"#!/bin/sh\n"), b"d/link": tools.Link(b"../run.sh"), b"d/dir": tools.Link(b".")}
    one = bench()

    path = one.apply(None, tree)["path"]
    found = tools.read_tree(path)

    assert found == tree
    assert {path: type(content) for path, content in found.items()} == {
        path: type(content) for path, content in tree.items()
    }


def random_tree(chance, tools):
    """A few files, links and directories, none of them below another one."""
    contents = [None, b"1", b"22", tools.Script(b"1"), tools.Link(b"nowhere")]
    tree = {}
    for _ in range(chance.randrange(7)):
        path = b"/".join(chance.choices([b"a", b"b", b"c"], k=chance.randint(1, 3)))
        if not any((one + b"/").startswith(path + b"/") or (path + b"/").startswith(one + b"/") for one in tree):
            tree[path] = chance.choice(contents)
    return tree


@pytest.mark.parametrize("seed", range(10))
def test_every_tree_leads_to_every_other(bench, tools, seed):
    chance = random.Random(seed)
    one, old = bench(), None
    for _ in range(30):
        new = random_tree(chance, tools)

        answer = one.apply(old if chance.random() < 0.8 else None, new)

        assert tools.read_tree(answer["path"], dirs=True) == new, old
        assert answer["tree"] == tools.manifest_of(new).tree
        checked = one.ask("verify")
        assert (checked["missing"], checked["changed"]) == ([], [])
        old = new


@pytest.mark.parametrize(
    "new",
    [
        {b"a": b"1"},
        {b"a": b"1", b"d": b"a directory becomes a file"},
        {b"a": b"1", b"d/x": b"a directory gets a file"},
        {b"a": None, b"d/e": None},
        {b"a": b"1", b"d": None, b"f": None},
    ],
    ids=["gone", "to a file", "filled", "deeper, and from a file", "more"],
)
def test_directories_without_files_are_kept_where_they_are_listed(bench, tools, new):
    one = bench()
    old = {b"a": b"1", b"d": None}
    path = one.apply(None, old)["path"]
    first = tools.read_tree(path, dirs=True)

    there = one.apply(old, new)
    seen = tools.read_tree(path, dirs=True)
    checked = one.ask("verify")
    one.apply(new, old)

    assert first == old
    assert seen == new
    assert there["tree"] == checked["tree"] == tools.manifest_of(new).tree
    assert (checked["missing"], checked["changed"]) == ([], [])
    assert tools.read_tree(path, dirs=True) == old


def test_what_the_code_put_into_a_directory_or_made_of_it_stays(bench, tools):
    one = bench()
    path = one.apply(None, {b"a": b"1", b"out": None, b"log": None, b"x": None})["path"]
    Path(path, "out/result.csv").write_bytes(b"1,2\n")
    Path(path, "log").rmdir()
    Path(path, "log").write_bytes(b"a file of the code's own")
    Path(path, "x").rmdir()

    checked = one.ask("verify")
    answer = one.apply({b"a": b"1", b"out": None, b"log": None, b"x": None}, {b"a": b"1"})

    assert (checked["missing"], checked["changed"]) == (["x"], ["log"])
    assert "tree" in answer
    assert tools.read_tree(path, dirs=True) == {
        b"a": b"1",
        b"out/result.csv": b"1,2\n",
        b"log": b"a file of the code's own",
    }


def test_a_directory_does_not_take_the_place_of_a_file_that_the_code_wrote(bench, tools):
    one = bench()
    path = one.apply(None, {b"a": b"1"})["path"]
    Path(path, "out").write_bytes(b"precious")

    answer = one.ask("apply", tools.pack_of({b"a": b"1"}, {b"a": b"1", b"out": None}), source={"kind": "inline"})

    assert answer["error"]["message"].endswith("  out is a file")
    assert Path(path, "out").read_bytes() == b"precious"


def test_directories_go_with_the_session(bench):
    one = bench()
    path = one.apply(None, {b"a": b"1", b"d/e": None})["path"]

    one.ask("close")

    assert not os.path.exists(path)


def test_directories_that_became_empty_go_and_those_with_other_files_stay(bench, tools):
    one = bench()
    path = one.apply(None, {b"gone/a/x.py": b"x", b"kept/y.py": b"y", b"z": b"z"})["path"]
    os.makedirs(f"{path}/gone/a/__pycache__")
    open(f"{path}/gone/a/__pycache__/x.cpython-311.pyc", "wb").close()
    open(f"{path}/kept/output.csv", "wb").close()

    one.apply({b"gone/a/x.py": b"x", b"kept/y.py": b"y", b"z": b"z"}, {b"z": b"z"})

    assert tools.read_tree(path) == {b"z": b"z", b"kept/output.csv": b""}
    assert not os.path.exists(f"{path}/gone")


def test_a_full_pack_deletes_what_was_synced_before_and_nothing_else(bench, tools):
    one = bench()
    path = one.apply(None, ONE)["path"]
    with open(f"{path}/pkg/result.csv", "wb") as file:
        file.write(b"1,2\n")

    answer = one.apply(None, {b"only": b"this"})

    assert tools.read_tree(path) == {b"only": b"this", b"pkg/result.csv": b"1,2\n"}
    assert answer["deleted"] == 3


def test_a_renamed_or_copied_file_is_not_sent_again(bench, tools):
    one = bench()
    path = one.apply(None, ONE)["path"]
    large = ONE[b"pkg/deep/b.txt"]
    new = {b"a.py": ONE[b"a.py"], b"moved.txt": large, b"copy.txt": large, b"run.sh": tools.Script(large)}

    answer = one.apply(ONE, new)

    assert tools.read_tree(path) == new
    assert (answer["written"], answer["deleted"]) == (3, 2)
    assert len(tools.pack_of(ONE, new)) < 500


@pytest.mark.parametrize("spoilt_by", ["removal", "edit", "link"])
def test_a_file_that_the_code_has_changed_is_not_used_again(bench, tools, spoilt_by):
    one = bench()
    path = one.apply(None, ONE)["path"]
    old = Path(path, "pkg/deep/b.txt")
    if spoilt_by == "edit":
        old.write_bytes(old.read_bytes() + b"!")
    else:
        old.unlink()
    if spoilt_by == "link":
        old.symlink_to("/etc/passwd")
    new = {**ONE, b"copy.txt": ONE[b"pkg/deep/b.txt"]}

    answer = one.ask("apply", tools.pack_of(ONE, new), source={"kind": "inline"})

    assert "need_full" in answer
    assert not os.path.exists(os.path.join(path, "copy.txt"))
    assert one.apply(None, new).get("tree") == tools.manifest_of(new).tree
    assert tools.read_tree(path) == new


@pytest.fixture
def sent_in_parts(bench, roots, tools, monkeypatch):
    """A function that applies a pack that lies in three files, as they are given."""
    monkeypatch.setattr(_source, "ROOT", str(roots))
    monkeypatch.setattr(_source, "_await", lambda _path: None)

    def send(base, new, spoil=lambda parts: parts):
        blob = tools.pack_of(base, new)
        cuts = [0, len(blob) // 3, len(blob) // 3 + 1, len(blob)]
        parts = spoil([blob[start:end] for start, end in itertools.pairwise(cuts)])
        names = [f"/dbk-sync-{number:032x}.pack" for number in range(3)]
        for name, part in zip(names, parts, strict=False):
            Path(f"{roots}{name}").write_bytes(part)
        answer = one.ask("apply", source={"kind": "file", "paths": names})
        left = [name for name in names if os.path.exists(f"{roots}{name}")]
        for name in left:
            os.unlink(f"{roots}{name}")
        return answer, left

    one = bench()
    return send


LARGE = {**ONE, **{f"n{number}".encode(): random.Random(number).randbytes(300_000) for number in range(20)}}


def test_a_pack_in_parts_is_read_as_one_and_removed(sent_in_parts, tools):
    made, left = sent_in_parts(None, LARGE)
    changed, _ = sent_in_parts(LARGE, ONE)

    assert (made["tree"], left) == (tools.manifest_of(LARGE).tree, [])
    assert tools.read_tree(changed["path"]) == ONE


@pytest.mark.parametrize("spoil", ["gone", "swapped", "cut", "foreign"])
def test_a_pack_with_a_part_that_is_not_its_own_changes_nothing(sent_in_parts, tools, spoil):
    path = sent_in_parts(None, ONE)[0]["path"]
    spoils = {
        "gone": lambda parts: parts[:2],
        "swapped": lambda parts: [parts[2], parts[1], parts[0]],
        "cut": lambda parts: [*parts[:2], parts[2][:-9]],
        "foreign": lambda parts: [*parts[:2], random.Random(1).randbytes(len(parts[2]))],
    }

    answer, left = sent_in_parts(ONE, LARGE, spoils[spoil])

    assert answer["error"]["code"] == ("no-pack" if spoil == "gone" else "bad-pack")
    assert left
    assert tools.read_tree(path) == ONE
    assert not os.path.exists(f"{path}/.databricks/dbk-sync/stage")
    assert [one.name for one in threading.enumerate() if one.name == "dbk-sync-unpack"] == []


def test_a_delta_from_another_tree_asks_for_everything(bench, tools):
    one = bench()

    first = one.apply(ONE, {})
    path = one.apply(None, ONE)["path"]
    second = one.apply({b"a.py": b"other"}, {b"a.py": b"third"})

    assert "need_full" in first
    assert "need_full" in second
    assert tools.read_tree(path) == ONE


def test_a_delta_that_arrives_twice_changes_nothing_the_second_time(bench, tools):
    one = bench()
    one.apply(None, ONE)

    first, second = one.apply(ONE, {b"a.py": b"2"}), one.apply(ONE, {b"a.py": b"2"})

    assert first["written"] == 1
    assert second["written"] == 0
    assert first["tree"] == second["tree"]


def test_a_new_interpreter_finds_the_tree_of_its_session_again(bench, tools):
    one = bench()
    path = one.apply(None, ONE)["path"]
    one.let_go()
    again = bench(session=one.session)

    opened = again.ask("open")
    answer = again.apply(ONE, {b"a.py": b"2"})

    assert opened["tree"] == tools.manifest_of(ONE).tree
    assert answer["path"] == path
    assert tools.read_tree(path) == {b"a.py": b"2"}


def test_a_receiver_that_was_lost_in_a_living_interpreter_is_followed_by_another(bench, tools):
    first = bench()
    path = first.apply(None, ONE)["path"]

    second = bench(session=first.session)
    changed = second.apply(ONE, {b"a.py": b"a = 2\n"})
    closed = second.ask("close")
    again = bench(session=first.session).apply(None, ONE)

    assert "error" not in changed
    assert (closed["kept"], again["path"], tools.read_tree(path)) == (0, path, ONE)


def test_a_tree_that_was_removed_is_asked_for_again(bench, tools):
    one = bench()
    path = one.apply(None, ONE)["path"]
    os.chdir("/")
    os.system(f"rm -r '{path}'")

    delta = one.apply(ONE, {b"a.py": b"2"})
    full = one.apply(None, ONE)

    assert "need_full" in delta
    assert tools.read_tree(full["path"]) == ONE


def test_loaded_modules_that_changed_are_named_and_their_bytecode_is_dropped(bench, monkeypatch):
    name = "dbk_sync_sample_module"
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    one = bench()
    before = {f"{name}.py".encode(): b"value = 1\n", b"other.py": b""}
    after = {f"{name}.py".encode(): b"value = 2\n", b"other.py": b"x"}
    one.apply(None, before)
    module = __import__(name)

    answer = one.apply(before, after)

    assert module.value == 1
    assert answer["changed_modules"] == [name]
    del sys.modules[name]
    # Same size and, most likely, same second: only the removal of the old bytecode makes this 2.
    assert __import__(name).value == 2
    del sys.modules[name]


def test_closing_removes_the_tree_and_leaves_the_interpreter_outside(bench, roots):
    one = bench()
    path = one.apply(None, ONE)["path"]

    answer = one.ask("close")

    assert answer["kept"] == 0
    assert not os.path.exists(path)
    assert path not in sys.path
    assert not os.getcwd().startswith(path)
    assert list((roots / "disk").iterdir()) == []


def test_closing_keeps_what_the_code_wrote(bench, tools):
    one = bench()
    path = one.apply(None, ONE)["path"]
    open(f"{path}/result.csv", "wb").close()

    answer = one.ask("close")

    assert answer["kept"] == 1
    assert tools.read_tree(path) == {b"result.csv": b""}


def test_verify_reads_every_file_again(bench):
    one = bench()
    path = one.apply(None, ONE)["path"]
    sound = one.ask("verify")
    os.unlink(f"{path}/a.py")
    with open(f"{path}/pkg/__init__.py", "w") as file:
        file.write("x")

    broken = one.ask("verify")

    assert (sound["files"], sound["missing"], sound["changed"]) == (3, [], [])
    assert (broken["missing"], broken["changed"]) == (["a.py"], ["pkg/__init__.py"])


def test_two_sessions_of_one_project_have_trees_of_their_own(bench, tools):
    one, two = bench(), bench()

    first, second = one.apply(None, {b"x": b"1"}), two.apply(None, {b"x": b"2"})

    assert first["path"] != second["path"]
    assert tools.read_tree(first["path"]) == {b"x": b"1"}
    assert tools.read_tree(second["path"]) == {b"x": b"2"}


def test_the_workspace_folder_is_used_where_it_can_be_written(bench, roots, tools):
    answer = bench(extract_to="workspace").apply(None, ONE)

    assert answer["where"] == "workspace"
    assert answer["path"].startswith(f"{roots}/users/someone@example.com/.dbk/my-project-")
    assert tools.read_tree(answer["path"]) == ONE
    assert "notices" not in answer


def test_without_a_workspace_folder_the_disk_is_used_and_that_is_said_once(bench, roots):
    os.rmdir(roots / "users" / "someone@example.com")
    one = bench(extract_to="workspace")

    first, second = one.apply(None, ONE), one.apply(ONE, {})

    assert first["where"] == "driver"
    assert len(first["notices"]) == 1
    assert "the project is on the driver's disk" in first["notices"][0]
    assert "notices" not in second


def test_a_disk_that_is_full_in_a_large_pack_leaves_no_thread_behind(bench, tools, monkeypatch):
    one = bench()
    path = one.apply(None, ONE)["path"]
    write, written = os.write, []

    def full(handle, data):
        written.append(1)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        return write(handle, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        refused = one.apply(ONE, LARGE)

    assert refused["error"]["code"] == "disk"
    assert [one.name for one in threading.enumerate() if one.name == "dbk-sync-unpack"] == []
    assert tools.read_tree(path) == ONE


def test_a_file_system_without_links_gets_everything_else(bench, tools, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "symlink", refuse)

    answer = bench().apply(None, {b"a": b"1", b"l": tools.Link(b"a")})

    assert tools.read_tree(answer["path"]) == {b"a": b"1"}
    assert answer["notices"] == ["Left out 1 link(s): driver files cannot be links."]


def test_a_directory_that_cannot_be_moved_is_filled_in_place(bench, tools, monkeypatch):
    rename = os.rename

    def refuse(old, new):
        if os.path.isdir(old):
            raise OSError(1, "Operation not permitted")
        rename(old, new)

    monkeypatch.setattr(os, "rename", refuse)

    answer = bench().apply(None, ONE)

    assert tools.read_tree(answer["path"]) == ONE
    assert os.listdir(os.path.dirname(answer["path"])) == [os.path.basename(answer["path"])]
