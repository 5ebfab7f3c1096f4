"""A context's questions to the server, asked from any thread, by user code that may be interrupted at any moment."""

from __future__ import annotations

import select
import socket
import threading
from typing import Any

from dbk_local._driver import _frames
from dbk_local._driver._interrupts import Interrupts

_INTERRUPT_LATENCY_S = 0.1


class ServiceFailed(RuntimeError):
    """The server answered with a reason why not."""


class Service:
    """Requests `{"id", "op", ...}`, answers `{"id", ...}` or `{"id", "error"}`."""

    def __init__(self, sock: socket.socket, interrupts: Interrupts) -> None:
        self._sock = sock
        self._interrupts = interrupts
        self._lock = threading.Lock()
        self._next_id = 0

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """The answer.

        Raises:
            ServiceFailed: the server gave a reason instead.
            KeyboardInterrupt: the command was cancelled meanwhile; the late answer is dropped.
        """
        # An interrupt in the middle of a message would leave the stream unusable, so it waits until between two.
        with self._interrupts.deferred() as interrupted, self._lock:
            self._next_id += 1
            wanted = self._next_id
            _frames.send(self._sock, {"id": wanted, "op": op, **arguments})
            while True:
                while not select.select([self._sock], [], [], _INTERRUPT_LATENCY_S)[0]:
                    if interrupted():
                        raise KeyboardInterrupt
                answer, _fds = _frames.receive(self._sock)
                if answer is None:
                    raise ServiceFailed("the driver is gone")
                if answer["id"] == wanted:
                    break
        if "error" in answer:
            raise ServiceFailed(answer["error"])
        return answer
