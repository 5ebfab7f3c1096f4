"""In standard access mode `spark` is a Spark Connect session, as on Databricks."""

from __future__ import annotations

import pytest
from dbk_local import Workspace

pytest.importorskip("pyspark")
pytest.importorskip("grpc")
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def standard_workspace(api_of, until):
    with Workspace(access_mode="standard") as workspace:
        api = api_of(workspace)
        first = api.create()
        command = api.execute(first, "spark.range(1).count()")  # a busy machine starts a JVM in minutes
        until(lambda: api.status(first, command).json["status"] == "Finished", 300)
        yield workspace


@pytest.fixture
def api(standard_workspace, api_of):
    return api_of(standard_workspace)


@pytest.fixture
def context(api):
    made = api.create()
    api.run(made, "%xmode Minimal")
    yield made
    api.destroy(made)


@pytest.fixture
def text(api, context):
    def text(code):
        results = api.run(context, code)
        return results.get("data", results)

    return text


def test_spark_is_a_connect_session_without_context_rdd_or_jvm(text):
    assert text("print(spark.__class__.__module__, spark.range(3).count())") == "pyspark.sql.connect.session 3"
    refused = "try:\n    {}\nexcept Exception as error:\n    print(type(error).__name__, str(error)[:60])"
    assert "JVM_ATTRIBUTE_NOT_SUPPORTED" in text(refused.format("spark.sparkContext"))
    assert "NOT_IMPLEMENTED" in text(refused.format("spark.range(1).rdd"))
    assert "CONTEXT_UNAVAILABLE_FOR_REMOTE_CLIENT" in text(refused.format("sc.parallelize([1])"))
    create = "from pyspark import SparkContext; SparkContext.getOrCreate()"
    assert "CONTEXT_UNAVAILABLE_FOR_REMOTE_CLIENT" in text(refused.format(create))


def test_every_way_to_a_session_leads_to_the_one_of_the_context(text):
    code = "from pyspark.sql import SparkSession\nmine = SparkSession.builder.getOrCreate()\nprint(mine is spark, "
    assert text(code + "SparkSession.getActiveSession() is spark)") == "True True"


def test_functions_need_no_session_before(text):
    code = "from pyspark.sql.functions import col, udf\nname = col('id')\n"
    code += "@udf('long')\ndef twice(x): return 2 * x\nprint(spark.range(2).select(twice(name)).collect()[1][0])"
    assert text(code) == "2"


def test_frames_are_shown_queried_and_converted(api, context, text):
    shown = api.run(context, "display(spark.range(2).selectExpr('id', 'cast(id as string) v'))")
    longer = api.run(context, "spark.range(10_001).display()")
    queried = api.run(context, "select 1 as one", language="sql")

    assert (shown["resultType"], shown["data"]) == ("table", [[0, "0"], [1, "1"]])
    assert [column["type"] for column in shown["schema"]] == ['"long"', '"string"']
    assert (len(longer["data"]), longer["truncated"]) == (10_000, True)
    assert queried["data"] == [[1]]
    assert text("print(_sqldf.toPandas().one.sum(), spark.range(3).toPandas().id.sum())") == "1 3"
    assert api.run(context, "create temp view v as select 1 as x", language="sql")["data"] == ""
    assert "TABLE_OR_VIEW_NOT_FOUND" in api.run(context, "select * from nope", language="sql")["summary"]


def test_temporary_views_are_of_one_context_and_global_ones_of_all(api, context, text):
    text("spark.range(3).createOrReplaceTempView('mine')\nspark.range(4).createOrReplaceGlobalTempView('ours')")
    other = api.create()

    assert "TABLE_OR_VIEW_NOT_FOUND" in api.run(other, "spark.table('mine').count()")["summary"]
    assert api.run(other, "print(table('global_temp.ours').count())")["data"] == "4"
    api.destroy(other)


LONG = "spark.range(10**14).selectExpr('sum(id % 7)').collect()"


def test_a_cancel_interrupts_the_operations_of_the_command_by_its_tag(api, context, text, until, tmp_path):
    there = tmp_path / "there"
    assert text("spark.addTag('of-the-user')\nprint(len(spark.getTags()))") == "2"
    code = f"spark.range(1).count()\nopen({str(there)!r}, 'w').close()\n{LONG}"
    command = api.execute(context, code)
    until(there.exists)

    api.cancel(context, command)

    assert "CommandCancelledException" in api.finished(context, command)["results"]["cause"]
    assert text("print(spark.range(5).count(), sorted(spark.getTags())[-1])") == "5 of-the-user"


