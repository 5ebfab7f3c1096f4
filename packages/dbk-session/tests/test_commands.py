"""Running commands to their end, over every channel."""

from __future__ import annotations

import asyncio
from itertools import groupby

import pytest
from databricks.sdk import WorkspaceClient
from dbk_config import Secret, Settings
from dbk_session import (
    AsyncSession,
    Attachment,
    ClearOutput,
    CommandResult,
    ContextOpened,
    Display,
    ExecuteResult,
    Finished,
    Session,
    Started,
    Stream,
    Truncated,
    to_json,
)
from dbk_session.errors import CommandFailed, SessionClosed

AGENT_CHANNELS = ["spool", "result"]
CHANNELS = [*AGENT_CHANNELS, "plain"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_command_gives_what_it_prints(open_session, channel):
    session = open_session(channel=channel)

    result = session.run("print('one'); print('two')")

    assert result.text == "one\ntwo"
    assert result.stdout == "one\ntwo\n"
    assert result.status == "ok"


@pytest.mark.parametrize("channel", AGENT_CHANNELS)
def test_the_value_of_the_last_expression_is_the_result(open_session, channel):
    session = open_session(channel=channel)

    result = session.run("1 + 2")

    assert result.result == ExecuteResult(result.run_id, 1, {"text/plain": "3"}, {})
    assert result.execution_count == 1
    assert result.data("text/plain") == "3"


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_exception_is_in_the_result_and_raised_on_demand(open_session, channel):
    session = open_session(channel=channel)

    result = session.run("print('before')\n1/0")

    assert result.status == "error"
    assert (result.error.ename, result.error.evalue) == ("ZeroDivisionError", "division by zero")
    assert any("ZeroDivisionError" in line for line in result.error.traceback)
    with pytest.raises(CommandFailed, match="ZeroDivisionError: division by zero"):
        result.raise_for_error()
    # The API itself drops what was printed before an exception.
    assert result.stdout == ("" if channel == "plain" else "before\n")


@pytest.mark.parametrize("channel", CHANNELS)
def test_variables_live_from_one_command_to_the_next(open_session, channel):
    session = open_session(channel=channel)

    session.run("x = 20")

    assert session.run("print(x + 1)").text == "21"


@pytest.mark.parametrize("channel", AGENT_CHANNELS)
def test_output_of_all_kinds_comes_in_the_order_of_its_making(open_session, channel):
    session = open_session(channel=channel)
    code = """
import sys
from IPython.display import display, clear_output, HTML
print('out', flush=True)
print('err', file=sys.stderr, flush=True)
handle = display(HTML('<b>1</b>'), display_id='d')
clear_output(wait=True)
handle.update(HTML('<b>2</b>'))
'last'
"""

    result = session.run(code)

    # One print may come in two portions.
    kinds = [kind for kind, _ in groupby(result.events, lambda event: (type(event), getattr(event, "name", "")))]
    assert [kind for kind, _ in kinds if kind is not ContextOpened] == [
        Started,
        Stream,
        Stream,
        Display,
        ClearOutput,
        Display,
        ExecuteResult,
        Finished,
    ]
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert [shown.data["text/html"] for shown in result.displays] == ["<b>2</b>"]


@pytest.mark.parametrize("channel", AGENT_CHANNELS)
def test_a_hundred_thousand_lines_arrive_whole(open_session, channel):
    session = open_session(channel=channel)

    result = session.run("for i in range(100_000): print(i)")

    assert result.stdout == "".join(f"{i}\n" for i in range(100_000))
    assert not any(isinstance(event, Truncated) for event in result.events)


def test_twenty_megabytes_arrive_whole(open_session):
    session = open_session(channel="spool")

    result = session.run("line = 'x' * 199\nfor _ in range(100_000): print(line)")

    assert result.stdout == ("x" * 199 + "\n") * 100_000


def test_large_output_arrives_whole_where_a_result_holds_fifty_thousand_characters(workspace, open_session):
    workspace.set_options(runtime="16.4", text_cap_chars=50_000)
    session = open_session(channel="result")

    result = session.run("import random\nr = random.Random(1)\nfor _ in range(3): print(r.randbytes(100_000).hex())")

    assert [len(line) for line in result.stdout.splitlines()] == [200_000] * 3


def test_a_result_that_was_cut_on_its_way_is_read_in_pieces(workspace, open_session, calls):
    session = open_session(channel="result")
    session.run("1")
    workspace.clear_requests()
    workspace.fault("GET /api/1.2/commands/status", "truncate-text", times=1, chars=300)

    result = session.run("print('x' * 1000)")

    assert result.stdout == "x" * 1000 + "\n"
    assert calls().count("execute") == 2


def test_what_exceeds_the_output_limit_ends_in_a_truncation_event(workspace, open_session):
    session = open_session(channel="result", settings=_settings(workspace, output_limit_mb=0.1))

    result = session.run("for i in range(1000): print('x' * 1000)")

    assert [event.limit_bytes for event in result.events if isinstance(event, Truncated)] == [100_000]
    assert result.status == "ok"


def test_expressions_are_evaluated_after_the_code(open_session):
    session = open_session(channel="result")

    result = session.run("x = 6", expressions={"good": "x * 7", "bad": "nothing"})

    assert result.expressions["good"]["data"]["text/plain"] == "42"
    assert result.expressions["bad"]["status"] == "error"


def test_a_silent_command_leaves_no_result_and_no_number(open_session):
    session = open_session(channel="result")

    silent = session.run("41 + 1", silent=True)

    assert silent.result is None
    assert session.run("1").execution_count == 1


@pytest.mark.parametrize("channel", CHANNELS)
def test_code_without_anything_in_it_takes_no_number_and_no_place_in_the_history(open_session, channel):
    session = open_session(channel=channel)
    numbers = [session.run("1").execution_count]

    evaluated = session.run("", expressions={"sum": "1 + 1"}).expressions
    assert session.start("\n ").result(60).status == "ok"
    assert [type(event) for event in session.stream(" \t")] == [Started, Finished]
    numbers.append(session.run("2").execution_count)

    assert numbers == ([None, None] if channel == "plain" else [1, 2])
    assert session.run("print(In[1:3], list(Out))").text == "['1', '2'] [1, 2]"
    if channel != "plain":
        assert evaluated["sum"]["data"] == {"text/plain": "2"}


def test_the_number_of_a_command_can_be_given(open_session):
    session = open_session(channel="result")

    assert session.run("'a'", execution_count=7).execution_count == 7


def test_an_attachment_is_handled_before_the_code_runs(open_session):
    session = open_session(channel="result")
    session.call(
        "import builtins, sys\nbuiltins.seen = seen = []\n"
        "sys.modules['_dbk_agent'].register_attachment('double', lambda value: (seen.append(value), value * 2)[1])"
    )

    result = session.run("print(seen)", attachments=lambda: {"double": 21})

    assert result.stdout == "[21]\n"
    assert [event for event in result.events if isinstance(event, Attachment)] == [
        Attachment(result.run_id, "double", 42, None)
    ]


def test_a_failing_attachment_keeps_the_code_from_running(open_session):
    session = open_session(channel="result")

    result = session.run("print('ran')", attachments={"nobody": 1})

    assert result.status == "error"
    assert result.stdout == ""
    assert next(event for event in result.events if isinstance(event, Attachment)).error is not None


def test_helper_code_leaves_no_history_and_no_count(open_session):
    session = open_session(channel="spool")

    assert session.call("print('helped')") == "helped\n"

    assert session.run("len(In), Out").text == "(2, {})"
    with pytest.raises(CommandFailed, match="KeyError"):
        session.call("{}['x']")


def test_other_languages_run_plainly(workspace, open_session):
    session = open_session(channel="result")
    session.run("1")

    session.run("SELECT 1", language="sql")

    sent = [request.body_json for request in workspace.requests() if request.path.endswith("/execute")][-1]
    assert (sent["language"], sent["command"]) == ("sql", "SELECT 1")


def test_the_code_is_sent_verbatim_with_one_line_after_it(workspace, open_session):
    session = open_session(channel="result")
    session.run("1")

    session.run("  x = 1\n%time x")

    sent = [request.body_json for request in workspace.requests() if request.path.endswith("/execute")][-1]
    assert sent["command"].startswith("  x = 1\n%time x\n# dbk:")
    assert sent["command"].count("\n") == 2


SHOWS = """
import os
value = dbutils.secrets.get('vault', 'password')
as_bytes = dbutils.secrets.getBytes('vault', 'password')
print('printed', value, flush=True)
os.system(f"echo child '{value}'")
value, as_bytes
"""


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_was_read_of_secrets_is_never_shown(workspace, open_session, events, channel):
    secret = "s3cret=of a vault"
    client = WorkspaceClient(host=workspace.host, token=workspace.token)
    client.secrets.create_scope("vault")
    client.secrets.put_secret("vault", "password", string_value=secret)
    session = open_session(channel=channel)

    shown = session.run(SHOWS)
    failed = session.run("raise ValueError(value)")
    expression = session.run("1", expressions={"it": "value"}) if channel != "plain" else None
    inspected = session.inspect("value")
    client.secrets.delete_scope("vault")

    assert "printed [REDACTED]" in shown.text + shown.stdout
    assert failed.error.evalue.endswith("[REDACTED]")
    assert secret not in str([shown, failed, expression, inspected, events])
    assert session.run("len(value)").text.strip() == str(len(secret))


def test_a_channel_that_there_is_not_is_refused_at_once(workspace):
    with pytest.raises(ValueError, match="channel must be one of auto, spool, result, plain, not 'spol'"):
        Session(Settings(host=workspace.host, token=Secret(workspace.token), cluster_id="c"), channel="spol")


def test_code_that_is_no_text_is_refused_at_once_and_the_session_goes_on(open_session):
    with open_session() as session:
        for code in (b"1", None, 5):
            with pytest.raises(TypeError, match="code must be text"):
                session.run(code)

        assert session.run("1 + 1").text == "2"
        assert f"<Session on cluster {session.cluster_id} of {session.host}: idle>" == repr(session)


def test_commands_run_in_the_order_of_their_start(open_session):
    session = open_session(channel="result")

    commands = [session.start(f"print({i})") for i in range(4)]

    assert [command.result().text for command in commands] == ["0", "1", "2", "3"]


def test_the_events_of_a_command_can_be_read_again(open_session):
    session = open_session(channel="result")
    command = session.start("print(1)")

    assert list(command.events()) == list(command.events())
    assert isinstance(command.result(), CommandResult)


def test_a_change_of_state_that_came_before_the_wait_is_not_waited_for(open_session):
    command = open_session(channel="plain").start("1")
    known = command.state
    command.result()

    assert command.wait_for_change(240, since=known) == "finished"


def test_every_event_is_a_json_object(open_session, events):
    session = open_session(channel="result")

    session.run("print(1)\n1/0")

    kinds = list(dict.fromkeys(to_json(event)["type"] for event in events))
    assert kinds == ["ContextOpened", "Started", "Stream", "Failure", "Finished"]


def test_a_closed_session_takes_no_command_and_may_be_closed_again(open_session):
    session = open_session(channel="result")
    session.close()
    session.close()

    with pytest.raises(SessionClosed):
        session.start("1")
    assert session.state == "closed"


def test_nothing_is_contacted_before_the_first_command(workspace, open_session):
    workspace.clear_requests()

    with open_session() as session:
        assert session.state == "new"
        assert session.complete("x").matches == ()

    assert workspace.requests() == []


def test_an_existing_client_lends_its_credentials(workspace, open_session, monkeypatch):
    from databricks.sdk import WorkspaceClient

    client = WorkspaceClient(host=workspace.host, token=workspace.token)
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")

    session = open_session(client=client, cluster_id=workspace.cluster_id, channel="result")

    assert session.run("print(1)").text == "1"


def test_many_sessions_live_in_one_process(open_session):
    sessions = [open_session(channel="result") for _ in range(3)]

    for number, session in enumerate(sessions):
        session.run(f"x = {number}")

    assert [session.run("print(x)").text for session in sessions] == ["0", "1", "2"]


def test_the_async_session_has_the_same_names(workspace):
    async def use() -> tuple[str, list[str], str]:
        async with AsyncSession(channel="result") as session:
            result = await session.run("print('a')")
            kinds = [type(event).__name__ async for event in session.stream("print('b')")]
            return result.text, kinds, await session.call("print('c')")

    text, kinds, helped = asyncio.run(use())

    assert (text, list(dict.fromkeys(kinds)), helped) == ("a", ["Started", "Stream", "Finished"], "c\n")


def _settings(workspace, **values):
    from dbk_config import Secret, Settings

    token = Secret(workspace.token)
    return Settings(host=workspace.host, token=token, cluster_id=workspace.cluster_id, **values)
