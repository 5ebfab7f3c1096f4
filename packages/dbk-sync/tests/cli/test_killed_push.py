"""Pushes that die, and pushes that meet: the target converges, and packs are never a mixture."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

OLD = {"a.py": b"old", "gone/x.py": b"x", "d/e.py": b"e"}
NEW = {"a.py": b"new", "d/e.py": b"f", "n/n.py": b"n"}
OTHER = {"a.py": b"other", "gone/x.py": b"x"}
KILLED = 9
ENDED = {"INT": 130, "TERM": 143, "HUP": 129}


def become(project, tree):
    """Makes the project exactly this tree."""
    for one in project.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()
    for path, content in tree.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(content)


def killed(steps, moment, words):
    script = Path(__file__).with_name("killed_push.py")
    ran = subprocess.run(
        [sys.executable, str(script), str(steps), moment, "push", ".", *words, "--max-delete", "100%"],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode in (0, KILLED, *ENDED.values()), ran.stderr.decode()
    return ran.returncode == 0


def packs_tree(target):
    """The tree hash a reader of the packs would get."""
    return json.loads(target.get(".databricks/dbk-sync/state").split(b"\n", 2)[1])["tree"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "then"),
    [("volume", NEW), ("volume", OLD), ("volume", OTHER), ("workspace", OLD), ("dbfs", OTHER)],
    ids=["volume, the same", "volume, back", "volume, another", "workspace, back", "dbfs, another"],
)
def test_a_push_killed_at_any_request_converges_with_the_next(dbk_sync, alone, target_of, kind, then):
    target = target_of(kind)
    trees = set()
    for steps in range(1, 40):
        moment = "after" if steps % 2 else "before"
        dbk_sync("clean", *target.words, "--break-lock")
        become(alone, OLD)
        assert dbk_sync("push", ".", *target.words).code == 0
        if target.packed:
            trees.add(packs_tree(target))
        become(alone, NEW)
        done = killed(steps, moment, target.words)
        if target.packed:
            trees.add(packs_tree(target))
        become(alone, then)
        ran = dbk_sync("push", ".", *target.words, "--break-lock", "--max-delete", "100%")

        assert ran.code == 0, ran.err
        if not target.packed:
            assert target.files() == then
        assert dbk_sync("verify", *target.words).code == 0
        if done:
            break

    assert 3 < steps < 39
    if target.packed:
        assert len(trees) == 2


@pytest.mark.parametrize("kind", ["volume", "workspace"])
def test_a_push_that_is_ended_while_its_lock_is_on_its_way_keeps_nobody_out(dbk_sync, alone, target_of, kind):
    target = target_of(kind)
    become(alone, OLD)
    assert dbk_sync("push", ".", *target.words).code == 0
    for steps, tree in enumerate((NEW, OTHER, NEW), 1):
        become(alone, tree)
        assert not killed(steps, "during-INT", target.words)

        ran = dbk_sync("push", ".", *target.words, "--max-delete", "100%")

        assert ran.code == 0, ran.err
        assert target.files() == tree


@pytest.mark.parametrize(("kind", "how"), [("volume", "INT"), ("workspace", "TERM"), ("volume", "HUP")])
def test_a_push_that_is_ended_in_order_keeps_nobody_out(dbk_sync, alone, target_of, kind, how):
    target = target_of(kind)
    become(alone, OLD)
    assert dbk_sync("push", ".", *target.words).code == 0
    for steps, tree in enumerate((NEW, OTHER, NEW, OLD, NEW), 2):
        become(alone, tree)
        killed(steps, f"{'after' if steps % 2 else 'before'}-{how}", target.words)

        ran = dbk_sync("push", ".", *target.words, "--max-delete", "100%")

        assert ran.code == 0, ran.err
        assert target.files() == tree


def test_a_push_that_fails_keeps_nobody_out(dbk_sync, alone, target_of):
    target = target_of("volume")
    become(alone, {**OLD, "n" * 255: b"too long for the disk below"})
    failed = dbk_sync("push", ".", *target.words)
    become(alone, NEW)

    ran = dbk_sync("push", ".", *target.words)

    assert failed.code not in (0, 8)
    assert ran.code == 0, ran.err
    assert target.files() == NEW


def test_a_push_that_was_killed_on_this_machine_keeps_nobody_out(dbk_sync, alone, target_of):
    target = target_of("volume")
    become(alone, OLD)
    dbk_sync("push", ".", *target.words)
    become(alone, NEW)
    assert not killed(3, "after", target.words)
    become(alone, OTHER)

    ran = dbk_sync("push", ".", *target.words)

    assert ran.code == 0, ran.err
    assert "An earlier push was interrupted" in ran.err
    assert target.files() == OTHER


def test_a_push_on_another_machine_keeps_others_out_until_it_counts_as_dead(dbk_sync, alone, target_of, monkeypatch):
    target = target_of("volume")
    become(alone, OLD)
    dbk_sync("push", ".", *target.words)
    become(alone, NEW)
    assert not killed(3, "after", target.words)
    monkeypatch.setattr("socket.gethostname", lambda: "another machine")

    locked = dbk_sync("push", ".", *target.words)
    same = dbk_sync("check", ".", *target.words)
    become(alone, OLD)
    back = dbk_sync("push", ".", *target.words)
    from dbk_sync import _remote

    monkeypatch.setattr(_remote.Root, "__init__", _older(_remote.Root.__init__))
    later = dbk_sync("push", ".", *target.words)

    assert (locked.code, same.code, back.code) == (8, 10, 8)
    assert "Another run is at work on the target: " in locked.err
    assert later.code == 0
    assert "An earlier push was interrupted" in later.err or later.code == 0
    assert target.files() == OLD


def _older(make):
    def init(self, store, path):
        make(self, store, path, lambda: time.time() + 1000)

    return init


@pytest.mark.parametrize("kind", ["volume", "dbfs"])
def test_two_pushes_at_a_time_leave_one_whole_tree(dbk_sync, write, target_of, tmp_path, kind):
    target = target_of(kind)
    write(OLD)
    dbk_sync("push", ".", *target.words)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for number in range(20):
            (tmp_path / name / f"f{number}").write_text(name)

    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dbk_sync", "push", str(tmp_path / name), *target.words, "--max-delete", "100%"],
            stderr=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    try:
        codes = [(process.communicate(timeout=120), process.returncode)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()

    assert set(codes) <= {0, 8}
    assert 0 in codes
    assert dbk_sync("verify", *target.words).code == 0
    if not target.packed:
        found = target.files()
        assert len(set(found.values())) == 1
        assert len(found) == 20
