"""Spark through a kernel process: interrupting a job (check 19), and `%sql`."""

import pytest
from dbk_local import Workspace

pytestmark = pytest.mark.spark

# The job's tasks outlast every patience here; a thread of the cell says when the job is active.
LONG_JOB = """
import threading, time
def tell():
    while not list(sc.statusTracker().getActiveJobsIds()):
        time.sleep(0.1)
    print('go', flush=True)
threading.Thread(target=tell, daemon=True).start()
sc.parallelize(range(2), 2).map(lambda i: __import__('time').sleep(1000) or i).collect()
"""
NO_JOB_LEFT = """
import time
deadline_s = time.monotonic() + 60
while list(sc.statusTracker().getActiveJobsIds()) and time.monotonic() < deadline_s:
    time.sleep(0.1)
list(sc.statusTracker().getActiveJobsIds())
"""


@pytest.fixture(scope="module")
def kernel(environment, start_kernel, make_project):
    """A kernel on a workspace of its own that has Spark."""
    pytest.importorskip("pyspark")
    with Workspace() as workspace, start_kernel(environment(workspace), make_project()) as running:
        running.client.run("spark.range(1).count()")
        yield running


def test_check_19_an_interrupt_stops_a_spark_job(kernel, client):
    told = []

    def note(message):
        if message["msg_type"] == "stream" and "go" in message["content"]["text"] and not told:
            told.append(kernel.interrupt())

    answer = client.run(LONG_JOB, on_message=note)

    assert told
    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert client.run(NO_JOB_LEFT).result["text/plain"] == "[]"
    assert client.run("spark.range(5).count()").result["text/plain"] == "5"


def test_sql_shows_a_table_and_leaves_its_frame(client):
    answer = client.run("%sql\nSELECT id, id * 2 AS twice FROM range(3)")

    (shown,) = answer.contents("display_data")
    assert "twice" in shown["data"]["text/html"]
    fields = shown["data"]["application/vnd.dataresource+json"]["schema"]["fields"]
    assert [field["name"] for field in fields][-2:] == ["id", "twice"]
    assert client.run("[row.twice for row in _sqldf.collect()]").result["text/plain"] == "[0, 2, 4]"


def test_a_wrong_sql_statement_is_an_error_of_its_cell(client):
    answer = client.run("%sql SELECT nothing FROM nowhere")

    assert answer.reply["ename"] == "AnalysisException"
    assert client.run("1 + 1").result["text/plain"] == "2"
