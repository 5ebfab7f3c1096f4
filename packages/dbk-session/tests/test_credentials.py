"""Credentials that change while a command runs: OAuth tokens that live for a moment, and tokens that are replaced.

In front of the embedded workspace stands an identity provider of OAuth's client credentials, over real HTTP: it gives
out tokens, lets requests with a living one through to the workspace, and refuses the others as Databricks does.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from dbk_session import ContextLost, Notice, Stream
from dbk_session.errors import AuthenticationError

# The SDK takes a token for expired 40 s before it is.
SDK_MARGIN_S = 40
LINES = 18
PRINTING = f"import time\nfor i in range({LINES}):\n    print(i, flush=True)\n    time.sleep(0.1)"
PRINTED = "".join(f"{i}\n" for i in range(LINES))


class Gate(ThreadingHTTPServer):
    """The identity provider and the only way to the workspace.

    Attributes:
        living_s: how long a token is good for.
        told_s: how long the SDK is told that it is.
        outages: so many of the next requests for a token are answered with 503.
        given: how many tokens were given out.
        refused: how many requests had a token that was too old.
    """

    daemon_threads = True

    def __init__(self, workspace):
        super().__init__(("127.0.0.1", 0), Handler)
        self.workspace = workspace
        self.living_s, self.told_s = 2.5, SDK_MARGIN_S + 1
        self.outages = self.given = self.refused = 0
        self.until_s = {}
        self.lock = threading.Lock()
        self.host = f"http://127.0.0.1:{self.server_address[1]}"

    def new_token(self):
        with self.lock:
            if self.outages:
                self.outages -= 1
                return None
            self.given += 1
            token = secrets.token_hex(8)
            self.until_s[token] = time.monotonic() + self.living_s
            return token

    def lets_in(self, authorization):
        with self.lock:
            good = self.until_s.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()
            self.refused += not good
            return good

    def expire(self):
        """Every token that was given out is worth nothing from here on."""
        with self.lock:
            self.until_s.clear()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.handle_one()

    def do_POST(self):
        self.handle_one()

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        gate = self.server
        if self.path.endswith("databricks-config"):
            self.reply(200, {"oidc_endpoint": f"{gate.host}/oidc"})
        elif self.path.endswith("oauth-authorization-server"):
            places = {"authorization_endpoint": f"{gate.host}/authorize", "token_endpoint": f"{gate.host}/token"}
            self.reply(200, places)
        elif self.path == "/token":
            token = gate.new_token()
            granted = {"access_token": token, "token_type": "Bearer", "expires_in": gate.told_s}
            self.reply(*((200, granted) if token else (503, {"error": "temporarily_unavailable"})))
        elif not gate.lets_in(self.headers.get("Authorization", "")):
            self.reply(403, {"error_code": "403", "message": "Invalid access token."})
        else:
            self.pass_on(body)

    def pass_on(self, body):
        workspace = self.server.workspace
        connection = HTTPConnection(urlsplit(workspace.host).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {workspace.token}", "Content-Type": "application/json"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        self.send(answer.status, answer.read())
        connection.close()

    def reply(self, status, content):
        self.send(status, json.dumps(content).encode())

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def gate(workspace, monkeypatch):
    server = Gate(workspace)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_HOST", server.host)
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "a-service-principal")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "its-secret")
    yield server
    server.living_s = 3600.0
    server.shutdown()
    server.server_close()


@pytest.fixture
def session(gate, open_session, until):
    gate.living_s = 60.0
    opened = open_session(channel="spool")
    opened.run("1")
    until(lambda: opened.channel == "spool")
    gate.living_s = 2.5
    return opened


def notices(events):
    return [event.text for event in events if isinstance(event, Notice)]


def test_tokens_are_refreshed_while_a_command_runs(session, gate, events):
    before = gate.given

    result = session.run(PRINTING)

    assert (result.status, result.stdout) == ("ok", PRINTED)
    assert gate.given > before
    assert notices(events) == []


def test_a_token_that_ends_before_its_time_is_replaced(session, gate, events):
    gate.told_s = 3600
    gate.expire()
    command = session.start(PRINTING)
    next(event for event in command.events() if isinstance(event, Stream))
    gate.expire()

    result = command.result(60)

    assert (result.status, result.stdout) == ("ok", PRINTED)
    assert gate.refused
    assert not [event for event in events if isinstance(event, ContextLost)]


def test_a_token_endpoint_that_is_out_for_a_moment_costs_nothing(session, gate, until, tmp_path):
    end = tmp_path / "end"
    command = session.start(
        "import itertools, os, time\nfor i in itertools.count():\n    print(i, flush=True)\n    time.sleep(0.1)\n"
        f"    if os.path.exists({str(end)!r}): break"
    )
    next(event for event in command.events() if isinstance(event, Stream))
    gate.outages = 4
    until(lambda: gate.outages == 0)
    end.touch()

    result = command.result(60)

    lines = result.stdout.splitlines()
    assert (result.status, lines) == ("ok", [str(i) for i in range(len(lines))])
    assert result.stdout.endswith("\n")


KILLED = """
import sys, threading
from databricks.sdk import WorkspaceClient
from dbk_session import Session
host, cluster = sys.argv[1:]
client = WorkspaceClient(host=host, client_id="a-service-principal", client_secret="its-secret")
session = Session(client=client, cluster_id=cluster)
session.run("1")
session.start("import time\\nfor _ in range(1000): print(1, flush=True); time.sleep(0.1)")
threading.Event().wait(3.5)
print("ready", flush=True)
threading.Event().wait()
"""


def test_the_guard_of_a_killed_process_has_the_latest_token(gate, workspace, until, monkeypatch):
    gate.living_s = 3.0
    for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"):
        # Only the client's own object knows them, so the guard has nothing to log in with.
        monkeypatch.delenv(name)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, gate.host, workspace.cluster_id], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        gate.living_s = 3600.0
        issued = gate.given
        until(lambda: gate.given > issued)
        assert workspace.contexts()
        process.kill()

    until(lambda: workspace.contexts() == [])


def written(path, host, token):
    path.write_text(f"[mine]\nhost = {host}\ntoken = {token}\n")


@pytest.fixture
def profile(gate, monkeypatch, tmp_path):
    """A profile with a personal access token, which the gate knows."""
    path = tmp_path / "databrickscfg"
    for name in ("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_HOST"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(path))
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "mine")
    gate.living_s = 3600.0
    written(path, gate.host, gate.new_token())
    return path


def test_a_personal_token_that_was_replaced_in_the_profile_is_taken_up(gate, profile, open_session, until, events):
    session = open_session(channel="spool")
    session.run("1")
    until(lambda: session.channel == "spool")
    command = session.start(PRINTING)
    next(event for event in command.events() if isinstance(event, Stream))

    fresh = gate.new_token()
    written(profile, gate.host, fresh)
    with gate.lock:
        gate.until_s = {fresh: gate.until_s[fresh]}
    result = command.result(60)

    assert (result.status, result.stdout) == ("ok", PRINTED)
    assert gate.refused
    assert notices(events) == []


def test_an_expired_personal_token_ends_in_one_clear_error_and_the_session_goes_on_with_a_new_one(
    gate, profile, open_session, until, events, tmp_path
):
    path = tmp_path / "counter"
    session = open_session(channel="spool")
    session.run("kept = 5")
    until(lambda: session.channel == "spool")
    command = session.start(f"open({str(path)!r}, 'a').write('x')\n{PRINTING}")
    next(event for event in command.events() if isinstance(event, Stream))

    gate.expire()
    with pytest.raises(AuthenticationError, match="Invalid token"):
        command.result(60)
    written(profile, gate.host, gate.new_token())

    assert session.run("print(kept)").text == "5"
    assert session.channel == "spool"
    assert path.read_text() == "x"
    assert notices(events) == []
