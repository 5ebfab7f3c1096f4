"""A laptop that sleeps while a command runs: the client process stands still, the cluster goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

LINES = 60
# The time-outs are made shorter than the sleep, so that every request under way has run out at the awakening.
CLIENT = """
import json, time
from dbk_session import Session, Stream, _pump, _transport
with Session(channel="spool") as session:
    session.run("import time")
    while session.channel != "spool": time.sleep(0.01)
    _transport._READ_TIMEOUT_S = 0.8
    _pump._WAIT_S = 0.5
    print("ready", flush=True)
    command = session.start("for i in range(60):\\n    print(i, flush=True)\\n    time.sleep(0.06)")
    for event in command.events():
        if isinstance(event, Stream):
            print("seen", flush=True)
    result = command.result()
    after = session.run("print('after')").stdout
    _transport._READ_TIMEOUT_S = 60.0
    print(json.dumps([result.status, result.stdout, after]), flush=True)
"""


def test_what_was_printed_while_the_client_slept_is_shown_once_at_its_awakening(workspace, until):
    with subprocess.Popen([sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, text=True) as client:
        try:
            assert client.stdout.readline() == "ready\n"
            assert client.stdout.readline() == "seen\n"

            os.kill(client.pid, signal.SIGSTOP)
            threading.Event().wait(2.0)
            os.kill(client.pid, signal.SIGCONT)

            status, stdout, after = json.loads(client.stdout.read().splitlines()[-1])
        finally:
            client.kill()
    assert (status, stdout, after) == ("ok", "".join(f"{i}\n" for i in range(LINES)), "after\n")
    until(lambda: workspace.contexts() == [])


def test_a_command_that_ended_while_the_client_slept_is_told_at_its_awakening(workspace, until):
    with subprocess.Popen([sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, text=True) as client:
        try:
            assert client.stdout.readline() == "ready\n"
            assert client.stdout.readline() == "seen\n"

            os.kill(client.pid, signal.SIGSTOP)
            threading.Event().wait(LINES * 0.06 + 1.5)
            os.kill(client.pid, signal.SIGCONT)

            status, stdout, after = json.loads(client.stdout.read().splitlines()[-1])
        finally:
            client.kill()
    assert (status, stdout, after) == ("ok", "".join(f"{i}\n" for i in range(LINES)), "after\n")
