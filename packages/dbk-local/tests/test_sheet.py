"""The behaviour sheet: each row of it is one test, which names the row."""

from __future__ import annotations

import json

import pytest
from dbk_local import Workspace

ROWS = [
    "contexts/create on RUNNING or RESIZING",
    "contexts/create, language missing or unknown",
    "contexts/create, cluster PENDING/RESTARTING",
    "contexts/create, cluster TERMINATED or unknown id",
    "contexts/status unknown context",
    "146th context, nothing idle",
    "execute without contextId",
    "execute print(1)",
    "execute 1/0",
    "stdout then exception",
    "execute x expression",
    "last expression with _repr_html_",
    "display(df)",
    "figure",
    "print + display + figure in one command",
    "huge text",
    "cancel running",
    "context destroyed while running",
    "%pip install + restartPython",
    "command right after restart",
    "dbutils.notebook.exit",
    "running structured stream",
    "results field while Running",
    "two executes at once in one context",
    "cluster restart",
    "start on RUNNING / PENDING cluster",
    "clusters/get unknown id",
    "dedicated cluster of another user",
    "throttling",
    "gateway trouble",
    "DBFS disabled switch",
    "wrong token",
]
"""`running structured stream` and `display(df)` of a Spark frame need Apache Spark: `test_spark.py`."""
TESTED = set()


def row(name):
    """Mark a test as the one of a row."""
    assert name in ROWS
    TESTED.add(name)
    return lambda test: test


def create(api, **fields):
    return api.post("/api/1.2/contexts/create", **fields)


@row("contexts/create on RUNNING or RESIZING")
def test_a_context_has_a_19_digit_id_and_is_pending_then_running(api, workspace, until):
    workspace.set_options(context_pending_s=1)

    answer = create(api, clusterId=api.cluster_id, language="python")

    context = answer.json["id"]
    assert answer.status == 200
    assert context.isdigit()
    assert len(context) == 19
    assert api.context_status(context).json == {"id": context, "status": "Pending"}

    def jumped():
        workspace.advance(1)
        return api.context_status(context).json["status"] == "Running"

    until(jumped)


@row("contexts/create on RUNNING or RESIZING")
def test_a_resizing_cluster_gives_contexts(api, workspace):
    workspace.set_options(restart_s=3600)
    api.post("/api/2.1/clusters/resize", cluster_id=api.cluster_id, num_workers=1)

    assert api.cluster()["state"] == "RESIZING"
    assert api.run(api.create(), "print(1)")["data"] == "1"


@row("contexts/create, language missing or unknown")
@pytest.mark.parametrize("fields", [{}, {"language": "cobol"}])
def test_a_context_without_a_known_language_is_an_error_of_the_old_shape(api, fields):
    answer = create(api, clusterId=api.cluster_id, **fields)

    assert answer.status == 500
    assert list(answer.json) == ["error"]
    assert "language" in answer.json["error"]


@row("contexts/create, cluster PENDING/RESTARTING")
def test_a_cluster_on_its_way_up_is_not_ready(api, workspace):
    workspace.set_options(restart_s=3600)
    workspace.set_cluster_state("RESTARTING")

    answer = create(api, clusterId=api.cluster_id, language="python")

    assert answer.status == 500
    assert answer.json["error"].startswith("ClusterNotReadyException: ")


@row("contexts/create, cluster TERMINATED or unknown id")
def test_a_stopped_or_unknown_cluster_gives_no_context_and_says_what_the_option_says(api, workspace):
    workspace.terminate_cluster()
    workspace.set_options(stopped_text="Stopped: {cluster_id} {state}", error_status_12=400)

    stopped = create(api, clusterId=api.cluster_id, language="python")
    unknown = create(api, clusterId="0000-000000-nothing0", language="python")

    assert (stopped.status, stopped.json) == (400, {"error": f"Stopped: {api.cluster_id} TERMINATED"})
    assert unknown.status == 400
    assert "0000-000000-nothing0" in unknown.json["error"]


@row("contexts/status unknown context")
def test_an_unknown_context_is_an_error_or_a_status_by_option(api, workspace):
    as_error = api.context_status("123")
    workspace.set_options(context_lost="status-error")
    as_status = api.context_status("123")

    assert as_error.status == 500
    assert list(as_error.json) == ["error"]
    assert (as_status.status, as_status.json) == (200, {"id": "123", "status": "Error"})


@row("146th context, nothing idle")
def test_over_the_limit_the_least_recently_used_idle_context_goes_and_a_busy_one_stays(api, workspace, until):
    workspace.set_options(context_limit=2)
    first, second = api.create(), api.create()
    api.run(second, "1")
    api.run(first, "1")

    third = api.create()

    assert [row["id"] for row in workspace.contexts()] == [first, third]
    for context in (first, third):
        api.running(context, api.execute(context, "while True: pass"))
    refused = create(api, clusterId=api.cluster_id, language="python")
    assert refused.status == 500
    assert "attached notebook limit" in refused.json["error"]


