"""What goes wrong on the way, and what a person sees of it (checks 20, 40, 42 to 46)."""

import re

import pytest


@pytest.fixture
def fresh(workspace, environment, start_kernel, make_project):
    """A context manager for a kernel of its own on a workspace put back to its beginning."""

    def start(settings="", **options):
        workspace.reset()
        return start_kernel(environment(workspace, **options), make_project(settings))

    yield start
    workspace.reset()


def test_check_40_a_cluster_that_starts_is_told_about_and_leaves_no_trace(fresh, workspace):
    with fresh() as kernel:
        workspace.set_options(start_s=5.0)
        workspace.set_cluster_state("TERMINATED")
        answer = kernel.client.run("print('up')", allow_stdin=True, timeout_s=120)

    shown = [m["content"] for m in answer.messages if m["msg_type"] in ("display_data", "update_display_data")]
    assert "starting the cluster" in shown[0]["data"]["text/plain"]
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    assert answer.kinds[-2:] == ["clear_output", "stream"]
    assert answer.contents("clear_output") == [{"wait": True}]
    assert answer.stdout == "up\n"
    sent = [message["header"]["date"] for message in answer.messages[:-2]]
    # Twice a second is the limit.
    assert len(sent) <= 2 * (sent[-1] - sent[0]).total_seconds() + 3


def test_check_40_a_headless_run_shows_no_progress(fresh, workspace):
    with fresh() as kernel:
        workspace.set_cluster_state("TERMINATED")
        answer = kernel.client.run("print('up')", timeout_s=120)

    assert answer.kinds == ["stream"]


def test_a_workspace_that_stops_answering_is_told_in_the_cell_that_waits_for_it(fresh, workspace):
    def answer_again(message):
        if "no answer from the workspace" in str(message["content"].get("data")):
            workspace.clear_faults()

    with fresh() as kernel:
        kernel.client.run("1")
        workspace.fault("*", "drop-before", times=None)
        answer = kernel.client.run("print('back')", allow_stdin=True, on_message=answer_again, timeout_s=120)

    assert answer.kinds[0] == "display_data"
    assert answer.kinds[-2:] == ["clear_output", "stream"]
    assert answer.stdout == "back\n"


def test_check_20_an_interrupt_while_the_cluster_starts_leaves_nothing_behind(fresh, workspace, wait_until):
    with fresh() as kernel:
        workspace.set_options(start_s=600.0)
        workspace.set_cluster_state("TERMINATED")
        msg_id = kernel.client.start("print('no')")
        wait_until(
            lambda: any("clusters/start" in r.path for r in workspace.requests()), "the cluster is being started"
        )
        kernel.interrupt()
        answer = kernel.client.finish(msg_id)
        contexts = workspace.contexts()
        workspace.advance(600)
        later = kernel.client.run("1 + 1", timeout_s=120)

    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert contexts == []
    assert later.result["text/plain"] == "2"


# Loaded by Python at its start: what the first cell needs is not there before the file is.
SLOW_LOAD = """
import os, sys, time


class Slow:
    def find_spec(self, name, path=None, target=None):
        while name == "jupyter_databricks_kernel._compose" and not os.path.exists(os.environ["LOADS_WITH"]):
            time.sleep(0.02)


sys.meta_path.insert(0, Slow())
"""


def test_check_20_an_interrupt_while_the_first_cell_still_loads_is_obeyed(fresh, workspace, wait_until, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SLOW_LOAD, "utf-8")
    gate = tmp_path / "gate"
    with fresh(PYTHONPATH=str(tmp_path), LOADS_WITH=str(gate)) as kernel:
        msg_id = kernel.client.start("print('no')")
        wait_until(
            lambda: (m := kernel.client.next_output()) is not None and m["msg_type"] == "execute_input", "the cell runs"
        )
        kernel.interrupt()
        kernel.client.control("kernel_info_request", {})
        gate.touch()
        answer = kernel.client.finish(msg_id)
        requests = workspace.requests()
        later = kernel.client.run("1 + 1")

    assert answer.reply["ename"] == "KeyboardInterrupt"
    assert (answer.kinds, requests) == (["error"], [])
    assert later.result["text/plain"] == "2"


