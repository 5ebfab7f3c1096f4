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
import json, sys
from dbk_session import Session, Stream, _pump, _transport
_transport._READ_TIMEOUT_S = 0.8
_pump._WAIT_S = 0.5
with Session(channel=sys.argv[1]) as session:
    session.run("import time")
    while sys.argv[1] == "spool" and session.channel != "spool": pass
    print("ready", flush=True)
    command = session.start("for i in range(60):\\n    print(i, flush=True)\\n    time.sleep(0.06)")
    for event in command.events():
        if isinstance(event, Stream):
            print("seen", flush=True)
    result = command.result()
    print(json.dumps([result.status, result.stdout, session.run("print('after')").stdout]), flush=True)
"""


def test_what_was_printed_while_the_client_slept_is_shown_once_at_its_awakening(workspace):
    with subprocess.Popen([sys.executable, "-c", CLIENT, "spool"], stdout=subprocess.PIPE, text=True) as client:
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
    assert workspace.contexts() == []


def test_a_command_that_ended_while_the_client_slept_is_told_at_its_awakening(workspace):
    with subprocess.Popen([sys.executable, "-c", CLIENT, "spool"], stdout=subprocess.PIPE, text=True) as client:
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