@row("146th context, nothing idle")
def test_the_limit_is_145_unless_changed(workspace):
    assert workspace.options()["context_limit"] == 145


@row("execute without contextId")
def test_fields_are_checked_before_anything_is_looked_up(api):
    answer = api.post("/api/1.2/commands/execute", clusterId="__non_existing__")

    assert answer.json == {"error": "IllegalArgumentException: requirement failed: missing contextId"}


@row("execute print(1)")
def test_print_gives_text_without_the_last_newline(api, context):
    answer = api.finished(context, api.execute(context, "print(1)"))

    assert answer["status"] == "Finished"
    assert answer["results"] == {"resultType": "text", "data": "1"}


@row("execute 1/0")
def test_an_exception_is_finished_with_an_error_result(api, context):
    answer = api.finished(context, api.execute(context, "1/0"))

    results = answer["results"]
    assert answer["status"] == "Finished"
    assert results["resultType"] == "error"
    assert results["summary"] == "<span class='ansi-red-fg'>ZeroDivisionError</span>: division by zero"
    assert "Traceback (most recent call last)" in results["cause"]
    assert "\x1b[" in results["cause"]


@row("stdout then exception")
def test_what_was_printed_before_an_exception_is_lost(api, context):
    results = api.run(context, "print('precious'); raise ValueError('no')")

    assert "data" not in results
    assert "precious\\n" not in json.dumps(results)


@row("execute x expression")
def test_the_value_of_an_expression_has_a_prefix_by_option(api, context, workspace):
    bare = api.run(context, "x = 41\nx + 1")["data"]
    workspace.set_options(out_prefix=True)
    prefixed = api.run(context, "print('first'); x + 1")["data"]

    assert bare == "42"
    assert prefixed.startswith("first\nOut[")
    assert prefixed.endswith("]: 42")


@row("last expression with _repr_html_")
def test_an_html_repr_comes_as_text(api, context):
    results = api.run(context, "class A:\n    def _repr_html_(self): return '<b>bold</b>'\nA()")

    assert results["resultType"] == "text"
    assert "<b>bold</b>" in results["data"]


@row("display(df)")
def test_display_of_a_frame_is_a_table_cut_at_its_caps(api, context, workspace):
    workspace.set_options(table_rows=3)
    pytest.importorskip("pandas")

    whole = api.run(context, "import pandas as pd\ndisplay(pd.DataFrame({'id': [1, 2], 'v': ['a', None]}))")
    cut = api.run(context, "display(pd.DataFrame({'id': range(9)}))")

    assert whole["resultType"] == "table"
    assert whole["data"] == [[1, "a"], [2, None]]
    assert [column["name"] for column in whole["schema"]] == ["id", "v"]
    assert whole["schema"][0]["type"] == '"long"'
    assert whole["isJsonSchema"] is True
    assert whole["truncated"] is False
    assert (len(cut["data"]), cut["truncated"]) == (3, True)


FIGURE = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n"


@row("figure")
@pytest.mark.parametrize(("option", "kind"), [("image", "image"), ("images", "images"), ("none", "text")])
def test_a_figure_comes_in_one_of_three_ways_by_option(api, context, workspace, option, kind):
    pytest.importorskip("matplotlib")
    workspace.set_options(figures=option)

    results = api.run(context, FIGURE + "plt.show()")

    assert results["resultType"] == kind
    names = results.get("fileNames") or [results.get("fileName")]
    assert kind == "text" or names[0].startswith("data:image/png;base64,iVBOR")


@row("print + display + figure in one command")
def test_of_several_kinds_of_output_one_survives(api, context, workspace):
    pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")

    results = api.run(
        context, FIGURE + "import pandas as pd\nprint('p')\ndisplay(pd.DataFrame({'a': [1]}))\nplt.show()"
    )

    survivors = [name for name in ("data", "fileName", "fileNames") if results.get(name)]
    assert len(survivors) == 1


@row("huge text")
@pytest.mark.parametrize(
    ("mode", "marker"),
    [
        ("middle", "*** WARNING: max output size exceeded, skipping output. ***"),
        ("end", "*** WARNING: skipped "),
    ],
)
def test_a_text_over_the_cap_is_cut_with_a_marker(api, context, workspace, mode, marker):
    workspace.set_options(truncation=mode, text_cap_chars=1000)

    data = api.run(context, "print('a' * 5000 + 'z' * 5000)")["data"]

    assert marker in data
    assert len(data) < 1300
    assert data.startswith("a")
    assert data.endswith("z") == (mode == "middle")


