"""The process contexts are forked from: single-threaded, with the slow imports already done.

Run as `python -m dbk_local._driver._zygote FD`, FD being one end of a socket pair with the server. It answers
`{"t": "fork", "role": ..., "spec": {...}}` (descriptors attached) with `{"t": "forked", "pid": ...}`, and
`{"t": "bind", "source": ..., "target": ...}` with `{"t": "bound"}` when its children see the one folder as the other.
It reports each child that ends with `{"t": "exited", "pid": ..., "status": <wait status>}`. When the server goes away
it kills all that descends from it and exits.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames, _tree
from dbk_local._driver._mount_calls import bind
from dbk_local._driver._mounts import mount_places

# Order matters only for speed. What is not installed is left out: every one of them is optional but IPython.
_PRELOADED = (
    "IPython.core.interactiveshell",
    "IPython.core.completer",
    "IPython.display",
    "numpy",
    "pandas",
    "pyarrow",
)


def main() -> None:
    """Serve fork requests until the server closes its end."""
    server = socket.socket(fileno=int(sys.argv[1]))
    server.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _tree.adopt_orphans()
    first, _fds = _frames.receive(server)
    if first is not None:
        # First of all: a namespace of users can only be entered by a process of one thread.
        mounted = mount_places({place: Path(path) for place, path in first["places"].items()}, Path(first["root"]))
        preload(first["modules"])
        _frames.send(server, {"t": "ready", "mounted": mounted})
        _Zygote(server, mounted).serve()
    signal.set_wakeup_fd(-1)
    _tree.kill_below(os.getpid())


def preload(more: Sequence[str]) -> None:
    """Import what every context needs, and keep the collector from touching it: the pages stay shared after a fork."""
    for name in (*_PRELOADED, *more):
        # A broken optional package is the user's to meet when they import it, with its own message.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


class _Zygote:
    def __init__(self, server: socket.socket, is_mounted: bool) -> None:
        self._server = server
        self._is_mounted = is_mounted
        self._children: set[int] = set()
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        while True:
            readable, _, _ = select.select([self._server, self._wake_read], [], [])
            if self._wake_read in readable:
                self._drain_wake()
                self._reap()
            if self._server in readable:
                request, fds = _frames.receive(self._server, max_fds=4)
                if request is None:
                    return
                if request["t"] == "bind":
                    self._bind(request)
                else:
                    self._fork(request, fds)

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass

    def _bind(self, request: dict[str, Any]) -> None:
        if self._is_mounted:
            # Where volumes are not guarded it changes nothing, and one that is gone again needs nothing.
            with contextlib.suppress(OSError):
                bind(Path(request["source"]), Path(request["target"]))
        _frames.send(self._server, {"t": "bound"})

    def _fork(self, request: dict[str, Any], fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(request, fds)
        for fd in fds:
            os.close(fd)
        self._children.add(pid)
        _frames.send(self._server, {"t": "forked", "pid": pid})

    def _become(self, request: dict[str, Any], fds: list[int]) -> None:
        """The child's side: leave the zygote behind and never return."""
        status = 1
        try:
            _tree.die_with_parent()
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._server, self._wake_read, self._wake_write):
                end.close()
            _role(request["role"])(fds, request["spec"])
            status = 0
        except BaseException:  # the last frame of a forked process: the traceback goes to the driver's log
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._children:
                self._children.discard(pid)
                self._end_orphans(pid)
                _frames.send(self._server, {"t": "exited", "pid": pid, "status": status})

    def _end_orphans(self, pid: int) -> None:
        """A context is gone: what it left behind has fallen to us."""
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        _tree.kill_below(os.getpid(), spare=frozenset(self._children))


def _role(name: str) -> Callable[[list[int], dict[str, Any]], None]:
    if name == "context":
        from dbk_local._driver._context import run_context

        return run_context
    if name == "spark":
        from dbk_local._driver._spark_root import run_spark_root

        return run_spark_root
    raise ValueError(name)


if __name__ == "__main__":
    main()