def test_an_interrupt_that_finds_the_lock_of_a_channel_taken_leaves_it_free(api, context, text):
    """At this moment, among others, a `KeyboardInterrupt` made every later operation stand still."""
    code = """
import os, signal, sys, threading
enter, left, main = threading.Condition.__enter__, [1], threading.get_ident()
def enter_and_interrupt(condition):
    entered = enter(condition)
    # Not by current_thread(): a thread that just starts is not known yet, and making it known comes here again.
    ours = threading.get_ident() == main
    if ours and left and sys._getframe(1).f_globals["__name__"].startswith("grpc"):
        left.clear()
        os.kill(os.getpid(), signal.SIGINT)
    return entered
threading.Condition.__enter__ = enter_and_interrupt
try:
    spark.range(5).count()
finally:
    threading.Condition.__enter__ = enter"""
    text("spark.range(1).count()")

    assert "KeyboardInterrupt" in api.run(context, code)["summary"]
    assert text("print(spark.range(5).count())") == "5"


def test_calls_that_were_given_up_can_be_collected_at_any_moment(text):
    """Pyspark releases them from `__del__`: no lock may be taken then, and no thread of a call started under one."""
    code = """spark.range(1).count()
from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator as Calls
names = [name for name, _ in spark.client._builder.metadata()]
print(type(Calls._release_thread_pool_instance).__name__, names.count("authorization"))"""
    assert text(code) == "ReleasePool 1"


def test_interrupt_by_tag_and_progress_reach_an_operation_of_a_thread(text):
    code = f"""
import threading
seen, ended = threading.Event(), []
def progress(stages, inflight_tasks, operation_id, done):
    if inflight_tasks: seen.set()
spark.registerProgressHandler(progress)
def work():
    spark.addTag("mine")
    try:
        {LONG}
    except Exception as error:
        ended.append(str(error))
thread = threading.Thread(target=work)
thread.start()
assert seen.wait(60)
spark.interruptTag("mine")
thread.join(60)
spark.removeProgressHandler(progress)
print("OPERATION_CANCELED" in ended[0])"""
    assert text(code) == "True"


def test_a_stream_runs_in_the_background_until_it_is_stopped(api, context, until):
    command = api.execute(context, "q = spark.readStream.format('rate').load().writeStream.format('noop').start()")
    until(lambda: api.status(context, command).status == 500)

    assert api.run(context, "q.stop()")["resultType"] == "text"
    assert api.status(context, command).json["status"] == "Finished"


def test_python_restarts_into_a_new_session(api, context, text):
    text("spark.range(3).createOrReplaceTempView('mine')\ndbutils.library.restartPython()")

    assert "TABLE_OR_VIEW_NOT_FOUND" in api.run(context, "spark.table('mine').count()")["summary"]


def test_the_server_is_on_the_loopback_and_wants_its_token(text):
    code = """
import os, subprocess, sys
env = {**os.environ, "SPARK_CONNECT_AUTHENTICATE_TOKEN": "wrong"}
env["SPARK_REMOTE"] = env["SPARK_REMOTE"].partition(";")[0]
spark.range(1).count()
code = '''
from pyspark.sql import SparkSession
try:
    print(SparkSession.builder.getOrCreate().range(3).count())
except Exception as error:
    print("UNAUTHENTICATED" in str(error) or str(error))
'''
print(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout.strip())"""
    assert text("import os\nspark.range(1).count()\nprint(os.environ['SPARK_REMOTE'][:15])") == "sc://localhost:"
    assert text(code) == "True"


def test_classic_spark_is_an_option():
    from dbk_local._driver._spark_home import kind_of_spark, own_spark
    from dbk_local._seam import Truth

    spark = own_spark()

    assert kind_of_spark(Truth(access_mode="standard"), spark) == "connect"
    assert kind_of_spark(Truth(access_mode="standard", standard_spark="classic"), spark) == "classic"
    assert kind_of_spark(Truth(access_mode="dedicated"), spark) == "classic"
    assert kind_of_spark(Truth(access_mode="standard"), None) == "classic"
