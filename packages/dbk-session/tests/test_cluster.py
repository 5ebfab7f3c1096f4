"""The way to an interpreter: settings, credentials, the cluster's states, and every error with its remedy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dbk_config import SettingsError
from dbk_session import ClusterProgress, ContextOpened
from dbk_session.errors import (
    AuthenticationError,
    ClusterNotFound,
    ClusterTerminated,
    ClusterUnsupported,
    ConnectionLost,
    ContextLimit,
    PermissionDenied,
    StartTimeout,
    TokenNotSet,
    WorkspaceError,
)

LASTS_S = 600.0


def progress_of(events):
    return [event.state for event in events if isinstance(event, ClusterProgress)]


@pytest.fixture
def once_told(workspace, events):
    """A listener: as soon as a state of the cluster was told, the ten minutes that it lasts are over."""

    def listener(state):
        def listen(event):
            if isinstance(event, ClusterProgress) and event.state == state and state not in progress_of(events):
                workspace.advance(LASTS_S)
            events.append(event)

        return listen

    return listener


def test_a_stopped_cluster_is_started_and_its_progress_told(workspace, open_session, events, once_told):
    workspace.set_options(start_s=LASTS_S)
    workspace.terminate_cluster()
    session = open_session(channel="result", on_event=once_told("PENDING"))

    result = session.run("print(1)")

    states = progress_of(events)
    assert result.text == "1"
    assert states[0] == "TERMINATED"
    assert "PENDING" in states
    assert states[-1] == "RUNNING"
    assert [type(event) for event in events].index(ContextOpened) > len(states) - 1


def test_a_running_cluster_needs_no_word(open_session, events):
    open_session(channel="result").run("1")

    assert progress_of(events) == []


def test_a_cluster_that_terminates_at_the_moment_is_started_afterwards(workspace, open_session, events, once_told):
    workspace.set_options(terminate_s=LASTS_S)
    workspace.set_cluster_state("TERMINATING", wait=False)
    session = open_session(channel="result", on_event=once_told("TERMINATING"))

    assert session.run("print(1)").text == "1"
    assert progress_of(events)[0] == "TERMINATING"


def test_a_start_that_somebody_else_made_first_is_no_error(workspace, open_session):
    workspace.set_options(start_s=0.5)
    workspace.terminate_cluster()
    body = {"status": 400, "code": "INVALID_STATE", "message": "Cluster x is in unexpected state Pending."}
    workspace.fault("POST /api/2.1/clusters/start", "status", **body)

    assert open_session(channel="result").run("print(1)").text == "1"


def test_a_cluster_that_does_not_come_up_in_time_is_given_up(workspace, open_session):
    from dbk_config import Secret, Settings

    workspace.set_options(start_s=600.0)
    workspace.terminate_cluster()
    token = Secret(workspace.token)
    settings = Settings(host=workspace.host, token=token, cluster_id=workspace.cluster_id, start_timeout_s=0.8)

    with pytest.raises(StartTimeout, match="did not come up within"):
        open_session(settings=settings).run("1")


def test_cancelling_while_the_cluster_starts_ends_the_command_and_leaves_no_context(
    workspace, open_session, until, events
):
    workspace.set_options(start_s=600.0)
    workspace.terminate_cluster()
    session = open_session()
    command = session.start("1")
    until(lambda: progress_of(events))

    command.cancel()

    assert command.result(60).status == "cancelled"
    assert session.state == "new"
    assert workspace.contexts() == []


def test_a_cluster_that_may_not_be_started_says_what_to_do(workspace, open_session):
    workspace.terminate_cluster()
    workspace.set_options(permission="CAN_ATTACH_TO")

    with pytest.raises(ClusterTerminated, match=r"Cluster terminated: .*\n.*Restart the cluster from"):
        open_session().run("1")


def test_an_unknown_cluster_is_named(open_session):
    with pytest.raises(ClusterNotFound, match=r"Cluster not found: 9999-000000-nothing1"):
        open_session(cluster_id="9999-000000-nothing1").run("1")


def test_a_wrong_token_says_so(open_session, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-wrong")

    with pytest.raises(AuthenticationError, match="Invalid token") as caught:
        open_session().run("1")
    assert "Regenerate your Personal Access Token" in caught.value.hint


def test_401_is_named_as_such(workspace, open_session):
    workspace.set_options(wrong_token="401")
    workspace.fault("*", "expired-token", times=None)

    with pytest.raises(AuthenticationError, match=r"Invalid token.*401 Unauthorized"):
        open_session().run("1")


def test_the_legacy_page_for_a_wrong_token_is_understood(workspace, open_session):
    workspace.set_options(wrong_token="html")
    workspace.fault("*", "expired-token", times=None)

    with pytest.raises(AuthenticationError, match="Invalid token"):
        open_session().run("1")


def test_missing_credentials_are_named(open_session, monkeypatch):
    monkeypatch.delenv("DATABRICKS_TOKEN")

    with pytest.raises(TokenNotSet, match="DATABRICKS_TOKEN not set"):
        open_session().run("1")


def test_missing_settings_are_all_named(open_session, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_CLUSTER_ID")

    with pytest.raises(SettingsError, match=r"(?s)DATABRICKS_HOST not set.*DATABRICKS_CLUSTER_ID not set"):
        open_session()


def test_a_missing_right_is_final_and_named(workspace, open_session):
    workspace.set_options(permission="NONE")

    with pytest.raises(PermissionDenied, match='Ask for the permission "Can Attach To"'):
        open_session().run("1")


def test_somebody_elses_dedicated_cluster_is_named(workspace, open_session):
    workspace.set_options(single_user_name="boss@example.com")

    with pytest.raises(ClusterUnsupported, match="Single-user check failed"):
        open_session().run("1")


def test_a_full_cluster_is_named(workspace, open_session):
    workspace.set_options(context_limit=0)

    with pytest.raises(ContextLimit, match="A cluster takes 145"):
        open_session(channel="result").run("1")


def test_a_dead_host_is_told_soon(open_session, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")

    with pytest.raises(ConnectionLost, match="Connection lost"):
        open_session().run("1")


def test_a_cluster_that_is_not_ready_yet_is_waited_for(workspace, open_session):
    body = {"status": 500, "text": '{"error": "ClusterNotReadyException: Cluster is not ready"}'}
    workspace.fault("POST /api/1.2/contexts/create", "status", times=2, **body)

    assert open_session(channel="result").run("print(1)").text == "1"


def test_a_failed_command_leaves_the_session_usable(workspace, open_session):
    session = open_session(channel="result")
    workspace.fault("GET /api/2.1/clusters/get", "status", status=400, code="ODD", message="odd")

    with pytest.raises(WorkspaceError, match="odd"):
        session.run("1")

    assert session.state == "new"
    assert session.run("print(1)").text == "1"


def test_the_token_is_in_no_message_and_no_repr(workspace, open_session, events):
    session = open_session()
    session.run("1")
    workspace.fault("*", "expired-token", times=None)

    with pytest.raises(AuthenticationError) as caught:
        session.run("2")

    assert workspace.token not in repr(session) + str(caught.value) + repr(caught.value.__cause__) + repr(events)
    workspace.clear_faults()


def test_what_prepare_raises_comes_out_unchanged(open_session):
    def prepare(call):
        raise LookupError(call("print('there')"))

    with pytest.raises(LookupError, match="there"):
        open_session(channel="result", prepare=prepare).run("1")


def test_prepare_runs_once_for_each_fresh_interpreter(workspace, open_session):
    seen = []
    session = open_session(channel="result", prepare=lambda call: seen.append(call("print(1)")))

    session.run("1")
    session.run("2")
    workspace.evict(session.context_id)
    session.run("3")

    assert seen == ["1\n", "1\n"]


def test_the_package_is_imported_without_the_sdk():
    code = (
        "import sys, dbk_session; print([name for name in sys.modules if name.startswith(('databricks', 'requests'))])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert shown.stdout == "[]\n"


def test_a_cluster_of_another_kind_is_refused_before_it_is_started(workspace, open_session):
    body = '{"cluster_id": "x", "state": "TERMINATED", "cluster_source": "JOB"}'
    workspace.fault("GET /api/2.1/clusters/get", "status", status=200, text=body)

    with pytest.raises(ClusterUnsupported, match="cannot be used"):
        open_session().run("1")

    assert not [request for request in workspace.requests() if request.path.endswith("clusters/start")]
