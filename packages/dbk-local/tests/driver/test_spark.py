"""One Spark JVM for all contexts of a driver."""

import json
import os
import signal
from collections import deque
from types import SimpleNamespace

import pytest
from dbk_local._driver._attach import claim_new_connections

pytest.importorskip("pyspark")
pytestmark = pytest.mark.spark

DEADLINE_S = 120
LONG_JOB = "spark.range(10**14).selectExpr('sum(id % 7)').collect()"


@pytest.fixture(scope="module")
def driver(spark_driver):
    return spark_driver


@pytest.fixture
def other(driver):
    context = driver.context()
    yield context
    context.destroy()


def test_the_jvm_waits_for_the_first_use(new_driver):
    driver = new_driver(spark="auto")
    context = driver.context()

    context.text("x = 'a command that names no Spark object'")

    assert not driver.process.spark.is_open


def test_a_session_runs_sql_python_functions_and_pandas(context):
    assert context.text("spark.range(7).count()") == "7"
    assert context.text("sc.parallelize([1, 2]).map(lambda x: x + 1).collect()") == "[2, 3]"
    assert context.text("from pyspark.sql.functions import col\nu = udf(lambda x: x * 2, 'long')") == ""
    assert context.text("[r[0] for r in spark.range(2).select(u(col('id'))).collect()]") == "[0, 2]"
    assert context.text("spark.range(2).toPandas().id.sum()") in ("1", "np.int64(1)")


def test_every_way_to_a_session_leads_to_the_one_of_the_context(context):
    context.text(
        "from pyspark.sql import SparkSession\nfrom pyspark import SparkContext\n"
        "mine = SparkSession.builder.getOrCreate()"
    )

    assert context.text(
        "(mine is spark, SparkSession.getActiveSession() is spark, SparkContext.getOrCreate() is sc)"
    ) == ("(True, True, True)")
    assert "Cannot run multiple SparkContexts" in context.run("SparkContext()")["summary"]


def test_contexts_share_the_application_but_not_the_session(context, other):
    context.text("spark.range(3).createOrReplaceTempView('mine')\nspark.range(4).createOrReplaceGlobalTempView('ours')")
    context.text("spark.conf.set('spark.sql.shuffle.partitions', '3')")

    assert other.text("sc.applicationId") == context.text("sc.applicationId")
    assert "TABLE_OR_VIEW_NOT_FOUND" in other.run("spark.table('mine')")["summary"]
    assert other.text("table('global_temp.ours').count()") == "4"
    assert other.text("spark.conf.get('spark.sql.shuffle.partitions')") == "'4'"


def test_a_failed_query_logs_nothing_into_the_text(context):
    code = "try:\n    spark.sql('select * from nope')\nexcept Exception as error:\n    print(type(error).__name__)"

    assert context.text(code) == "AnalysisException"


def test_dbfs_is_the_default_file_system(driver, context):
    context.text("spark.range(5).write.parquet('dbfs:/data/five')\nspark.range(6).write.parquet('/Volumes/c/s/v/six')")

    assert (driver.truth.dbfs_root / "data" / "five" / "_SUCCESS").exists()
    assert (driver.truth.volumes_root / "c" / "s" / "v" / "six" / "_SUCCESS").exists()
    assert not [path.name for path in driver.truth.dbfs_root.rglob("*.crc")]
    assert context.text("spark.read.parquet('/data/five').count()") == "5"
    assert context.text("spark.read.parquet('/data/five').inputFiles()[0][:6]") == "'dbfs:/'"


def test_spark_writes_into_volumes_that_there_are(driver, context, skip_if_unguarded):
    skip_if_unguarded(context)
    refused = context.run("spark.range(1).write.parquet('/Volumes/c/s/nope/x')")

    assert refused["resultType"] == "error"
    assert not (driver.truth.volumes_root / "c" / "s" / "nope").exists()


