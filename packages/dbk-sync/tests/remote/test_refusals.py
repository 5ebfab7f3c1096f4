"""What the receiver says no to, and that the tree is as it was afterwards."""

import hashlib
import os
import secrets
import struct
import zlib

import pytest
from dbk_sync.driver import _locks, _manifest, _roots
from dbk_sync.driver._disk import Disk
from dbk_sync.driver._refusals import UnsafeTarget

OLD = {b"a.py": b"a = 1\n", b"d/b": b"b"}


def raw_pack(puts, deletes=(), base="", tree="", trailer=b""):
    """A pack with any names and lies in it; `puts` are (path, mode, size, sha256, content)."""
    records = b"".join(struct.pack(">BQ", mode, size) for _, mode, size, _, _ in puts)
    hashes = b"".join(sha256 for _, mode, _, sha256, _ in puts if mode & 128)
    names = b"".join(path + b"\0" for path in [put[0] for put in puts] + list(deletes))
    counts = struct.pack(">II", len(puts), len(deletes))
    header = (bytes.fromhex(base) or bytes(32)) + (bytes.fromhex(tree) or bytes(32)) + counts + records + hashes + names
    body = struct.pack(">I", len(header)) + header + b"".join(put[4] for put in puts) + trailer
    return b"DBKP\4\1" + zlib.compress(body)


def honest(path, content, mode=1):
    return (path, mode, len(content), hashlib.sha256(content).digest(), content)


def tree_of(*puts):
    return _manifest.tree_hash(
        _manifest.manifest_bytes({path: struct.pack(">BQ32s", mode, size, sha) for path, mode, size, sha, _ in puts})
    )


@pytest.fixture
def sent(bench, tools):
    """A function that sends raw bytes to a session that holds OLD, and checks that OLD is still there."""
    one = bench()
    path = one.apply(None, OLD)["path"]

    def send(data):
        answer = one.ask("apply", data, source={"kind": "inline"})
        assert tools.read_tree(path) == OLD
        assert sorted(os.listdir(f"{path}/.databricks/dbk-sync")) == ["lock", "manifest", "tree.json"]
        return answer["error"]

    return send


@pytest.mark.parametrize(
    "path",
    [b"/etc/passwd", b"../x", b"a/../../x", b"", b"a//b", b"./a", b"a/", b".git/config", b"d/.git", b".databricks/x"],
)
def test_a_name_that_leaves_the_tree_or_is_reserved_is_refused(sent, path):
    put = honest(path, b"x")

    assert sent(raw_pack([put], tree=tree_of(put)))["code"] == "bad-pack"


def test_a_deletion_outside_the_tree_is_refused(sent, tools):
    pack = raw_pack([], [b"../x"], tools.manifest_of(OLD).tree, tools.manifest_of(OLD).tree)

    assert sent(pack)["code"] == "bad-pack"


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../..", b"../../etc", b""])
def test_a_link_that_leaves_the_tree_is_refused(sent, target):
    put = honest(b"d/link", target, mode=3)

    error = sent(raw_pack([put], tree=tree_of(put)))

    assert error["code"] == "bad-pack"
    assert "points out of the tree" in error["message"]


def _lies():
    good = honest(b"x", b"content")
    other = (b"x", 1, 7, hashlib.sha256(b"another").digest(), b"content")
    short = (b"x", 1, 9, hashlib.sha256(b"content..").digest(), b"content")
    yield "hash", raw_pack([other], tree=tree_of(other))
    yield "mode", raw_pack([(b"x", 9, *good[2:])], tree=tree_of((b"x", 9, *good[2:])))
    unsent = (b"x", 1 | 128, *good[2:4], b"")
    yield "content nowhere", raw_pack([unsent], tree=tree_of(good))
    yield "too short", raw_pack([short], tree=tree_of(short))
    yield "too long", raw_pack([good], tree=tree_of(good), trailer=b"more")
    yield "bomb", raw_pack([good], tree=tree_of(good), trailer=bytes(50_000_000))
    yield "tree", raw_pack([good], tree="ab" * 32)
    yield "twice", raw_pack([good, good], tree=tree_of(good))
    both = honest(b"x/y", b"")
    yield "file and directory", raw_pack([good, both], tree=tree_of(good, both))
    whole = raw_pack([good], tree=tree_of(good))
    yield "cut", whole[:-3]
    yield "cut early", whole[:10]
    yield "flipped", whole[:20] + bytes((whole[20] ^ 1,)) + whole[21:]
    yield "more behind", whole + b"x"
    yield "not a pack", b"PK\3\4"
    yield "empty", b""


