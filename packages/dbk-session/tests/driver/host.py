"""A host like the one on a driver: one IPython shell, one command at a time, its result what is written to 1 and 2.

Run as a child process by the fixtures in `conftest.py`: requests and answers are JSON lines on two descriptors.
"""

import json
import os
import signal
import sys
import tempfile

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def main():
    options = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, interrupt)
    config = Config()
    if not options.get("history"):
        config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = options.get("history") or ":memory:"
    shell = InteractiveShell.instance(config=config)
    # No child of a cell may hold them.
    pipes = [os.dup(options[name]) for name in ("requests", "answers")]
    for name in ("requests", "answers"):
        os.close(options[name])
    with os.fdopen(pipes[0], encoding="utf-8") as requests, os.fdopen(pipes[1], "w", encoding="utf-8") as answers:
        while line := requests.readline():
            request = json.loads(line)
            answers.write(json.dumps(run(shell, request)) + "\n")
            answers.flush()


def run(shell, request):
    """Run one command; everything that reaches the descriptors, by whatever way, is its text."""
    with tempfile.TemporaryFile("w+b") as file:
        saved = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        failed = True
        try:
            interrupt.welcome = True
            result = shell.run_cell(request["code"], store_history=request.get("store_history", True))
            interrupt.welcome = False
            failed = not result.success
        except KeyboardInterrupt:
            pass
        finally:
            interrupt.welcome = False
            for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
                stream.flush()
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            os.close(saved[0])
            os.close(saved[1])
        file.seek(0)
        return {"text": file.read().decode("utf-8", "replace"), "failed": failed}


def interrupt(_signal, _frame):
    """An interrupt that comes between two commands has nothing to interrupt."""
    if interrupt.welcome:
        raise KeyboardInterrupt


interrupt.welcome = False

if __name__ == "__main__":
    main()
