"""File descriptors 1 and 2 during a run: what subprocesses and C code write is output of the cell too.

For the time of a run both descriptors are one end of a pipe, and a thread reads the other. A child process that
outlives the cell keeps its end, so its late output still has the right run. A full pipe would stop the writer, and if
that writer held Python's lock the reader as well: the pipes are made as large as Linux allows an ordinary user.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import fcntl
import os
import select
import selectors
import threading
import time
from dataclasses import dataclass

from .runs import Run
from .scribe import Scribe

_PIPE_BYTES = 1024 * 1024
_READ_BYTES = 256 * 1024
_F_SETPIPE_SZ = 1031  # fcntl.F_SETPIPE_SZ exists in Python 3.10 and newer on Linux only
_SETTLE_S = 0.5
_DRAIN_S = 2.0
STREAMS = {1: "stdout", 2: "stderr"}


@dataclass(eq=False)
class _Pipe:
    run: Run
    name: str
    reading_end: int
    decoder: codecs.IncrementalDecoder
    closed: bool = False
    batches: int = 0
    """How many times it was read, and what was read handed over."""


class Descriptors:
    """Catches what is written to descriptors 1 and 2 below Python."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._pid = os.getpid()
        self._saved: dict[int, int] = {}
        self._pipes: list[_Pipe] = []
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._reading: _Pipe | None = None
        self._thread = threading.Thread(target=self._work, name="dbk-descriptors", daemon=True)
        self._thread.start()

    def begin(self, run: Run) -> None:
        """Take the descriptors over for `run`.

        Raises:
            OSError: One of them is closed or no pipe can be had; nothing is changed then.
        """
        try:
            for descriptor, name in STREAMS.items():
                self._take_over(descriptor, run, name)
        except OSError:
            self.end()
            raise

    def _take_over(self, descriptor: int, run: Run, name: str) -> None:
        saved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, _F_SETPIPE_SZ, _PIPE_BYTES)
        self._saved[descriptor] = saved
        os.dup2(writing, descriptor)
        os.close(writing)
        pipe = _Pipe(run, name, reading, codecs.getincrementaldecoder("utf-8")("replace"))
        self._pipes.append(pipe)
        with self._lock:
            self._selector.register(reading, selectors.EVENT_READ, pipe)
        os.write(self._wake_write, b"x")

    def end(self, run: Run | None = None) -> None:  # noqa: ARG002 - there is one at a time
        """Give the descriptors back; all that was written before is handed over when this returns."""
        _flush_c_stdout()
        for descriptor in list(self._saved):
            # In this order, an interruption at any point can be made good by a second call.
            os.dup2(self._saved[descriptor], descriptor)
            os.close(self._saved.pop(descriptor))
        deadline_s = time.monotonic() + _DRAIN_S
        while self._unread() and time.monotonic() < deadline_s:
            time.sleep(0.0005)
        self._pipes = []

    def settle(self) -> None:
        """Wait, shortly, until what a subprocess has written is handed over: a later `print` must come after it."""
        if threading.current_thread() is self._thread:
            return
        reading = self._reading
        # A child that writes all the time must not stop the cell: one batch since is enough, begun after this moment.
        enough = {pipe: pipe.batches + 1 + (pipe is reading) for pipe in self._unread()}
        deadline_s = time.monotonic() + _SETTLE_S
        while enough and any(pipe.batches < enough.get(pipe, 0) for pipe in self._unread()):
            if time.monotonic() > deadline_s:
                return
            time.sleep(0.0005)

    def still_open(self, run: Run) -> int:
        """How many of the run's two pipes a child process of it still holds."""
        with self._lock:
            pipes = [key.data for key in self._selector.get_map().values() if isinstance(key.data, _Pipe)]
        return sum(pipe.run is run and not _is_hung_up(pipe) for pipe in pipes)

    def _unread(self) -> list[_Pipe]:
        """The pipes into which something was written that is not handed over yet.

        The thread says what it reads before it does, so a pipe without anything to read that is not being read is done.
        """
        # A new object each time: one cannot be asked by two threads at once.
        poll = select.poll()
        for pipe in self._pipes:
            if not pipe.closed:
                poll.register(pipe.reading_end, select.POLLIN)
        readable = {descriptor for descriptor, event in poll.poll(0) if event & select.POLLIN}
        reading = self._reading
        return [pipe for pipe in self._pipes if pipe is reading or (not pipe.closed and pipe.reading_end in readable)]

    def _work(self) -> None:
        while True:
            for key, _ in self._selector.select():
                pipe: _Pipe | None = key.data
                if pipe is None:
                    self._woken()
                    continue
                self._reading = pipe
                try:
                    self._read(key.fd, pipe)
                finally:
                    pipe.batches += 1
                    self._reading = None

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, _READ_BYTES)

    def _read(self, descriptor: int, pipe: _Pipe) -> None:
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        text = pipe.decoder.decode(data, final=not data)
        if text:
            self._scribe.stream(pipe.run, pipe.name, text)
        if not data:
            with self._lock:
                self._selector.unregister(descriptor)
            pipe.closed = True
            os.close(descriptor)


def _is_hung_up(pipe: _Pipe) -> bool:
    poll = select.poll()
    poll.register(pipe.reading_end, 0)
    return pipe.closed or bool(poll.poll(0))


def _flush_c_stdout() -> None:
    """Text that C code has printed may wait in C's own buffer."""
    with contextlib.suppress(Exception):
        library = ctypes.CDLL(None)
        # Only this stream: `fflush(NULL)` would wait for a thread that reads standard input.
        library.fflush(ctypes.c_void_p.in_dll(library, "stdout"))