@pytest.mark.parametrize("pack", [pack for _, pack in _lies()], ids=[name for name, _ in _lies()])
def test_a_pack_that_is_damaged_or_lies_is_refused(sent, pack):
    assert sent(pack)["code"] == "bad-pack"


@pytest.mark.parametrize("made", ["link", "file", "fifo"])
def test_what_the_code_made_in_the_way_is_not_followed_or_overwritten(bench, tools, tmp_path, made):
    one = bench()
    path = one.apply(None, OLD)["path"]
    outside = tmp_path / "outside"
    outside.mkdir()
    if made == "link":
        os.symlink(outside, f"{path}/new")
    elif made == "file":
        open(f"{path}/new", "wb").close()
    else:
        os.mkfifo(f"{path}/a.py.fifo")
    new = {**OLD, (b"a.py.fifo" if made == "fifo" else b"new/file"): b"x"}

    answer = one.apply(OLD, new)

    assert answer["error"]["code"] == "occupied"
    assert list(outside.iterdir()) == []


def test_all_that_is_in_the_way_is_named_with_the_way_out(bench, tools):
    one = bench()
    path = one.apply(None, OLD)["path"]
    os.makedirs(f"{path}/out/deep")
    open(f"{path}/out/deep/result", "wb").close()
    os.symlink("/", f"{path}/data")
    os.mkfifo(f"{path}/pipe")
    new = {**OLD, b"out": b"file", b"data/a": b"1", b"data/b": b"2", b"pipe": b"3", b"fine": b"4"}

    error = one.apply(OLD, new)["error"]

    assert error["message"].splitlines()[1:] == [
        "  data is a link",
        "  out is a folder with files of its own",
        "  pipe is a device, pipe or socket",
    ]
    assert "on your machine" in error["hint"]


def test_a_directory_with_files_of_the_code_is_not_replaced_by_a_file(bench, tools):
    one = bench()
    path = one.apply(None, OLD)["path"]
    open(f"{path}/d/result", "wb").close()

    refused = one.apply(OLD, {b"d": b"file"})
    os.unlink(f"{path}/d/result")
    accepted = one.apply(OLD, {b"d": b"file"})

    assert refused["error"]["code"] == "occupied"
    assert accepted["tree"] == tools.manifest_of({b"d": b"file"}).tree


@pytest.mark.parametrize(
    "path",
    ["/", "/tmp", "/etc/x", "/usr/lib/x", "relative/x", "~/x", "/tmp/a\nb", "/Workspace/Users/me", "/Volumes/a/b/c",
     "/dbfs/tmp", "/proc/self", "/tmp/x/.git/y"],
)  # fmt: skip
def test_a_directory_that_must_not_be_taken_over_is_refused(path):
    with pytest.raises(UnsafeTarget):
        _roots.asked_for(path)


def test_the_home_directory_and_those_above_it_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "a" / "b"))

    for path in (tmp_path / "a" / "b", tmp_path / "a", tmp_path):
        with pytest.raises(UnsafeTarget, match="home directory"):
            _roots.asked_for(str(path))


