"""Clusters over time: states, messages, events, idleness, crashes. Time is the workspace's own and jumps on demand."""

from __future__ import annotations

import pytest
from dbk_local._cluster_states import MOVES, WrongMove, move


def post(api, action, **more):
    return api.post(f"/api/2.1/clusters/{action}", **{"cluster_id": api.cluster_id, **more})


def events(api, **more):
    return post(api, "events", **more).json["events"]


def test_a_start_is_pending_with_a_message_until_its_time_is_over(api, workspace, until):
    workspace.terminate_cluster()
    workspace.set_options(start_s=300)

    assert post(api, "start").json == {}

    pending = api.cluster()
    assert pending["state"] == "PENDING"
    assert pending["state_message"].startswith("Finding instances for new nodes")

    def up():
        workspace.advance(60)
        return api.cluster()["state"] == "RUNNING"

    until(up)
    assert api.run(api.create(), "print(1)")["data"] == "1"


def test_the_time_of_a_termination_counts_from_its_beginning(api, workspace, until):
    workspace.set_options(terminate_s=3600)

    post(api, "delete")
    workspace.advance(3600)

    until(lambda: api.cluster()["state"] == "TERMINATED")


def test_a_reset_takes_the_time_back_that_was_let_pass(api, workspace):
    before_ms = api.cluster()["start_time"]
    workspace.advance(10 * 86400)
    workspace.terminate_cluster()
    post(api, "start")

    workspace.reset()

    assert 0 <= api.cluster()["start_time"] - before_ms < 86_400_000
    assert api.cluster()["last_restarted_time"] == api.cluster()["start_time"]
    assert all(entry["timestamp"] - before_ms < 86_400_000 for entry in events(api))


def test_a_termination_has_a_reason_and_takes_its_time(api, workspace, until):
    workspace.set_options(terminate_s=60)

    post(api, "delete")

    ending = api.cluster()
    assert ending["state"] == "TERMINATING"
    reason = {"code": "USER_REQUEST", "type": "SUCCESS", "parameters": {"username": "dev@example.com"}}
    assert ending["termination_reason"] == reason

    def down():
        workspace.advance(60)
        return api.cluster()["state"] == "TERMINATED"

    until(down)
    assert post(api, "delete").status == 200  # once more changes nothing
    assert api.cluster()["termination_reason"] == reason


def test_any_reason_can_be_staged(api, workspace):
    workspace.terminate_cluster(code="CLOUD_PROVIDER_RESOURCE_STOCKOUT", kind="CLOUD_FAILURE")

    reason = api.cluster()["termination_reason"]

    assert (reason["code"], reason["type"]) == ("CLOUD_PROVIDER_RESOURCE_STOCKOUT", "CLOUD_FAILURE")


@pytest.mark.parametrize("action", ["restart", "resize"])
def test_a_stopped_cluster_can_neither_restart_nor_resize(api, workspace, action):
    workspace.terminate_cluster()

    answer = post(api, action, num_workers=2)

    assert (answer.status, answer.json["error_code"]) == (400, "INVALID_STATE")


def test_a_restart_can_be_interrupted_by_a_termination(api, workspace, until):
    workspace.set_options(restart_s=3600)
    post(api, "restart")
    assert api.cluster()["state"] == "RESTARTING"

    post(api, "delete")

    until(lambda: api.cluster()["state"] == "TERMINATED")
    workspace.set_options(restart_s=0)
    assert workspace.set_cluster_state("RUNNING")["state"] == "RUNNING"
    assert api.run(api.create(), "print(1)")["data"] == "1"


def test_a_resize_keeps_contexts(api, context, workspace):
    api.run(context, "x = 5")

    post(api, "resize", num_workers=3)
    workspace.set_cluster_state("RUNNING")

    assert api.run(context, "print(x)")["data"] == "5"
    assert api.cluster()["num_workers"] == 3


def test_events_tell_the_story_newest_first(api, workspace):
    workspace.terminate_cluster()
    workspace.set_cluster_state("RUNNING")

    kinds = [event["type"] for event in events(api)]
    ascending = [event["type"] for event in events(api, order="ASC")]
    chosen = events(api, event_types=["TERMINATING"], limit=1)

    assert kinds[:4] == ["DRIVER_HEALTHY", "RUNNING", "STARTING", "TERMINATING"]
    assert ascending == kinds[::-1]
    assert chosen[0]["details"]["reason"]["code"] == "USER_REQUEST"


def test_events_come_in_pages(api, workspace):
    workspace.terminate_cluster()
    workspace.set_cluster_state("RUNNING")

    page = post(api, "events", limit=1).json
    following = post(api, "events", **page["next_page"]).json

    assert page["total_count"] >= 3
    assert following["events"][0] != page["events"][0]


def test_an_idle_cluster_terminates_even_with_a_context(api, context, workspace, until):
    api.run(context, "1")

    workspace.advance(120 * 60 + 1)

    until(lambda: api.cluster()["state"] == "TERMINATED")
    assert api.cluster()["termination_reason"]["code"] == "INACTIVITY"


