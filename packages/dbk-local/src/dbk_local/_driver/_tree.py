"""Which processes descend from one, and ending all of them.

Linux tells through `/proc`. A context and the process it was forked from are subreapers, so a child that left its
session and lost its parent is still found below them. Elsewhere only the process group is known.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the new parent of every descendant that loses its own (no-op outside Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when the thread that forked it ends (no-op outside Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(pid: int) -> set[int]:
    """Process ids below `pid` that still run; zombies are left out."""
    found: set[int] = set()
    todo = [pid]
    while todo:
        for child in _children(todo.pop()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return {child for child in found if is_alive(child)}


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
                children += map(int, file.read().split())
    return children


def is_alive(pid: int) -> bool:
    """True while the process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        if os.path.isdir("/proc/self"):
            return False
        return _answers_signals(pid)
    return state not in (b"Z", b"X")


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def kill_tree(pid: int, spare: frozenset[int] = frozenset()) -> None:
    """Kill `pid`, its process group and all descendants; `spare` are left alone, with what is below them.

    The root is stopped first: it can start nothing more, and orphans still fall to it while the others die.
    """
    _kill(pid, signal.SIGSTOP)
    kill_below(pid, spare)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    _kill(pid, signal.SIGKILL)


def kill_below(pid: int, spare: frozenset[int] = frozenset()) -> None:
    """Kill all descendants of `pid` but not itself."""
    for _round in range(100):
        doomed = descendants(pid) - _with_descendants(spare)
        if not doomed:
            return
        for child in doomed:
            _kill(child, signal.SIGKILL)
        time.sleep(0.002)  # the kernel takes a moment to make them zombies


def _with_descendants(pids: frozenset[int]) -> set[int]:
    return set(pids).union(*map(descendants, pids))


def _kill(pid: int, signum: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signum)
