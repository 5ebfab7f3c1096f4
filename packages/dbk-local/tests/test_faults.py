"""Faults and latency: what goes wrong, for which request, and that it does so again."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from dbk_local import BadFault, BadOption
from dbk_local._faults import KINDS, MEANING, Faults

GET = "/api/2.1/clusters/get"


def test_a_connection_dropped_before_the_effect_leaves_nothing(api, context, workspace):
    workspace.fault("POST /api/1.2/commands/execute", "drop-before")

    with pytest.raises(http.client.RemoteDisconnected):
        api.execute(context, "x = 1")

    assert api.run(context, "'x' in globals()")["data"].endswith("False")
    assert [request.status for request in workspace.requests() if "execute" in request.path] == [0, 200]


def test_a_connection_dropped_after_the_effect_hides_a_command_that_runs(api, context, workspace, until):
    workspace.fault("POST /api/1.2/commands/execute", "drop-after")

    with pytest.raises(http.client.RemoteDisconnected):
        api.execute(context, "x = 1")

    until(lambda: workspace.status()["clusters"][0]["commands"][-1]["status"] == "Finished")
    assert api.run(context, "'x' in globals()")["data"].endswith("True")


def test_half_of_an_answer_ends_in_a_closed_connection(api, workspace):
    whole = api.get(GET, cluster_id=api.cluster_id).body
    workspace.fault(f"GET {GET}", "half-response")

    with pytest.raises(http.client.IncompleteRead) as caught:
        api.get(GET, cluster_id=api.cluster_id)

    assert caught.value.partial == whole[: len(whole) // 2]


def test_an_expired_token_stays_expired_until_faults_are_cleared(api, workspace):
    workspace.fault("*", "expired-token", after=1)

    before, first, second = (api.get(GET, cluster_id=api.cluster_id).status for _ in range(3))
    workspace.clear_faults()

    assert (before, first, second) == (200, 403, 403)
    assert api.get(GET, cluster_id=api.cluster_id).status == 200


def test_a_context_can_be_evicted_when_a_request_names_it(api, context, workspace):
    workspace.fault("POST /api/1.2/commands/execute", "evict-context", after=1)
    api.run(context, "x = 1")

    answer = api.post(
        "/api/1.2/commands/execute", clusterId=api.cluster_id, contextId=context, language="python", command="x"
    )

    assert "ContextNotFound" in answer.json["error"]


def test_the_driver_can_crash_in_the_middle_of_a_command(api, context, workspace):
    command = api.execute(context, "while True: pass")
    api.running(context, command)

    workspace.fault("GET /api/1.2/commands/status", "restart-driver")
    answer = api.status(context, command).json

    assert "The spark driver has stopped unexpectedly" in answer["results"]["cause"]
    assert api.context_status(context).status == 500
    assert api.cluster()["state"] == "RUNNING"
    assert api.run(api.create(), "print(1)")["data"] == "1"


def test_a_finished_command_may_have_null_results_for_a_while(api, context, workspace):
    workspace.fault("GET /api/1.2/commands/status", "null-results", times=2)
    command = api.execute(context, "print(1)")

    answers = [api.finished(context, command) for _ in range(3)]

    assert [answer["results"] for answer in answers] == [None, None, {"resultType": "text", "data": "1"}]


def test_a_text_can_be_cut_without_a_marker(api, context, workspace):
    workspace.fault("GET /api/1.2/commands/status", "truncate-text", chars=3)

    assert api.run(context, "print('abcdef')")["data"] == "abc"


def test_a_status_fault_can_be_json_text_or_html(api, workspace):
    route = f"GET {GET}"
    workspace.fault(route, "status", status=400, code="INVALID_STATE", message="no")
    workspace.fault(route, "status", status=502, text="bad gateway", after=1)
    workspace.fault(route, "status", status=500, html="<pre>broken</pre>", after=2, retry_after="soon")

    as_json, as_text, as_page = (api.get(GET, cluster_id=api.cluster_id) for _ in range(3))

    assert (as_json.status, as_json.json) == (400, {"error_code": "INVALID_STATE", "message": "no"})
    assert (as_text.status, as_text.body) == (502, b"bad gateway")
    assert (as_page.body, as_page.headers["retry-after"]) == (b"<pre>broken</pre>", "soon")


def test_delay_latency_and_bandwidth_take_their_time(api, workspace):
    def seconds(send):
        started = time.monotonic()
        send()
        return time.monotonic() - started

    workspace.fault(f"GET {GET}", "delay", seconds=0.2)
    delayed = seconds(lambda: api.get(GET, cluster_id=api.cluster_id))
    workspace.set_options(latency_s=0.2)
    slow = seconds(lambda: api.get(GET, cluster_id=api.cluster_id))
    workspace.set_options(latency_s=0.0)
    workspace.fault("PUT /api/2.0/fs/files*", "bandwidth", bytes_per_s=500_000)
    thin = seconds(lambda: api.send("PUT", "/api/2.0/fs/files/Volumes/main/default/files/thin", b"z" * 100_000))

    assert min(delayed, slow, thin) >= 0.19


def test_two_requests_at_once_share_the_line(api, workspace):
    workspace.set_options(bandwidth_bytes_per_s=1_000_000)
    path = "/api/2.0/fs/files/Volumes/main/default/files/half-"

    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(api.send, "PUT", f"{path}{number}", b"z" * 100_000) for number in range(2)]
    took_s = time.monotonic() - started
    workspace.set_options(bandwidth_bytes_per_s=0)

    assert [one.result().status for one in sent] == [204, 204]
    assert took_s >= 0.19


def test_a_rule_counts_skips_and_ends(api, workspace):
    workspace.fault(f"GET {GET}", "503", times=2, after=1)

    statuses = [api.get(GET, cluster_id=api.cluster_id).status for _ in range(5)]

    assert statuses == [200, 503, 503, 200, 200]
    assert [(rule["seen"], rule["hits"]) for rule in workspace.faults()] == [(5, 2)]


def test_a_route_may_be_a_pattern_and_other_routes_go_free(api, workspace):
    workspace.fault("POST /api/2.0/dbfs/*", "429", times=None)

    assert [api.post("/api/2.0/dbfs/mkdirs", path="/x").status for _ in range(3)] == [429] * 3
    assert api.get(GET, cluster_id=api.cluster_id).status == 200


def test_the_other_version_of_a_route_is_hit_too(api, workspace):
    workspace.fault(f"GET {GET}", "503")

    assert api.get("/api/2.0/clusters/get", cluster_id=api.cluster_id).status == 503


def test_chance_is_seeded_so_that_a_run_can_be_replayed():
    def decisions(seed):
        faults = Faults()
        faults.add({"kind": "503", "times": None, "probability": 0.5, "seed": seed})
        return [bool(faults.strike("GET", "/x", "")) for _ in range(50)]

    assert decisions(1) == decisions(1)
    assert decisions(1) != decisions(2)
    assert 10 < sum(decisions(1)) < 40


def test_an_unknown_kind_or_parameter_is_refused(workspace):
    with pytest.raises(BadFault, match="no fault 'nonsense'"):
        workspace.fault("*", "nonsense")
    with pytest.raises(BadFault, match="has no colour"):
        workspace.fault("*", "503", colour="red")

    assert set(KINDS) == set(MEANING)


def test_every_problem_of_a_set_of_options_is_told_at_once(workspace):
    with pytest.raises(BadOption) as caught:
        workspace.set_options(figures="many", nothing=1, latency_s="fast")

    for part in ("figures is one of", "no option 'nothing'", "latency_s is float"):
        assert part in str(caught.value)


def test_the_log_has_count_order_and_bytes_and_no_token(api, workspace):
    api.send("PUT", "/api/2.0/fs/files/Volumes/main/default/files/counted", b"z" * 1000)
    api.post("/api/2.0/dbfs/mkdirs", path="/log")
    api.send("GET", "/api/2.0/dbfs/list?path=%2Flog")

    put, mkdirs, listing = workspace.requests()

    assert [request.n for request in (put, mkdirs, listing)] == sorted(request.n for request in (put, mkdirs, listing))
    assert (put.method, put.path, put.bytes_in, put.body_json) == (
        "PUT",
        "/api/2.0/fs/files/Volumes/main/default/files/counted",
        1000,
        None,
    )
    assert (mkdirs.body_json, mkdirs.route, mkdirs.bytes_out) == ({"path": "/log"}, "POST /api/2.0/dbfs/mkdirs", 2)
    assert (listing.query, listing.status) == ({"path": "/log"}, 200)
    assert put.started_s <= put.ended_s <= listing.ended_s
    assert workspace.token not in json.dumps([request.as_json() for request in (put, mkdirs, listing)])


def test_the_log_can_be_cleared_and_read_from_a_number_on(api, workspace):
    api.cluster()
    workspace.clear_requests()
    api.cluster()
    (first,) = workspace.requests()
    api.cluster()

    assert [request.n for request in workspace.requests(after=first.n)] == [first.n + 1]


def test_a_client_that_goes_away_is_logged_and_harms_nothing(api, workspace, until):
    workspace.fault(f"GET {GET}", "delay", seconds=30)
    target = urllib.parse.urlsplit(workspace.host)
    connection = http.client.HTTPConnection(target.hostname, target.port)
    headers = {"Authorization": f"Bearer {workspace.token}"}
    connection.request("GET", f"{GET}?cluster_id={api.cluster_id}", headers=headers)
    until(lambda: workspace.faults()[0]["hits"])

    connection.close()

    until(lambda: [request.status for request in workspace.requests()] == [0])
    assert api.cluster()["state"] == "RUNNING"
