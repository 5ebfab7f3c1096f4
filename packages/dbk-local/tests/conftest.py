"""What the tests share: one workspace for the run, and a plain HTTP client that hides nothing."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass

import pytest
from dbk_local import Workspace

DEADLINE_S = 180.0  # Spark's first command: its JVM has taken 110 s on a busy machine


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Api:
    """The REST API of a workspace, one request a call, every answer as it came."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.cluster_id = workspace.cluster_id

    def send(self, method, path, body=None, headers=None, token=True):
        target = urllib.parse.urlsplit(self.workspace.host)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=DEADLINE_S)
        own = {"Authorization": f"Bearer {self.workspace.token}"} if token else {}
        try:
            connection.request(method, path, body, {**own, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path, /, **query):
        return self.send("GET", f"{path}?{urllib.parse.urlencode(query)}")

    def post(self, path, /, **fields):
        return self.send("POST", path, json.dumps(fields), {"Content-Type": "application/json"})

    # -- contexts and commands, the cluster filled in -------------------------------------------------------------

    def create(self, language="python"):
        answer = self.post("/api/1.2/contexts/create", clusterId=self.cluster_id, language=language)
        assert answer.status == 200, answer
        return answer.json["id"]

    def context_status(self, context):
        return self.get("/api/1.2/contexts/status", clusterId=self.cluster_id, contextId=context)

    def destroy(self, context):
        return self.post("/api/1.2/contexts/destroy", clusterId=self.cluster_id, contextId=context)

    def execute(self, context, text, language="python"):
        fields = {"clusterId": self.cluster_id, "contextId": context, "language": language, "command": text}
        answer = self.post("/api/1.2/commands/execute", **fields)
        assert answer.status == 200, answer
        return answer.json["id"]

    def status(self, context, command):
        names = {"clusterId": self.cluster_id, "contextId": context, "commandId": command}
        return self.get("/api/1.2/commands/status", **names)

    def cancel(self, context, command):
        names = {"clusterId": self.cluster_id, "contextId": context, "commandId": command}
        return self.post("/api/1.2/commands/cancel", **names)

    def finished(self, context, command):
        """The whole status answer once it is final."""
        return until(lambda: final(self.status(context, command).json))

    def run(self, context, text, language="python"):
        """The results of one command."""
        return self.finished(context, self.execute(context, text, language))["results"]

    def running(self, context, command):
        """Return when a command runs."""
        until(lambda: self.status(context, command).json["status"] == "Running")

    def cluster(self):
        return self.get("/api/2.1/clusters/get", cluster_id=self.cluster_id).json


def final(answer):
    return answer if answer["status"] in ("Finished", "Cancelled", "Error") else None


def until(condition, deadline_s=DEADLINE_S):
    """Poll until a condition gives something true, and give that."""
    end = time.monotonic() + deadline_s
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
    return found


@pytest.fixture(scope="session", name="until")
def until_():
    return until


@pytest.fixture(scope="session")
def api_of():
    return Api


@pytest.fixture(scope="session")
def workspace_process():
    with Workspace(spark=False) as workspace:
        yield workspace


@pytest.fixture
def workspace(workspace_process):
    """The shared workspace, as new."""
    workspace_process.reset()
    return workspace_process


@pytest.fixture
def api(workspace):
    return Api(workspace)


@pytest.fixture
def context(api):
    return api.create()