def test_check_42_dropped_polls_lose_no_output(fresh, workspace):
    with fresh() as kernel:
        kernel.client.run("1")
        workspace.fault(route="GET /api/1.2/commands/status", kind="drop-before", times=5)
        answer = kernel.client.run("import time\nfor i in range(20):\n    print(i)\n    time.sleep(0.1)", timeout_s=120)
        struck = [request for request in workspace.requests() if request.faults]
        workspace.clear_faults()

    assert answer.status == "ok"
    assert answer.stdout == "".join(f"{i}\n" for i in range(20))
    assert struck


@pytest.mark.parametrize("status", [429, 503])
def test_check_43_a_storm_of_refusals_is_waited_out(fresh, workspace, status):
    with fresh() as kernel:
        kernel.client.run("1")
        workspace.fault(route="POST /api/1.2/commands/execute", kind="status", times=2, status=status, retry_after=1)
        answer = kernel.client.run("n = globals().get('n', 0) + 1\nn", timeout_s=120)
        struck = [request.status for request in workspace.requests() if request.faults]
        workspace.clear_faults()

    assert answer.result["text/plain"] == "1"
    assert struck == [status] * 2


def test_check_42_a_cell_whose_answer_was_dropped_runs_once(fresh, workspace):
    with fresh() as kernel:
        kernel.client.run("count = 0")
        workspace.fault(route="POST /api/1.2/commands/execute", kind="drop-after", times=1)
        answer = kernel.client.run("count += 1", timeout_s=120)
        struck = [request for request in workspace.requests() if request.faults]
        workspace.clear_faults()

        assert (answer.status, len(struck)) == ("ok", 1)
        assert kernel.client.run("count").result["text/plain"] == "1"


def test_check_44_a_context_evicted_between_cells(fresh, workspace):
    with fresh() as kernel:
        kernel.client.run("x = 1")
        for context in workspace.contexts():
            workspace.evict(context["id"])
        answer = kernel.client.run("print('x' in globals())", timeout_s=120)

    assert answer.status == "ok"
    assert answer.stdout == "False\n"
    assert "all variables were reset" in answer.stderr


def test_check_44_a_context_evicted_during_a_cell_is_not_run_again(fresh, workspace, wait_until):
    with fresh() as kernel:
        kernel.client.run("1")
        msg_id = kernel.client.start("import time\nprint('go', flush=True)\ntime.sleep(600)")
        wait_until(
            lambda: (m := kernel.client.next_output()) is not None and m["msg_type"] == "stream", "the cell runs"
        )
        for context in workspace.contexts():
            workspace.evict(context["id"])
        answer = kernel.client.finish(msg_id, timeout_s=120)
        later = kernel.client.run("'alive'", timeout_s=120)

    assert answer.reply["ename"] == "ContextLostError"
    assert "not run a second time" in "".join(answer.reply["traceback"])
    assert later.result["text/plain"] == "'alive'"


def test_a_cell_that_crashes_python_is_told_so_once(fresh):
    with fresh() as kernel:
        answer = kernel.client.run("import os; os._exit(1)", timeout_s=120)
        later = kernel.client.run("'alive'", timeout_s=120)

    assert answer.reply["ename"] == "ContextLostError"
    assert "the code itself ended it" in answer.reply["evalue"]
    assert (answer.stderr, later.stderr) == ("", "")
    assert later.result["text/plain"] == "'alive'"


def test_check_45_after_a_restart_of_python_everything_works_again(fresh):
    with fresh() as kernel:
        kernel.client.run("x = 1")
        kernel.client.run("dbutils.library.restartPython()", timeout_s=120)
        answer = kernel.client.run("print('x' in globals())\nimport greeting\ngreeting.WORD", timeout_s=120)

    assert answer.stdout == "False\n"
    assert answer.result["text/plain"] == "'hello'"