def test_a_command_keeps_its_cluster_alive(api, context, workspace):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    workspace.advance(120 * 60 + 1)

    assert api.cluster()["state"] == "RUNNING"
    assert api.status(context, command).json["status"] == "Running"


def test_a_crash_of_the_driver_ends_commands_with_its_message_and_the_cluster_goes_on(api, context, workspace):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    workspace.restart_driver()

    assert api.cluster()["state"] == "RUNNING"
    assert api.context_status(context).status == 500
    results = api.finished(context, command)["results"]
    assert results["cause"].startswith("The spark driver has stopped unexpectedly and is restarting.")
    assert "DRIVER_NOT_RESPONDING" in [event["type"] for event in events(api)]


def test_while_the_driver_restarts_a_running_cluster_is_not_ready(api, workspace, until):
    workspace.set_options(driver_restart_s=600)
    workspace.restart_driver(wait=False)

    answer = api.post("/api/1.2/contexts/create", clusterId=api.cluster_id, language="python")

    assert api.cluster()["state"] == "RUNNING"
    assert answer.json["error"].startswith("ClusterNotReadyException")

    def back():
        workspace.advance(600)
        return api.post("/api/1.2/contexts/create", clusterId=api.cluster_id, language="python").status == 200

    until(back)


def test_a_driver_killed_from_outside_counts_as_a_crash(api, context, until):
    api.run(context, "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")

    until(lambda: "DRIVER_NOT_RESPONDING" in [event["type"] for event in events(api)])
    until(lambda: api.post("/api/1.2/contexts/create", clusterId=api.cluster_id, language="python").status == 200)


def test_an_interpreter_that_ends_itself_loses_its_context_alone(api, context, until):
    other = api.create()
    command = api.execute(context, "import os; os._exit(3)")

    results = api.finished(context, command)["results"]

    assert results["resultType"] == "error"
    until(lambda: api.context_status(context).status == 500)
    assert api.run(other, "print(1)")["data"] == "1"


def test_an_evicted_context_is_gone(api, context, workspace):
    workspace.evict(context)

    assert api.context_status(context).status == 500


def test_clusters_are_created_listed_in_pages_edited_and_removed(api, workspace, until):
    made = api.post("/api/2.1/clusters/create", cluster_name="second", num_workers=0, autotermination_minutes=10)
    second = made.json["cluster_id"]
    until(lambda: api.get("/api/2.1/clusters/get", cluster_id=second).json["state"] == "RUNNING")

    first_page = api.get("/api/2.1/clusters/list", page_size=1).json
    second_page = api.get("/api/2.1/clusters/list", page_size=1, page_token=first_page["next_page_token"]).json
    api.post("/api/2.0/clusters/edit", cluster_id=second, cluster_name="renamed", spark_env_vars={"MY": "own"})
    edited = api.get("/api/2.1/clusters/get", cluster_id=second).json
    removed = api.post("/api/2.1/clusters/permanent-delete", cluster_id=second)

    assert [page["clusters"][0]["cluster_id"] for page in (first_page, second_page)] == [api.cluster_id, second]
    assert "next_page_token" not in second_page
    assert (edited["cluster_name"], edited["state"]) == ("renamed", "RESTARTING")
    assert removed.status == 200
    assert api.get("/api/2.1/clusters/get", cluster_id=second).status == 400


def test_the_variables_of_a_cluster_are_in_the_drivers_environment(api, workspace):
    api.post("/api/2.1/clusters/edit", cluster_id=api.cluster_id, spark_env_vars={"MY_OWN": "value"})
    workspace.set_cluster_state("RUNNING")

    assert api.run(api.create(), "import os; print(os.environ['MY_OWN'])")["data"] == "value"


@pytest.mark.parametrize(
    ("permission", "statuses"),
    [("CAN_RESTART", [200, 403]), ("CAN_ATTACH_TO", [403, 403]), ("NONE", [403, 403])],
)
def test_permissions_are_levels(api, workspace, permission, statuses):
    workspace.set_options(permission=permission)

    answers = [post(api, "restart"), post(api, "edit", cluster_name="x")]

    assert [answer.status for answer in answers] == statuses
    assert all(answer.json["error_code"] == "PERMISSION_DENIED" for answer in answers if answer.status == 403)
    attached = api.post("/api/1.2/contexts/create", clusterId=api.cluster_id, language="python")
    assert (attached.status == 403) == (permission == "NONE")


def test_the_moves_between_states_are_those_of_the_documentation():
    assert move("PENDING", "RUNNING") == "RUNNING"
    for old, new in [
        ("TERMINATED", "RUNNING"),
        ("RUNNING", "TERMINATED"),
        ("TERMINATING", "RUNNING"),
        ("ERROR", "PENDING"),
    ]:
        with pytest.raises(WrongMove):
            move(old, new)
    assert set().union(*MOVES.values()) <= set(MOVES)