def test_cancel_stops_the_jobs_of_the_command_only(context, other, started):
    first = started(context, LONG_JOB)
    code = "tracker = sc.statusTracker()\nwhile not (jobs := tracker.getActiveJobsIds()): pass\nprint(len(jobs))"
    assert other.text(code) == "1"

    context.cancel()

    assert (
        first.result(DEADLINE_S)
        .results["cause"]
        .startswith("com.databricks.backend.common.rpc.CommandCancelledException")
    )
    assert other.text("while tracker.getActiveJobsIds(): pass") == ""
    assert context.text("spark.range(3).count()") == "3"


def test_cancel_stops_the_jobs_of_a_command_whose_helper_thread_came_first(context, other, tmp_path, wait_until):
    used = tmp_path / "used"
    first_use = (
        "import threading\nuse = threading.Thread(target=lambda: spark.range(1).count())\nuse.start(); use.join()\n"
    )
    running = context.start(f"{first_use}open({str(used)!r}, 'w').close()\n{LONG_JOB}")
    wait_until(lambda: used.exists() or running.done())
    code = "tracker = sc.statusTracker()\nwhile not (jobs := tracker.getActiveJobsIds()): pass\nprint(len(jobs))"
    assert other.text(code) == "1"

    context.cancel()

    assert "CommandCancelledException" in running.result(DEADLINE_S).results["cause"]
    assert other.text("while tracker.getActiveJobsIds(): pass") == ""
    assert context.text("spark.range(3).count()") == "3"


class Client:
    """Of py4j's what `claim_new_connections` uses: a thread's connection, and the free ones."""

    def __init__(self):
        self.deque, self.current = deque(), None

    def _create_new_connection(self):
        self.current = object()
        return self.current

    def get_thread_connection(self):
        return self.current


def test_a_new_connection_that_the_jvm_has_closed_at_once_is_no_error():
    client = Client()

    def claim():
        # The call fails, so py4j connects anew, and the connection is free afterwards.
        client.deque.append(client._create_new_connection())

    attached = SimpleNamespace(context=SimpleNamespace(_gateway=SimpleNamespace(_gateway_client=client)))
    claim_new_connections(attached, claim)

    assert client._create_new_connection() is client.current
    assert not client.deque


def test_another_context_sees_the_jobs_by_their_group(context, other, started):
    group = context.text("sc.getLocalProperty('spark.jobGroup.id')").strip("'")
    running = started(context, LONG_JOB)
    code = (
        f"tracker = sc.statusTracker()\nwhile not (jobs := tracker.getJobIdsForGroup({group!r})): pass\n"
        "print(tracker.getJobInfo(max(jobs)).status)"
    )

    assert other.text(code) == "RUNNING"

    other.text(f"sc.cancelJobGroup({group!r})")
    assert "cancelled" in running.result(DEADLINE_S).results["cause"]


def test_destroy_cancels_jobs_and_streams(driver, context, other, started):
    outcome = context.outcome(
        "query = spark.readStream.format('rate').load().writeStream.format('noop').start()\nquery.id"
    )
    assert outcome.background
    assert driver.loop.do(driver.process.stream_active(context.handle.context_id))
    running = started(context, LONG_JOB)
    other.text("tracker = sc.statusTracker()\nwhile not tracker.getActiveJobsIds(): pass")

    context.destroy()

    with pytest.raises(Exception, match="destroyed"):
        running.result(DEADLINE_S)
    assert other.text("while tracker.getActiveJobsIds(): pass") == ""


def test_a_stream_runs_in_the_background_until_it_is_stopped(driver, context):
    code = "query = spark.readStream.format('rate').load().writeStream.format('noop').start()"
    assert context.outcome(code).background
    assert not context.outcome("1").background
    assert driver.loop.do(driver.process.stream_active(context.handle.context_id))

    context.text("query.stop()")

    assert not driver.loop.do(driver.process.stream_active(context.handle.context_id))


def test_for_each_batch_comes_back_to_its_own_interpreter(context, other):
    code = (
        "import os, threading\nseen = []\nready = threading.Event()\n"
        "def batch(frame, n):\n    seen.append(os.getpid())\n    ready.set()\n"
        "query = spark.readStream.format('rate').load().writeStream.foreachBatch(batch).start()\n"
        "ready.wait(60)\nquery.stop()\nseen[0] == os.getpid()"
    )

    assert context.text(code) == "True"
    assert other.text(code) == "True"


