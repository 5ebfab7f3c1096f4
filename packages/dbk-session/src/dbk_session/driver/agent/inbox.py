"""Messages that reach a busy interpreter through its spool folder: from the control context, sealed with the key."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .core import Core
from .runs import Run
from .spool import interrupts

_LOOK_S = 0.05


class Inbox:
    """A thread that looks while a cell runs, and sleeps otherwise."""

    def __init__(self, core: Core, on_comm: Callable[[dict[str, Any]], Any]) -> None:
        self._core = core
        self._on_comm = on_comm
        self._busy = threading.Event()
        self._closed = False
        if core.spool is not None:
            threading.Thread(target=self._work, name="dbk-inbox", daemon=True).start()

    def begin(self, run: Run) -> None:  # noqa: ARG002 - messages name their run
        """From now on messages are looked for."""
        self._busy.set()

    def end(self, run: Run) -> None:  # noqa: ARG002
        """The client asks directly again; what is there already is still handled."""
        self._busy.clear()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._busy.set()

    def _work(self) -> None:
        pause = threading.Event()
        while not self._closed:
            self._busy.wait()
            pause.wait(_LOOK_S)
            self._core.seams.attempt("the inbox", self._look)

    def _look(self) -> None:
        spool = self._core.spool
        assert spool is not None
        try:
            names = sorted(os.listdir(spool.path("inbox")))
        except FileNotFoundError:
            return
        for name in names:
            data = spool.take("inbox", name)
            if data is not None:
                self._handle(data)

    def _handle(self, data: bytes) -> None:
        try:
            message = json.loads(wire.unseal(self._core.key, data.decode("ascii")))
        except ValueError as error:
            # Not from our client: say so, do nothing.
            self._core.report(f"a message to the driver was refused: {error}")
            return
        if message["type"] == "comm":
            self._on_comm(message)
        elif message["type"] == "interrupt":
            self._interrupt(message.get("run"), message.get("presses"))

    def _interrupt(self, run_id: str | None, presses: int | None) -> None:
        active, spool = self._core.runs.active, self._core.spool
        if spool is not None and presses is not None and interrupts(spool.folder) >= presses:
            return
        if active is not None and run_id in (None, active.id):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
