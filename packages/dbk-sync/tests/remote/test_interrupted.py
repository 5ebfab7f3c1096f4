"""The client dies, edits go on, sessions interleave: no tree is ever a mixture, and no edit is lost."""

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from dbk_sync.errors import ChangedWhileReadingError

KILLED = 9


@pytest.fixture
def in_memory(project, tmp_path, place, monkeypatch):
    """Thousands of syncs: the trees and the state are in memory where that can be had, for speed, and need no power."""
    shared = Path("/dev/shm")
    folder = tempfile.mkdtemp(dir=shared if os.access(shared, os.W_OK) else tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.join(folder, "cache"))
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def killed(place, project, interpreter):
    """A function that runs a push in another process, which dies before its n-th request; whether it got to the end."""

    def run(steps, driver, settings, session):
        about = {
            "host": place.workspace.host,
            "token": place.workspace.token,
            "cluster_id": place.workspace.cluster_id,
            "context_id": driver.id,
            "root": str(driver.mounts),
            "project": str(project),
            "settings": settings,
            "session": session,
            "steps": steps,
            "part_bytes": 500_000,
        }
        script = Path(__file__).with_name("killed_client.py")
        ran = subprocess.run(
            [sys.executable, str(script), json.dumps(about)], capture_output=True, timeout=120, check=False
        )
        assert ran.returncode in (0, KILLED), ran.stderr.decode()
        return ran.returncode == 0

    return run


def tree_dict(files):
    return {path.encode(): content for path, content in files.items()}


@pytest.mark.parametrize("size", [100, 900_000], ids=["in a command", "in two parts"])
def test_a_client_killed_before_any_request_leaves_the_old_or_the_new_tree(
    place, write, synced, interpreter, killed, tools, size
):
    old = {"a.bin": random.Random(1).randbytes(size), "gone.py": b"x", "d/e.py": b"e"}
    new = {"a.bin": random.Random(2).randbytes(size), "d/e.py": b"f", "n.py": b"n"}
    write(old)
    driver = interpreter()
    sync = synced(driver, extract_to="driver")
    sync._far.session = "0123456789abcdef"
    path = sync.push(sync.plan()).path
    write({**new, "gone.py": None})

    outcomes = []
    for steps in range(1, 30):
        done = killed(steps, driver, {"extract_to": "driver"}, sync._far.session)
        # A command that was accepted goes on without its client; the next one queues behind it.
        driver.execute("print()")
        outcomes.append(tools.read_tree(path) == tree_dict(new))
        assert tools.read_tree(path) in (tree_dict(old), tree_dict(new))
        if done:
            break

    assert outcomes[0] is False
    assert outcomes[-1] is True
    assert 2 <= len(outcomes) < 29
    assert sync.push(sync.plan()).tree == sync.plan().manifest.tree
    assert tools.read_tree(path) == tree_dict(new)


@pytest.mark.timeout(600)
def test_two_sessions_of_one_project_interleave_without_crosstalk(in_memory, project, write, synced, child, tools):
    """T12: 200 syncs each, by two clients to two interpreters on one driver."""
    write({f"m{number}.py": b"0" for number in range(20)})
    syncs = [synced(child(), extract_to="driver"), synced(child(), extract_to="driver")]
    done, failures = [], []
    # Each has the source for itself while it plans and sends, and nobody knows which one is next.
    source = threading.Lock()

    def work(sync, seed):
        chance = random.Random(seed)
        for number in range(200):
            with source:
                write({f"m{chance.randrange(20)}.py": f"{seed} {number}".encode()})
                plan = sync.plan()
                expected = {os.fsencode(p.name): p.read_bytes() for p in project.iterdir()}
                assert not plan.is_empty
                reply = sync.push(plan)
                if (reply.tree, tools.read_tree(reply.path)) != (tools.manifest_of(expected).tree, expected):
                    failures.append((seed, number))
                done.append(seed)

    threads = [threading.Thread(target=work, args=(sync, seed)) for seed, sync in enumerate(syncs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(500)

    assert failures == []
    assert (done.count(0), done.count(1)) == (200, 200)
    assert syncs[0].path != syncs[1].path


@pytest.mark.timeout(600)
def test_an_edit_during_the_sync_is_never_lost(in_memory, project, write, synced, tools, monkeypatch):
    """T13: edits at random moments of plan, pack and upload; whenever it is quiet, the tree is the source."""

    class InProcess:
        def run(self, code):
            edit()
            exec(code, {"print": printed.append})
            edit()
            return printed.pop()

    printed = []
    quiet = False
    edits = 0
    chance = random.Random(7)
    names = [f"f{number}" for number in range(8)]

    def edit():
        nonlocal edits
        if not quiet and chance.random() < 0.5:
            edits += 1
            # The same size each time, so that only time stamps and content tell.
            (project / chance.choice(names)).write_bytes(b"%08d" % chance.randrange(10**8))

    write(dict.fromkeys(names, b"00000000"))
    sync = synced(InProcess(), extract_to="driver")
    send = sync._delivery.send

    def edit_and_send(*arguments):
        edit()
        return send(*arguments)

    monkeypatch.setattr(sync._delivery, "send", edit_and_send)
    for _ in range(1000):
        quiet, before = False, edits
        while edits == before:
            with contextlib.suppress(ChangedWhileReadingError):
                edit()
                sync.push(sync.plan())
        quiet = True
        plan = sync.plan()
        sync.push(plan)
        source = {os.fsencode(name): (project / name).read_bytes() for name in names}
        assert tools.read_tree(sync.path) == source


def test_a_file_that_changes_between_plan_and_push_is_an_error_and_nothing_happens(write, synced, interpreter, tools):
    write({"a": b"1", "b": b"1"})
    sync = synced(interpreter())
    path = sync.push(sync.plan()).path
    write({"a": b"2"})
    plan = sync.plan()
    write({"a": b"3"})

    with pytest.raises(ChangedWhileReadingError):
        sync.push(plan)

    assert tools.read_tree(path) == {b"a": b"1", b"b": b"1"}
    assert sync.push(sync.plan()).written == 1
    assert tools.read_tree(path) == {b"a": b"3", b"b": b"1"}
