"""`dbk-local serve` as a child process, which ends with this one however this one ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

from .errors import StartFailed

START_S = 60.0
STOP_S = 90.0
"""The first orderly stop after Spark was used writes class archives, which takes half a minute on a busy machine."""


class ServerProcess:
    """Started once, with the arguments of `serve`."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._command = [sys.executable, "-P", "-m", "dbk_local", "serve", "--json", "--until-eof", *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start it and wait until it answers; gives what it says of itself.

        Raises:
            StartFailed: it ended, or said nothing within a minute.
        """
        # A session of its own: Ctrl-C in a terminal ends the program first, and the workspace through it.
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._process = process
        assert process.stdout
        line = _line(process.stdout, START_S)
        if not line:
            self.stop()
            raise StartFailed(f"The embedded workspace did not start (exit status {process.returncode}).")
        about: dict[str, Any] = json.loads(line)
        return about

    def stop(self) -> None:
        """End it in good order, and everything it started. Idempotent."""
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process:
            self._process.kill()
            self.stop()


def _line(pipe: IO[bytes], deadline_s: float) -> bytes:
    """The first line, or nothing when it does not come in time."""
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda: lines.append(pipe.readline()), daemon=True)
    reader.start()
    reader.join(deadline_s)
    return lines[0] if lines else b""