def test_a_directory_with_foreign_files_is_refused_and_an_empty_one_is_used(bench, tmp_path, tools):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "file").touch()
    (tmp_path / "empty").mkdir()

    refused = bench(extract_to=f"{tmp_path}/foreign").apply(None, OLD)
    accepted = bench(extract_to=f"{tmp_path}/empty").apply(None, OLD)

    assert refused["error"]["code"] == "unsafe-target"
    assert (accepted["path"], accepted["where"]) == (f"{tmp_path}/empty", "path")
    assert tools.read_tree(f"{tmp_path}/empty") == OLD


def test_a_chosen_directory_serves_one_session_at_a_time_and_keeps_its_files(bench, tmp_path, tools, monkeypatch):
    monkeypatch.setattr(_locks.hold, "__defaults__", (0.0,))
    first, second = bench(extract_to=f"{tmp_path}/chosen"), bench(extract_to=f"{tmp_path}/chosen")
    first.apply(None, OLD)

    refused = second.apply(None, {})
    closed = first.ask("close")
    accepted = second.apply(None, {b"n": b""})

    assert refused["error"]["code"] == "locked"
    assert closed["kept"] == 0
    assert accepted["deleted"] == 2
    assert tools.read_tree(tmp_path / "chosen") == {b"n": b""}


def test_a_root_that_somebody_else_prepared_is_not_used(bench, roots):
    root = roots / "disk" / f"dbk-{os.geteuid()}"
    root.mkdir(mode=0o777)
    root.chmod(0o777)

    answer = bench().apply(None, OLD)

    assert not answer["path"].startswith(str(root))


def test_a_session_name_that_is_not_hex_is_refused(bench):
    assert bench(session="../../etc").ask("open")["error"]["code"] == "unsafe-target"


def test_old_trees_of_dead_sessions_are_swept_and_live_ones_are_not(bench, tools):
    dead, live = bench(), bench()
    dead_path, live_path = dead.apply(None, OLD)["path"], live.apply(None, OLD)["path"]
    open(f"{dead_path}/result", "wb").close()
    dead.let_go()
    root = os.fsencode(os.path.dirname(live_path))

    early = _locks.sweep(root, Disk(), os.stat(live_path).st_mtime + 60)
    late = _locks.sweep(root, Disk(), os.stat(live_path).st_mtime + 7200)

    assert early == []
    assert late == [os.fsencode(os.path.basename(dead_path))]
    assert tools.read_tree(dead_path) == {b"result": b""}
    assert tools.read_tree(live_path) == OLD


def test_a_full_disk_is_an_answer_and_the_next_delta_works(bench, tools, monkeypatch):
    one = bench()
    path = one.apply(None, OLD)["path"]
    write = os.write

    def full(handle, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    refused = one.apply(OLD, {b"a.py": b"2"})
    monkeypatch.setattr(os, "write", write)
    accepted = one.apply(OLD, {b"a.py": b"2"})

    assert refused["error"]["code"] == "disk"
    assert "No space left" in refused["error"]["message"]
    assert accepted["tree"] == tools.manifest_of({b"a.py": b"2"}).tree
    assert tools.read_tree(path) == {b"a.py": b"2"}


def test_both_halves_read_and_write_the_same_formats(tools):
    tree = {secrets.token_bytes(9).replace(b"/", b"x").replace(b"\0", b"y"): secrets.token_bytes(n) for n in range(50)}
    tree[b"x.sh"] = tools.Script(b"x")
    tree[b"l"] = tools.Link(b"x.sh")
    manifest = tools.manifest_of(tree)

    mine = _manifest.parse_manifest(manifest.to_bytes())

    assert mine is not None
    assert _manifest.manifest_bytes(mine) == manifest.to_bytes()
    assert _manifest.tree_hash(_manifest.manifest_bytes(mine)) == manifest.tree
    assert _manifest.parse_manifest(manifest.to_bytes()[:-1]) is None
    assert _manifest.parse_manifest(b"") is None
