"""Run by `test_crash.py`: kills a receiver before each of its steps, then lets another one go on.

Each attempt is a forked process that ends by `os._exit` inside the step, as `kill -9` would end it. Prints one JSON
object: how many kills there were, and every outcome that is neither the old nor the new tree.
"""

import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
from conftest import Bench, Link, Script, manifest_of, read_tree
from dbk_sync.driver import _roots
from dbk_sync.driver._disk import Disk

OLD = {b"a.py": b"1", b"d/b": b"old" * 9, b"d/e/c": b"c", b"f": Script(b"f"), b"l": Link(b"f"), b"gone/x": b"x"}
OLD |= {b"e/was": None, b"e/file": None, b"m": b"m", b"filled": None, b"emptied/x": b"x"}
NEW = {b"a.py": b"2", b"d": b"file now", b"f/g": b"directory now", b"l": Link(b"a.py"), b"big": b"z" * ((1 << 20) + 1)}
NEW |= {b"e/file": b"file now", b"m": None, b"filled/x": b"x", b"emptied": None}
SESSION = "0123456789abcdef"
KILLED = 9


def killer(steps):
    """A disk on which the process dies before its `steps`-th step; 0 is never."""
    left = [steps]

    def announce(_step, _path):
        left[0] -= 1
        if left[0] == 0:
            os._exit(KILLED)

    return Disk(announce)


def in_child(work, steps):
    """Whether `work(bench)` came to its end, in a process that dies before its `steps`-th change of the disk."""
    child = os.fork()
    if child == 0:
        try:
            work(Bench(session=SESSION, disk=killer(steps)))
        except BaseException as error:  # the parent must see it
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED), status
    return status == 0


def put(base, new):
    def work(bench):
        answer = bench.apply(base, new)
        if "need_full" in answer:
            answer = bench.apply(None, new)
        assert answer.get("tree") == manifest_of(new).tree, answer

    return work


def restore(saved, disk):
    shutil.rmtree(disk, ignore_errors=True)
    if saved is None:
        os.mkdir(disk)
    else:
        shutil.copytree(saved, disk, symlinks=True)


def tree_path(disk):
    root = os.path.join(disk, f"dbk-{os.geteuid()}")
    return os.path.join(root, f"my-project-{SESSION}")


def run(name, disk, saved, old, new, base, bad, stride):
    """Kills at each step of `base -> new`, and after each kill at every `stride`-th step of the recovery."""
    kills = 0
    for steps in range(1, 10_000):
        restore(saved, disk)
        if in_child(put(base, new), steps):
            return kills
        kills += 1
        crashed = f"{disk}.crashed"
        restore(disk, crashed)
        for more in range(1, 10_000, stride):
            restore(crashed, disk)
            done = in_child(lambda bench: bench.ask("open"), more)
            kills += not done
            in_child(lambda bench: bench.ask("open"), 0)
            found = read_tree(tree_path(disk), dirs=True)
            if found not in (old, new):
                bad.append([name, steps, more, repr(found)])
            if done:
                break
        in_child(put(base, new), 0)
        if read_tree(tree_path(disk), dirs=True) != new:
            bad.append([name, steps, "no convergence"])
    raise AssertionError("it never came to an end")


def main(folder):
    disk, saved = os.path.join(folder, "disk"), os.path.join(folder, "saved")
    _roots.LOCAL_DISKS = (os.fsencode(disk),)
    bad = []
    kills = {"first": run("first", disk, None, {}, NEW, None, bad, 4)}
    restore(None, disk)
    in_child(put(None, OLD), 0)
    restore(disk, saved)
    kills["delta"] = run("delta", disk, saved, OLD, NEW, OLD, bad, 2)
    kills["full"] = run("full", disk, saved, OLD, NEW, None, bad, 8)
    print(json.dumps({"kills": kills, "bad": bad}))


main(sys.argv[1])
