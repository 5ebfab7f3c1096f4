"""Session events as Jupyter messages."""

import pytest
from dbk_session import (
    ClearOutput,
    ClusterProgress,
    Comm,
    ContextLost,
    Display,
    ExecuteResult,
    Failure,
    Notice,
    Skipped,
    Started,
    Stream,
    Truncated,
)
from jupyter_databricks_kernel._render import appends, render


@pytest.mark.parametrize(
    ("event", "msg_type", "content"),
    [
        (Stream("r", "stderr", "x\r"), "stream", {"name": "stderr", "text": "x\r"}),
        (
            Display("r", {"text/plain": "x"}, {"a": 1}),
            "display_data",
            {"data": {"text/plain": "x"}, "metadata": {"a": 1}, "transient": {}},
        ),
        (
            Display("r", {"text/plain": "x"}, {}, {"display_id": "d"}, update=True),
            "update_display_data",
            {"data": {"text/plain": "x"}, "metadata": {}, "transient": {"display_id": "d"}},
        ),
        (
            ExecuteResult("r", 99, {"text/plain": "3"}),
            "execute_result",
            {"execution_count": 7, "data": {"text/plain": "3"}, "metadata": {}},
        ),
        (ClearOutput("r", wait=True), "clear_output", {"wait": True}),
        (
            Failure("r", "ValueError", "boom", ("a", "b")),
            "error",
            {"ename": "ValueError", "evalue": "boom", "traceback": ["a", "b"]},
        ),
    ],
)
def test_output_becomes_the_message_of_its_kind(event, msg_type, content):
    message = render(event, execution_count=7)

    assert (message.msg_type, message.content) == (msg_type, content)


def test_a_widget_message_keeps_its_metadata_and_buffers():
    message = render(Comm("r", "comm_msg", {"comm_id": "c"}, {"version": "2"}, (b"x",)), execution_count=1)

    assert (message.msg_type, message.metadata, message.buffers) == ("comm_msg", {"version": "2"}, (b"x",))


@pytest.mark.parametrize(
    ("event", "part"),
    [
        (ContextLost("evicted\njust now"), "Context timeout or restart: all variables were reset (evicted just now)"),
        (Truncated("r", 100_000_000), "stopped at 100 MB"),
        (Skipped("r", 97_260_000), "97.3 MB of output were not fetched"),
    ],
)
def test_a_notice_is_one_line_on_stderr(event, part):
    message = render(event, execution_count=1)

    assert message.content["name"] == "stderr"
    assert part in message.content["text"]
    assert message.content["text"].count("\n") == 1


@pytest.mark.parametrize("event", [Started("r", 1), ClusterProgress("PENDING", "", 1.0), Notice("slow")])
def test_what_is_no_output_has_no_message(event):
    assert render(event, execution_count=1) is None


def test_only_what_adds_an_output_appends():
    added = [Stream("r", "stdout", "x"), Display("r", {}), ExecuteResult("r", 1, {}), Failure("r", "E", "")]
    others = [Display("r", {}, update=True), ClearOutput("r"), Comm("r", "comm_msg", {})]

    assert all(appends(render(event, execution_count=1)) for event in added)
    assert not any(appends(render(event, execution_count=1)) for event in others)
