"""Spark on the cluster: how far it is, and stopping it."""

from __future__ import annotations

import pytest
from dbk_local import Workspace
from dbk_session import Session, SparkProgress

pytestmark = pytest.mark.spark

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