@pytest.mark.parametrize("channel", ["result"])
def test_check_46_without_a_live_channel_only_live_things_are_lost(fresh, channel):
    with fresh(f'channel = "{channel}"') as kernel:
        run = kernel.client.run
        answers = {
            "value": run("1 + 2", timeout_s=120),
            "streams": run("import sys\nprint('o'); print('e', file=sys.stderr)"),
            "html": run("from IPython.display import *\ndisplay(HTML('<b>x</b>'))"),
            "error": run("raise ValueError('boom')"),
            "expressions": run("", user_expressions={"a": "6 * 7"}),
            "pager": run("zip?"),
            "refused": run("input()"),
        }

    assert answers["value"].result["text/plain"] == "3"
    assert (answers["streams"].stdout, answers["streams"].stderr) == ("o\n", "e\n")
    assert answers["html"].contents("display_data")[0]["data"]["text/html"] == "<b>x</b>"
    assert answers["error"].reply["ename"] == "ValueError"
    assert answers["expressions"].reply["user_expressions"]["a"]["data"]["text/plain"] == "42"
    assert answers["pager"].reply["payload"][0]["source"] == "page"
    assert answers["refused"].reply["ename"] == "StdinNotImplementedError"


def test_check_46_the_plain_channel_still_shows_text_and_errors(fresh):
    with fresh('channel = "plain"\nsync.enabled = false') as kernel:
        printed = kernel.client.run("print('plain')", timeout_s=120)
        failed = kernel.client.run("raise ValueError('boom')")

    assert "plain" in printed.stdout
    assert failed.reply["ename"] == "ValueError"
    assert failed.kinds.count("error") == 1


def status_of(kernel):
    return kernel.client.run("%dbk status").contents("display_data")[0]["data"]


@pytest.fixture
def live(wait_until):
    """Waits for the live channel, which comes up beside the first cell."""
    return lambda kernel: wait_until(lambda: "spool" in status_of(kernel)["text/plain"], "a live channel")


def test_dbk_restart_and_status(fresh, live):
    with fresh() as kernel:
        kernel.client.run("x = 1")
        live(kernel)
        status = status_of(kernel)
        kernel.client.run("%dbk restart", timeout_s=120)
        gone = kernel.client.run("x", timeout_s=120)

    assert re.search(r"^cluster +\S.* \d{4}-\d{6}-\w+$", status["text/plain"], re.MULTILINE)
    assert re.search(r"^cluster state +RUNNING$", status["text/plain"], re.MULTILINE)
    assert re.search(r"^runtime +17\.3", status["text/plain"], re.MULTILINE)
    assert re.search(r"^access mode +dedicated$", status["text/plain"], re.MULTILINE)
    assert "/spark-ui" in status["text/html"]
    assert "/driver-logs" in status["text/html"]
    assert gone.reply["ename"] == "NameError"


def test_dbk_status_tells_the_rest_when_the_workspace_refuses_to_tell_of_the_cluster(fresh, workspace, live):
    with fresh() as kernel:
        kernel.client.run("1")
        live(kernel)
        workspace.fault(route="GET /api/2.*/clusters/get", kind="status", times=None, status=403, message="no")
        status = status_of(kernel)["text/plain"]
        workspace.clear_faults()

    assert re.search(r"^cluster state +not known: ", status, re.MULTILINE)
    assert re.search(r"^output +live,.*spool", status, re.MULTILINE)


def test_dbk_reconnect_and_cluster(fresh, workspace):
    with fresh() as kernel:
        kernel.client.run("x = 1")
        kernel.client.run("%dbk reconnect")
        reconnected = kernel.client.run("x", timeout_s=120)
        kernel.client.run("%dbk cluster 0000-000000-nowhere1")
        elsewhere = kernel.client.run("1", timeout_s=120)
        kernel.client.run(f"%dbk cluster {workspace.cluster_id}")
        back = kernel.client.run("1 + 1", timeout_s=120)

    assert reconnected.reply["ename"] == "NameError"
    assert elsewhere.reply["ename"] == "ClusterNotFound"
    assert back.result["text/plain"] == "2"