@row("huge text")
def test_the_caps_follow_the_runtime():
    from dbk_local._options import preset

    assert [preset(runtime).text_cap_chars for runtime in ("15.4", "16.4", "17.3")] == [50_000, 50_000, 10_000_000]


@row("cancel running")
def test_a_cancelled_command_is_finished_with_an_exception_of_the_rpc(api, context):
    api.run(context, "x = 1")
    command = api.execute(context, "print('lost')\nwhile True: pass")
    api.running(context, command)

    answer = api.cancel(context, command)

    assert (answer.status, answer.json) == (200, {"id": command})
    ended = api.finished(context, command)
    assert ended["status"] == "Finished"
    assert ended["results"]["resultType"] == "error"
    assert ended["results"]["cause"].startswith("com.databricks.backend.common.rpc.CommandCancelledException")
    assert "SequenceExecutionState.cancel" in ended["results"]["cause"]
    assert "data" not in ended["results"]
    assert api.run(context, "print(x)")["data"] == "1"


@row("cancel running")
def test_a_command_that_resists_is_cancelling(api, context, until, tmp_path):
    there = tmp_path / "there"
    work = f"open({str(there)!r}, 'w').close()\n        while True: pass"
    code = f"n = 0\nwhile n < 2:\n    try:\n        {work}\n    except KeyboardInterrupt:\n        n += 1"
    command = api.execute(context, code)
    until(there.exists)

    api.cancel(context, command)

    assert api.status(context, command).json["status"] == "Cancelling"
    api.destroy(context)


@row("cancel running")
def test_the_final_status_of_a_cancel_is_an_option(api, context, workspace):
    workspace.set_options(cancel_final="Cancelled", cancel_summary="empty")
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    api.cancel(context, command)

    ended = api.finished(context, command)
    assert (ended["status"], ended["results"]["summary"]) == ("Cancelled", "")


@row("context destroyed while running")
def test_a_destroyed_context_ends_its_command_with_the_frames_of_a_shutdown(api, context):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    api.destroy(context)

    results = api.finished(context, command)["results"]
    assert results["cause"].startswith("com.databricks.backend.common.rpc.CommandCancelledException")
    assert "ExecContextState.$anonfun$shutdown" in results["cause"]
    assert api.context_status(context).status == 500


@row("%pip install + restartPython")
def test_pip_then_a_restart_keeps_the_context_and_clears_its_names(api, context):
    api.run(context, "x = 1")

    results = api.run(context, "%pip --version\ndbutils.library.restartPython()")

    assert results["resultType"] == "text"
    assert api.run(context, "'x' in globals()")["data"].endswith("False")
    assert api.context_status(context).json["status"] == "Running"


@row("command right after restart")
def test_the_command_after_a_restart_may_find_no_interpreter_once(api, context, workspace):
    workspace.set_options(restart_error_once=True)
    api.run(context, "dbutils.library.restartPython()")

    first = api.run(context, "print(1)")
    second = api.run(context, "print(1)")

    assert "jupyter client is not available because the python kernel is not defined" in first["cause"]
    assert second["data"] == "1"


@row("dbutils.notebook.exit")
def test_exit_ends_a_command_as_a_success_with_its_text(api, context):
    results = api.run(context, "print('not this')\ndbutils.notebook.exit('x')\nraise ValueError")

    assert results == {"resultType": "text", "data": "x"}


@row("results field while Running")
def test_results_of_a_running_command_are_null_or_absent_by_option(api, context, workspace):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    with_null = api.status(context, command).json
    workspace.set_options(results_while_running="absent")
    without = api.status(context, command).json

    assert with_null == {"id": command, "status": "Running", "results": None}
    assert without == {"id": command, "status": "Running"}


@row("two executes at once in one context")
def test_a_context_runs_one_command_at_a_time(api, context):
    first = api.execute(context, "while True: pass")
    api.running(context, first)
    second, third = api.execute(context, "print(2)"), api.execute(context, "print(3)")

    assert [api.status(context, command).json["status"] for command in (second, third)] == ["Queued", "Queued"]
    api.cancel(context, third)
    api.cancel(context, first)

    assert api.finished(context, second)["results"]["data"] == "2"
    assert "CommandCancelledException" in api.finished(context, third)["results"]["cause"]


@row("cluster restart")
def test_a_restart_loses_every_context_and_its_id(api, context, workspace):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    assert api.post("/api/2.1/clusters/restart", cluster_id=api.cluster_id).status == 200
    workspace.set_cluster_state("RUNNING")

    assert api.context_status(context).status == 500
    assert api.status(context, command).status == 500
    assert workspace.contexts() == []
    assert api.run(api.create(), "print(1)")["data"] == "1"