def test_python_restarts_into_a_new_session(context):
    context.text("spark.range(3).createOrReplaceTempView('mine')\ndbutils.library.restartPython()")

    assert "TABLE_OR_VIEW_NOT_FOUND" in context.run("spark.table('mine')")["summary"]


def test_the_jvm_takes_the_driver_along(new_driver, gone, wait_until):
    driver = new_driver(spark="auto")
    context = driver.context()
    jvm = int(context.text("spark._jvm.java.lang.ProcessHandle.current().pid()"))
    busy = context.start("import time\ntime.sleep(1000)")

    os.kill(jvm, signal.SIGKILL)

    with pytest.raises(Exception, match="died"):
        busy.result(DEADLINE_S)
    wait_until(lambda: driver.deaths)
    assert driver.deaths[0].startswith("The spark driver has stopped unexpectedly and is restarting.")
    gone(context.pid)


def test_stopping_spark_stops_the_driver(new_driver, wait_until):
    driver = new_driver(spark="auto")
    context = driver.context()

    with pytest.raises(Exception, match="died"):
        context.run("spark.stop()\nimport time\ntime.sleep(1000)")

    wait_until(lambda: driver.deaths)
    assert driver.deaths[0].startswith("The spark context has stopped and the driver is restarting.")


class TestTables:
    def test_display_gives_spark_types_and_json_scalars(self, context):
        code = (
            'display(spark.sql("select 1 as i, 2L as l, 1.5D as d, cast(1.50 as decimal(4,2)) as m, "\n'
            "    \"'a' as s, true as b, date'2024-01-02' as dt, timestamp'2024-01-02 03:04:05' as ts, \"\n"
            "    \"array(1, 2) as a, null as n, named_struct('x', 1, 'y', 'z') as st, \"\n"
            "    \"double('NaN') as nan, X'00FF' as bin\"))"
        )

        results = context.run(code)

        assert results["resultType"] == "table"
        types = {column["name"]: json.loads(column["type"]) for column in results["schema"]}
        assert types["i"] == "integer"
        assert types["m"] == "decimal(4,2)"
        assert types["a"] == {"type": "array", "elementType": "integer", "containsNull": False}
        (row,) = results["data"]
        assert row[:6] == [1, 2, 1.5, "1.50", "a", True]
        assert row[6:8] == ["2024-01-02", "2024-01-02T03:04:05.000+00:00"]
        assert row[8:] == ["[1, 2]", None, '{"x": 1, "y": "z"}', "NaN", "AP8="]

    def test_display_cuts_at_ten_thousand_rows(self, context):
        results = context.run("spark.range(20000).display()")

        assert len(results["data"]) == 10_000
        assert results["truncated"] is True

    def test_a_frame_as_last_expression_is_its_repr(self, context):
        assert context.text("spark.range(1)") == "DataFrame[id: bigint]"

    def test_display_of_a_streaming_frame_goes_on_in_the_background(self, context):
        assert context.outcome("display(spark.readStream.format('rate').load())").background
        context.text("for query in spark.streams.active: query.stop()")


class TestSql:
    def test_a_query_is_a_table_and_leaves_its_frame(self, context):
        results = context.run("select id, id * 2 as twice from range(2);", language="sql")

        assert results["resultType"] == "table"
        assert results["data"] == [[0, 0], [1, 2]]
        assert context.text("_sqldf.count()") == "2"

    def test_a_statement_without_rows_is_empty_text(self, context):
        assert context.run("create temp view v as select 1 as one", language="sql") == {
            "resultType": "text",
            "data": "",
        }
        assert context.text("spark.table('v').first().one") == "1"

    def test_an_error_names_its_class_in_the_summary(self, context):
        results = context.run("select * from nope", language="sql")

        assert results["resultType"] == "error"
        assert "[TABLE_OR_VIEW_NOT_FOUND]" in results["summary"]
        assert "AnalysisException" in results["cause"]
