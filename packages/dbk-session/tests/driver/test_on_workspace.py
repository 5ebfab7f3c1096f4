"""The agent in contexts of the embedded workspace, over plain HTTP: what the API makes of its commands."""

import json
import time
import urllib.request
from itertools import groupby
from urllib.parse import urlencode

import pytest
from dbk_local import Workspace
from dbk_session.driver import bootstrap, control_bootstrap, wire

PATIENCE_S = 120


class Api:
    """The 1.2 API, as it is."""

    def __init__(self, workspace):
        self.workspace = workspace

    def call(self, path, body=None, **query):
        """POST with a body, GET with a query."""
        query = {"clusterId": self.workspace.cluster_id, **query} if body is None else {}
        request = urllib.request.Request(
            f"{self.workspace.host}/api/1.2/{path}" + (f"?{urlencode(query)}" if query else ""),
            data=None if body is None else json.dumps({"clusterId": self.workspace.cluster_id, **body}).encode(),
            headers={"Authorization": f"Bearer {self.workspace.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.load(response)

    def until(self, path, wanted, **query):
        """Ask until the status is one of those wanted."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            answer = self.call(path, **query)
            if answer["status"] in wanted:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"{path} never was {wanted}")

    def context(self):
        """A running Python context."""
        made = self.call("contexts/create", {"language": "python"})["id"]
        self.until("contexts/status", ("Running",), contextId=made)
        return made

    def start(self, context, command):
        """Start a command; its id."""
        return self.call("commands/execute", {"contextId": context, "language": "python", "command": command})["id"]

    def results(self, context, command_id):
        """Wait for a command."""
        final = ("Finished", "Error", "Cancelled")
        return self.until("commands/status", final, contextId=context, commandId=command_id)["results"]

    def run(self, context, command):
        """Run a command to its end."""
        return self.results(context, self.start(context, command))


class Agent:
    """A context with the agent in it."""

    def __init__(self, api):
        self.api = api
        self.context = api.context()
        self.install()

    def install(self):
        """Send the bootstrap."""
        self.hello, _ = wire.find_frame(self.api.run(self.context, bootstrap())["data"])
        self.key = bytes.fromhex(self.hello["key"])

    def cell(self, code, **trailer):
        """The frame and the records of a cell."""
        results = self.api.run(self.context, wire.with_trailer(code, trailer))
        assert results["resultType"] == "text", results
        frame, rest = wire.find_frame(results["data"])
        assert rest == ""
        return frame, wire.read_records(frame["payload"].encode(), self.key)[0] if frame.get("payload") else []

    def call(self, op, **arguments):
        """The value of an operation."""
        results = self.api.run(self.context, wire.call_text(op, arguments))
        frame, _ = wire.find_frame(results.get("data") or "")
        return frame["value"] if frame else results


@pytest.fixture(scope="module")
def api():
    with Workspace(spark=False) as workspace:
        yield Api(workspace)


@pytest.fixture(scope="module")
def agent(api):
    return Agent(api)


def test_a_failed_cell_still_ends_as_text_with_its_records(agent):
    frame, records = agent.cell("print('before')\n1/0", run="fails")

    assert frame["status"] == "error"
    assert [kind for kind, _ in groupby(record["t"] for record in records)] == ["start", "stream", "error", "done"]


def test_text_pictures_and_values_come_together(agent):
    _, records = agent.cell(
        "print('text')\nfrom IPython.display import display\ndisplay({'image/png': 'aGk='}, raw=True)\n5", run="mixed"
    )

    kinds = [kind for kind, _ in groupby(record["t"] for record in records)]
    assert kinds == ["start", "stream", "display", "result", "done"]


def test_a_result_that_is_too_long_for_the_api_is_read_in_pieces(api, agent):
    agent.cell("import random\nrandom.seed(1)", run="before-long")
    frame, _ = agent.cell("for _ in range(20000):\n    print(random.random())", run="long")
    assert frame["payload"] is None
    data = b""
    while len(data) < frame["length"]:
        data += wire.unpack_piece(agent.call("read", run="long", offset=len(data)))

    text = "".join(record.get("text", "") for record in wire.read_records(data, agent.key)[0])
    assert text.count("\n") == 20000


def test_output_survives_a_cancel_though_the_api_drops_it(api, agent):
    command = api.start(agent.context, wire.with_trailer("print('kept')\nimport time\ntime.sleep(600)", {"run": "cut"}))
    control = api.context()
    api.run(control, control_bootstrap())
    spool = agent.hello["spool"]
    request = {"spool": spool, "run": "cut", "offset": 0, "wait_s": 1}
    live = b""
    while b'"t":"stream"' not in live:
        frame, _ = wire.find_frame(
            api.run(control, wire.control_text("read", {**request, "offset": len(live)}))["data"]
        )
        live += wire.unpack_piece(frame["value"])

    api.call("commands/cancel", {"contextId": agent.context, "commandId": command})
    results = api.results(agent.context, command)

    assert results["resultType"] == "error"
    assert "CommandCancelledException" in results["cause"]
    records, _ = wire.read_records(wire.unpack_piece(agent.call("read", run="cut", offset=0)), agent.key)
    assert "".join(record.get("text", "") for record in records) == "kept\n"
    assert [record["t"] for record in records][-2:] == ["error", "done"]
    assert records[-2]["ename"] == "KeyboardInterrupt"
    assert agent.cell("1", run="after-cut")[0]["status"] == "ok"


def test_a_signal_of_the_control_context_stops_a_cell(api, agent):
    control = api.context()
    api.run(control, control_bootstrap())
    command = api.start(agent.context, wire.with_trailer("while True:\n    pass", {"run": "signalled"}))
    spool = agent.hello["spool"]
    request = {"spool": spool, "run": "signalled", "offset": 0, "wait_s": 60}
    api.run(control, wire.control_text("read", request))

    frame, _ = wire.find_frame(api.run(control, wire.control_text("signal", {"spool": spool}))["data"])

    assert frame["value"] == {"how": "signal"}
    found, _ = wire.find_frame(api.results(agent.context, command)["data"])
    assert found["status"] == "error"


def test_an_exit_of_the_notebook_ends_the_run_well(api, agent):
    results = api.run(agent.context, wire.with_trailer("print('x')\ndbutils.notebook.exit('bye')", {"run": "exits"}))

    assert "bye" in results["data"]
    assert agent.call("has", run="exits")["status"] == "ok"


def test_a_new_interpreter_has_no_agent_and_another_nonce(api, agent):
    before = agent.hello
    api.run(agent.context, wire.with_trailer("dbutils.library.restartPython()", {"run": "restarts"}))

    assert "No module named" in str(agent.call("hello"))
    agent.install()

    assert agent.hello["nonce"] != before["nonce"]
    assert agent.cell("1", run="restarts")[0]["status"] == "ok"


@pytest.fixture(scope="module")
def spark():
    pytest.importorskip("pyspark")
    with Workspace() as workspace:
        yield Agent(Api(workspace))


@pytest.mark.spark
def test_spark_frames_are_tables_and_jobs_are_marked_once_spark_is_there(spark):
    _, before = spark.cell("1", run="asleep")
    assert (before[0]["group"], before[0]["tag"]) == (None, None)

    _, records = spark.cell("display(spark.range(3))", run="awake")
    data = next(record["data"] for record in records if record["t"] == "display")
    assert data["application/vnd.dataresource+json"]["data"] == [{"id": 0}, {"id": 1}, {"id": 2}]

    _, records = spark.cell("%sql\nSELECT 1 AS one, 'x' AS two; SELECT 2 AS two", run="sql")
    assert records[0]["group"]
    assert records[0]["tag"] == "dbk-sql"
    data = next(record["data"] for record in records if record["t"] == "display")
    assert data["application/vnd.dataresource+json"]["data"] == [{"two": 2}]
    _, records = spark.cell("_sqldf.columns", run="sqldf")
    assert records[1]["data"] == {"text/plain": "['two']"}

    # `%reset` takes `spark` and `dbutils` from the user, not from the magics.
    spark.cell("import builtins; builtins.kept = spark, sc, dbutils", run="keep")
    spark.cell("%reset -f", run="reset")
    _, records = spark.cell("%sql\nSELECT 3 AS three", run="sql-after")
    data = next(record["data"] for record in records if record["t"] == "display")
    assert data["application/vnd.dataresource+json"]["data"] == [{"three": 3}]
    _, records = spark.cell("%fs ls /", run="fs-after")
    assert not [record for record in records if record["t"] == "error"]
    spark.cell("import builtins; spark, sc, dbutils = builtins.kept", run="again")


@pytest.mark.spark
def test_jobs_of_a_cell_are_counted_and_cancelled_from_beside_it(spark):
    spark.cell("spark.range(1).count()", run="warm")
    control = spark.api.context()
    spark.api.run(control, control_bootstrap())
    slow = "sc.parallelize(range(4), 4).map(lambda x: __import__('time').sleep(600)).count()"
    command = spark.api.start(spark.context, wire.with_trailer(slow, {"run": "slow"}))
    marks = {}
    while not marks.get("tasks_total"):
        frame, _ = wire.find_frame(spark.api.run(control, wire.control_text("progress", {"tag": "dbk-slow"}))["data"])
        marks = frame["value"] or {}

    assert (marks["jobs"], marks["stages"], marks["tasks_done"], marks["tasks_total"]) == (1, 1, 0, 4)
    frame, _ = wire.find_frame(spark.api.run(control, wire.control_text("cancel_spark", {"tag": "dbk-slow"}))["data"])
    assert frame["value"] == {"cancelled": True}
    found, _ = wire.find_frame(spark.api.results(spark.context, command)["data"])
    assert found["status"] == "error"
    assert spark.cell("spark.range(2).count()", run="next")[0]["status"] == "ok"