@row("start on RUNNING / PENDING cluster")
def test_starting_what_is_started_is_an_invalid_state(api, workspace):
    running = api.post("/api/2.1/clusters/start", cluster_id=api.cluster_id)
    workspace.terminate_cluster()
    workspace.set_options(start_s=3600)
    api.post("/api/2.1/clusters/start", cluster_id=api.cluster_id)
    pending = api.post("/api/2.0/clusters/start", cluster_id=api.cluster_id)

    for answer, state in ((running, "Running"), (pending, "Pending")):
        assert answer.status == 400
        assert answer.json["error_code"] == "INVALID_STATE"
        assert answer.json["message"] == f"Cluster {api.cluster_id} is in unexpected state {state}."
        assert answer.json["details"][0]["reason"] == "CM_API_ERROR_SOURCE_CALLER_ERROR"


@row("clusters/get unknown id")
def test_an_unknown_cluster_is_a_bad_parameter(api):
    answer = api.get("/api/2.1/clusters/get", cluster_id="123456789")

    assert answer.status == 400
    assert answer.json == {"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster 123456789 does not exist"}


@row("dedicated cluster of another user")
def test_a_dedicated_cluster_serves_its_owner_alone(api, workspace):
    workspace.set_options(single_user_name="boss@example.com")

    answer = create(api, clusterId=api.cluster_id, language="python")

    assert answer.status == 403
    assert answer.json["error_code"] == "PERMISSION_DENIED"
    assert answer.json["message"].startswith("Single-user check failed: user 'dev@example.com' attempted to run")


@row("throttling")
@pytest.mark.parametrize(("given", "header"), [({"retry_after": 7}, "7"), ({}, None)])
def test_a_429_has_a_retry_after_or_has_none(api, workspace, given, header):
    workspace.fault("GET /api/2.1/clusters/get", "429", **given)

    answer = api.get("/api/2.1/clusters/get", cluster_id=api.cluster_id)

    assert (answer.status, answer.headers.get("retry-after")) == (429, header)
    assert answer.json["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert api.cluster()["state"] == "RUNNING"


@row("gateway trouble")
def test_the_gateway_answers_503_html_and_500(api, workspace):
    route = "GET /api/2.1/clusters/get"
    workspace.fault(route, "503")
    workspace.fault(route, "html", after=1)
    workspace.fault(route, "status", after=2, status=500)

    busy, page, broken = (api.get("/api/2.1/clusters/get", cluster_id=api.cluster_id) for _ in range(3))

    assert busy.status == 503
    assert busy.body == b"No webapps are available to handle your request. Please try again later."
    assert (page.status, page.headers["content-type"]) == (200, "text/html;charset=utf-8")
    assert (broken.status, broken.json["error_code"]) == (500, "INTERNAL_ERROR")


@row("DBFS disabled switch")
@pytest.mark.parametrize("status", [403, 400])
def test_a_disabled_dbfs_root_refuses_every_path(api, workspace, status):
    workspace.set_options(dbfs="disabled", dbfs_disabled_status=status)

    answers = [
        api.get("/api/2.0/dbfs/list", path="/"),
        api.post("/api/2.0/dbfs/put", path="/a", contents=""),
        api.post("/api/2.0/dbfs/move", source_path="/a", destination_path="/b"),
    ]

    for answer in answers:
        assert answer.status == status
        assert "DBFS_DISABLED" in answer.json["message"]


@row("wrong token")
@pytest.mark.parametrize(("form", "status"), [("401", 401), ("403", 403), ("html", 403)])
def test_a_wrong_token_is_refused_in_one_of_three_forms(api, workspace, form, status):
    workspace.set_options(wrong_token=form)

    answer = api.send("GET", "/api/2.1/clusters/list", headers={"Authorization": "Bearer dapi0"}, token=False)

    assert answer.status == status
    if form == "html":
        assert b"Invalid access token." in answer.body
    else:
        assert set(answer.json) == {"error_code", "message"}


def test_every_row_of_the_sheet_has_a_test():
    elsewhere = {"running structured stream"}

    assert set(ROWS) - TESTED == elsewhere


@pytest.mark.parametrize("mode", ["dedicated", "standard", "no-isolation"])
@pytest.mark.parametrize("runtime", ["15.4", "16.4", "17.3"])
def test_presets_set_the_truths_of_a_runtime_and_an_access_mode_together(runtime, mode):
    from dbk_local._options import preset

    options = preset(runtime, mode)

    assert options.out_prefix == (runtime != "17.3")
    assert options.truncation == ("end" if runtime == "17.3" else "middle")
    assert options.dbfs_fuse == (mode != "standard")


def test_a_standard_cluster_says_so(api_of):
    with Workspace(runtime="16.4", access_mode="standard", spark=False) as workspace:
        cluster = api_of(workspace).cluster()

    assert cluster["data_security_mode"] == "USER_ISOLATION"
    assert cluster["spark_version"] == "16.4.x-scala2.12"
    assert "single_user_name" not in cluster
