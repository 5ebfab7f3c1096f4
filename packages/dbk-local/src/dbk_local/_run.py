"""One command with the workspace in its environment: its signals, its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
NOT_FOUND = 127
"""What a shell exits with for a command it cannot find."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; its exit status, or 128 + the number of the signal that ended it."""
    got: list[int] = []
    before = {number: signal.signal(number, lambda number, _: got.append(number)) for number in PASSED_ON}
    try:
        process = subprocess.Popen(command, env={**os.environ, **environment})
    except OSError as error:
        print(f"dbk-local: {command[0]}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    else:

        def pass_on(number: int, _: FrameType | None) -> None:
            # Ctrl-C in a terminal reaches the command by itself; JupyterLab takes a second one for "yes, quit".
            if not (number in (signal.SIGINT, signal.SIGQUIT) and sys.stdin.isatty()):
                process.send_signal(number)

        for number in PASSED_ON:
            signal.signal(number, pass_on)
        for early in got:
            pass_on(early, None)
        status = process.wait()
        return 128 - status if status < 0 else status
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
