"""Contexts and commands beyond the sheet: encodings of requests, queues, several languages and contexts at once."""

from __future__ import annotations

import base64
import itertools

import pytest
from dbk_local._commands import FINAL, STEPS, Command, cancelled, shut_down


def create_body(api):
    return f"clusterId={api.cluster_id}&language=python"


def test_a_context_can_be_made_by_a_form(api):
    answer = api.send(
        "POST", "/api/1.2/contexts/create", create_body(api), {"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert api.run(answer.json["id"], "print(1)")["data"] == "1"


def test_a_command_can_be_an_uploaded_part_with_options_beside_it(api, context):
    fields = {
        "clusterId": api.cluster_id,
        "contextId": context,
        "language": "python",
        "options": '{"displayRowLimit": 5}',
    }
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    parts.append('Content-Disposition: form-data; name="command"; filename="c.py"\r\n\r\nprint("füße")\n')
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"

    answer = api.send(
        "POST", "/api/1.2/commands/execute", body.encode(), {"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert api.finished(context, answer.json["id"])["results"]["data"] == "füße"


@pytest.mark.parametrize("field", ["clusterId", "contextId", "language", "command"])
def test_a_missing_field_of_a_command_is_named(api, context, field):
    fields = {"clusterId": api.cluster_id, "contextId": context, "language": "python", "command": "1"}
    del fields[field]

    answer = api.post("/api/1.2/commands/execute", **fields)

    assert answer.json["error"].endswith(f"requirement failed: missing {field}")


def test_ids_of_another_context_do_not_fit(api, context):
    command = api.execute(context, "1")
    other = api.create()

    assert "CommandNotFound" in api.status(other, command).json["error"]
    assert "CommandNotFound" in api.status(context, "0" * 32).json["error"]
    assert "CommandNotFound" in api.cancel(context, "0" * 32).json["error"]


def test_destroy_answers_with_the_id_and_only_once(api, context):
    first, second = api.destroy(context), api.destroy(context)

    assert (first.status, first.json) == (200, {"id": context})
    assert second.status == 500


def test_cancelling_a_finished_command_changes_nothing(api, context):
    command = api.execute(context, "print(1)")
    before = api.finished(context, command)

    assert api.cancel(context, command).status == 200
    assert api.status(context, command).json == before


def test_commands_run_in_the_order_they_came(api, context):
    commands = [api.execute(context, f"order = globals().get('order', []) + [{n}]") for n in range(8)]
    api.finished(context, commands[-1])

    assert api.run(context, "print(order)")["data"] == "[0, 1, 2, 3, 4, 5, 6, 7]"


def test_commands_sent_while_the_context_is_pending_wait(api):
    context = api.create()
    commands = [api.execute(context, f"print({n})") for n in range(3)]

    assert [api.finished(context, command)["results"]["data"] for command in commands] == ["0", "1", "2"]


def test_contexts_run_side_by_side_and_share_no_names(api):
    contexts = [api.create() for _ in range(8)]
    for context in contexts:
        api.run(context, "x = 1")
    busy = [(context, api.execute(context, "while True: pass")) for context in contexts]
    for context, command in busy:
        api.running(context, command)
    for context, command in busy[1:]:
        api.cancel(context, command)

    assert [api.run(context, "print(x)")["data"] for context in contexts[1:]] == ["1"] * 7
    assert api.status(*busy[0]).json["status"] == "Running"
    assert api.run(api.create(), "'x' in globals()")["data"].endswith("False")


def test_a_queued_command_of_a_destroyed_context_ends_too(api, context):
    api.running(context, api.execute(context, "while True: pass"))
    queued = api.execute(context, "print(1)")

    api.destroy(context)

    assert "ExecContextState" in api.finished(context, queued)["results"]["cause"]


def test_a_result_can_be_readable_once_only(api, context, workspace):
    workspace.set_options(result_reads=1)
    command = api.execute(context, "print(1)")

    assert api.finished(context, command)["results"]["data"] == "1"
    assert "CommandNotFound" in api.status(context, command).json["error"]


def test_a_long_command_can_be_refused(api, context, workspace):
    workspace.set_options(command_limit_bytes=100)
    fields = {"clusterId": api.cluster_id, "contextId": context, "language": "python"}

    answer = api.post("/api/1.2/commands/execute", **fields, command="#" * 101)

    assert "too large" in answer.json["error"]
    assert api.run(context, "#" * 100) == {"resultType": "text", "data": ""}


def test_a_large_command_and_a_large_text_pass_whole(api, context):
    text = "é" * 1_000_000

    results = api.run(context, f"x = {text!r}\nprint(x)")

    assert results["data"] == text


@pytest.mark.parametrize("language", ["scala", "r"])
def test_languages_without_an_interpreter_are_refused_clearly(api, context, language):
    results = api.run(context, "1", language=language)

    assert results["resultType"] == "error"
    assert language in results["summary"].lower()


def test_every_step_of_the_table_ends_or_goes_on():
    for (status, event), new in STEPS.items():
        command = Command("1", "2", "python", "", status=status)
        assert command.step(event)
        assert command.status == new
    for status, event in itertools.product(FINAL, ("start", "end", "cancel", "lose")):
        command = Command("1", "2", "python", "", status=status)
        assert not command.step(event)
        assert command.status == status


@pytest.mark.parametrize(("status", "events"), [("Queued", ["cancel"]), ("Running", ["cancel", "end"])])
def test_a_cancel_may_end_in_a_status_of_its_own(status, events):
    command = Command("1", "2", "python", "", status=status, forced_end="Cancelled")

    for event in events:
        command.step(event)

    assert command.status == "Cancelled"


@pytest.mark.parametrize(("option", "shown"), [("null", None), ("empty", ""), ("text", "Command cancelled")])
def test_a_cancel_and_a_shutdown_differ_in_their_frames_alone(option, shown):
    by_user, by_platform = cancelled(option), shut_down(option)

    assert by_user["summary"] == by_platform["summary"] == shown
    assert by_user["cause"].splitlines()[0] == by_platform["cause"].splitlines()[0]
    assert "shutdown" not in by_user["cause"]
    assert "shutdown" in by_platform["cause"]


def test_a_command_does_not_show_its_text_in_its_repr():
    assert "secret" not in repr(Command("1", "2", "python", "secret = 1"))


def test_a_notebook_that_was_imported_runs_from_another_and_gives_its_exit_value(api, context):
    source = base64.b64encode(b"dbutils.notebook.exit('from ' + dbutils.widgets.get('who'))").decode()
    fields = {"path": "/Shared/greets", "format": "SOURCE", "language": "PYTHON", "content": source}
    assert api.post("/api/2.0/workspace/import", **fields).status == 200

    ran = api.run(context, "print(dbutils.notebook.run('/Shared/greets', 60, {'who': 'here'}))")

    assert ran["data"] == "from here"
