"""The rows that need Apache Spark, over HTTP."""

from __future__ import annotations

import pytest
from dbk_local import Workspace

pytest.importorskip("pyspark")
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def spark_workspace():
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def api(spark_workspace, api_of):
    return api_of(spark_workspace)


@pytest.fixture
def context(api, until):
    made = api.create()
    yield made
    api.destroy(made)


def test_display_of_a_spark_frame_is_a_table(api, context):
    results = api.run(context, "display(spark.range(2).selectExpr('id', 'cast(id as string) v', 'id > 0 b'))")

    assert results["resultType"] == "table", results
    assert results["data"] == [[0, "0", False], [1, "1", True]]
    assert [column["type"] for column in results["schema"]] == ['"long"', '"string"', '"boolean"']
    assert results["isJsonSchema"] is True
    assert results["truncated"] is False


def test_a_table_is_cut_at_10000_rows(api, context):
    results = api.run(context, "display(spark.range(10_001))")

    assert (len(results["data"]), results["truncated"]) == (10_000, True)


def test_sql_commands_are_run_by_spark(api, context):
    assert api.run(context, "select 1 as one", language="sql")["data"] == [[1]]


def test_running_structured_stream_makes_the_status_answer_500(api, context, until):
    start = "q = spark.readStream.format('rate').load().writeStream.format('noop').start()"
    command = api.execute(context, start)

    def answer():
        found = api.status(context, command)
        return found if found.status == 500 else None

    assert until(answer).json["error"].startswith("RuntimeException: Unknown ExecutionStatus RunningInBackground(")
    assert api.run(context, "q.stop()")["resultType"] == "text"
    assert api.status(context, command).json["status"] == "Finished"


def test_a_cancel_reaches_the_jobs_of_spark(api, context, until):
    code = "import time\nsc.parallelize(range(200), 200).map(lambda n: time.sleep(1)).count()"
    command = api.execute(context, code)
    tracker = "print(len(sc.statusTracker().getActiveJobsIds()))"
    other = api.create()
    until(lambda: api.run(other, tracker)["data"] == "1")

    api.cancel(context, command)

    assert "CommandCancelledException" in api.finished(context, command)["results"]["cause"]
    until(lambda: api.run(other, tracker)["data"] == "0")
    api.destroy(other)
