"""Spark on the cluster: how far it is, and stopping it."""

from __future__ import annotations

import pytest
from dbk_local import Workspace
from dbk_session import Failure, Session, SparkProgress, _stop

pytestmark = pytest.mark.spark
# Where two JVMs share two busy cores, Spark may need longer to stop than a person is made to wait.
PATIENCE_S = 60.0

JOB = "sc.parallelize(range(8), 8).map(lambda i: __import__('time').sleep({seconds}) or i).collect()"


@pytest.fixture(scope="module")
def spark_workspace():
    pytest.importorskip("pyspark")
    with Workspace() as workspace:
        yield workspace


@pytest.fixture
def session(spark_workspace, monkeypatch, tmp_path, until):
    for name, value in spark_workspace.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(_stop, "CANCEL_ANSWER_S", PATIENCE_S)
    with Session(channel="spool") as opened:
        opened.run("spark.range(3).count()").raise_for_error()
        until(lambda: opened.channel == "spool")
        yield opened


def test_the_progress_of_a_job_is_told_while_it_runs(session):
    result = session.run(JOB.format(seconds=1.5))

    progress = [event for event in result.events if isinstance(event, SparkProgress)]
    assert result.data("text/plain") == "[0, 1, 2, 3, 4, 5, 6, 7]"
    assert 8 in {event.tasks_total for event in progress}
    assert all(0 <= event.tasks_done <= event.tasks_total for event in progress)


def test_a_job_is_stopped_by_a_cancel(session):
    command = session.start(JOB.format(seconds=60))
    next(event for event in command.events() if isinstance(event, SparkProgress))

    command.cancel()

    assert command.result(60).status == "cancelled"
    assert session.run("spark.range(5).count()").data("text/plain") == "5"


CONNECT_JOB = """
from pyspark.sql.functions import udf
@udf("long")
def slow(i):
    import time
    time.sleep({seconds})
    return i
[row.x for row in spark.range(0, 4, 1, 4).select(slow("id").alias("x")).collect()]
"""


@pytest.fixture(scope="module")
def connect_session(tmp_path_factory):
    """A session on a cluster in standard access mode, where `spark` is a Spark Connect session."""
    pytest.importorskip("pyspark")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    patch.setattr(_stop, "CANCEL_ANSWER_S", PATIENCE_S)
    with Workspace(access_mode="standard") as workspace:
        for name, value in workspace.env().items():
            patch.setenv(name, value)
        with Session(channel="spool") as opened:
            kind = opened.run("spark.range(3).count(); type(spark.range(1)).__module__").raise_for_error()
            if "pyspark.sql.connect" not in kind.text:
                pytest.skip("this workspace has no Spark Connect")
            while opened.channel != "spool":
                opened.run("1")
            yield opened
    patch.undo()


def test_the_progress_of_an_operation_of_spark_connect_is_told_while_it_runs(connect_session):
    result = connect_session.run(CONNECT_JOB.format(seconds=2))

    progress = [event for event in result.events if isinstance(event, SparkProgress)]
    assert result.data("text/plain") == "[0, 1, 2, 3]"
    assert 4 in {event.tasks_total for event in progress}
    assert all(0 <= event.tasks_done <= event.tasks_total for event in progress)


def test_an_operation_of_spark_connect_is_stopped_by_a_cancel(connect_session):
    command = connect_session.start(CONNECT_JOB.format(seconds=120))
    next(event for event in command.events() if isinstance(event, SparkProgress))

    command.cancel()
    result = command.result(60)

    assert result.status == "cancelled"
    assert [event.ename for event in result.events if isinstance(event, Failure)] == ["KeyboardInterrupt"]
    # The tasks would hold the cluster's cores for two minutes.
    assert connect_session.run("spark.range(5).count()").data("text/plain") == "5"
    assert "dbk-" in connect_session.run("print(spark.getTags())").stdout
