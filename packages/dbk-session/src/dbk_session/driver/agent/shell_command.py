"""`%sh`: a script for bash, whose output is the cell's."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

# The name of the cell magic that `%sh` becomes: `%%sh` is IPython's own, with other rules.
SHELL_CELL = "dbk_sh"
_OPTION = re.compile(r"\s*-e\b[ \t]*")


def run_shell(text: str) -> None:
    """Run a script and show its output while it comes.

    A failure is not an error of the cell unless the text starts with `-e`, as on Databricks.

    Raises:
        CalledProcessError: With `-e`, the exit status of the script was not 0.
    """
    strict = _OPTION.match(text)
    script = text[strict.end() :] if strict else text
    program = shutil.which("bash") or "/bin/sh"
    with subprocess.Popen(
        [program, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A group of its own: an interrupt ends the script with all its children.
        start_new_session=True,
    ) as process:
        readers = [_Copy(process.stdout, sys.stdout), _Copy(process.stderr, sys.stderr)]
        try:
            process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
        for reader in readers:
            # A child that goes on in the background may hold the pipe: its output is late output.
            reader.join(timeout=0.5)
    if strict and process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "%sh")


class _Copy(threading.Thread):
    """Writes what comes from a pipe to a stream of the cell."""

    def __init__(self, pipe: Any, stream: Any) -> None:
        super().__init__(daemon=True)
        self._descriptor = os.dup(pipe.fileno())
        self._stream = stream
        self.start()

    def run(self) -> None:
        with open(self._descriptor, encoding="utf-8", errors="replace", newline="", buffering=1) as lines:
            for line in lines:
                self._stream.write(line)
                self._stream.flush()
