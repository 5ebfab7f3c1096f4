"""One running request, with a small remote that does what the test says and a clock that waits for nobody."""

import asyncio
import threading

import pytest
from dbk_config.errors import DbkError
from dbk_session import (
    Blocked,
    Comm,
    ContextLost,
    ContextOpened,
    ExecuteResult,
    Failure,
    Finished,
    InputRequest,
    Outage,
    SparkProgress,
    Started,
    Stream,
)
from jupyter_databricks_kernel import _cell, _progress
from jupyter_databricks_kernel._cell import Cell
from jupyter_databricks_kernel._policy import Request
from jupyter_databricks_kernel._progress import Phase
from jupyter_databricks_kernel._remote import Job, PhaseEntered

WATCHED = Request("x", allow_stdin=True)


class Nowhere(DbkError):
    """An error of the family."""


class Script:
    """A remote whose jobs play `events` and then end, or raise; `hold` keeps a job until it is cancelled."""

    def __init__(self, *events, error=None, hold=False, stuck=False, reason=""):
        self.events, self.error, self.hold, self.stuck, self.reason = events, error, hold, stuck, reason
        self.cell = None
        self.loop = asyncio.get_running_loop()
        self.cancelled = threading.Event()
        self.answers = []

    def run(self, _job):
        for event in self.events:
            self.post(event)
        if self.hold:
            self.cancelled.wait(30)
            if self.stuck:
                threading.Event().wait(30)
        if self.error is not None:
            raise self.error
        if self.hold:
            self.post(Finished("r", "cancelled", reason=self.reason))

    def post(self, event):
        self.loop.call_soon_threadsafe(self.cell.feed, event)

    def cancel(self, _run_id):
        self.cancelled.set()

    def answer(self, _run_id, text):
        self.answers.append(text)
        self.cancelled.set()


def play(*events, request=WATCHED, answer="", during=None, **script):
    """Runs a cell over a script; gives its reply, its messages as (type, content), and the script."""

    async def main():
        sent, remote = [], Script(*events, **script)

        async def ask(prompt, password):
            sent.append(("ask", (prompt, password)))
            return answer

        cell = Cell(Job("r", request, 7), remote, lambda message: sent.append((message.msg_type, message.content)), ask)
        remote.cell = cell
        if during is not None:
            asyncio.get_running_loop().call_later(0.05, during, cell)
        reply = await asyncio.wait_for(cell.run(), 60)
        return reply, sent, remote, cell

    return asyncio.run(main())


def test_a_good_cell_replies_with_payload_and_expressions():
    finished = Finished("r", "ok", 7, ({"source": "page"},), {"a": {"status": "ok"}})

    reply, sent, _, cell = play(Started("r", 7), ExecuteResult("r", 7, {"text/plain": "3"}), finished)

    assert reply == {"status": "ok", "user_expressions": {"a": {"status": "ok"}}, "payload": [{"source": "page"}]}
    assert [kind for kind, _ in sent] == ["execute_result"]
    assert cell.result_text == "3"


def test_the_error_of_the_code_is_shown_once_and_replied():
    reply, sent, _, _ = play(Failure("r", "ValueError", "boom", ("tb",)), Finished("r", "error", 7))

    assert (reply["status"], reply["ename"], reply["evalue"], reply["traceback"]) == (
        "error",
        "ValueError",
        "boom",
        ["tb"],
    )
    assert [kind for kind, _ in sent] == ["error"]


def test_a_failed_call_to_spark_that_nobody_interrupted_stays_what_it_is():
    reply, _, _, _ = play(Failure("r", "Py4JJavaError", "bad", ("tb",)), Finished("r", "error", 7))

    assert reply["ename"] == "Py4JJavaError"


def test_an_error_that_ipython_has_shown_its_own_way_is_only_replied():
    error = Failure("r", "UsageError", "no such magic", ())

    reply, sent, _, _ = play(Stream("r", "stderr", "UsageError: ..."), Finished("r", "error", 7, error=error))

    assert (reply["status"], reply["ename"]) == ("error", "UsageError")
    assert [kind for kind, _ in sent] == ["stream"]


def test_an_error_of_the_session_is_an_error_output_too():
    reply, sent, _, _ = play(error=Nowhere("no cluster", "Start one."))

    assert (reply["ename"], reply["evalue"]) == ("Nowhere", "no cluster")
    assert [(kind, content["ename"]) for kind, content in sent] == [("error", "Nowhere")]


def test_a_lost_cell_says_that_it_was_not_run_again():
    reply, sent, _, _ = play(Finished("r", "lost", reason="the interpreter is gone"))

    assert (reply["ename"], reply["evalue"]) == ("ContextLostError", "the interpreter is gone")
    assert "not run a second time" in "".join(sent[0][1]["traceback"])


def test_a_cell_that_goes_down_with_its_interpreter_says_so_once():
    lost, started, finished = ContextLost("evicted"), Started("r", 1), Finished("r", "lost", reason="evicted")
    _, alone, _, _ = play(lost, finished)
    _, at_once, _, _ = play(lost, started, finished)
    _, before, _, _ = play(lost, ContextOpened("c", "spool"), started, finished)

    assert [kind for kind, _ in alone] == [kind for kind, _ in at_once] == ["error"]
    assert [kind for kind, _ in before] == ["stream", "error"]


def test_an_interrupt_ends_the_cell_with_one_error():
    reply, sent, remote, _ = play(hold=True, during=Cell.interrupt)

    assert remote.cancelled.is_set()
    assert reply["ename"] == "KeyboardInterrupt"
    assert [kind for kind, _ in sent] == ["error"]


def test_an_interrupt_that_nobody_obeys_is_answered_all_the_same(monkeypatch):
    monkeypatch.setattr(_cell, "GIVE_UP_S", 0.1)

    reply, _, _, _ = play(hold=True, stuck=True, during=Cell.interrupt)

    assert reply["ename"] == "KeyboardInterrupt"
    assert reply["evalue"] == "the cluster has not stopped the cell yet"


def test_an_interrupted_cell_that_was_given_up_says_why():
    reply, _, _, _ = play(hold=True, reason="It did not stop when it was cancelled.", during=Cell.interrupt)

    assert (reply["ename"], reply["evalue"]) == ("KeyboardInterrupt", "It did not stop when it was cancelled.")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Blocked(), "Databricks: waiting for the cell that was interrupted and still runs, 0 s, a restart of the"),
        (Outage("no route"), "Databricks: no answer from the workspace, trying again, 0 s, no route"),
    ],
)
def test_a_wait_that_nobody_can_hasten_is_shown_and_leaves_no_trace(monkeypatch, event, text):
    monkeypatch.setattr(_progress, "SHOW_AFTER_S", 0.0)

    _, sent, _, _ = play(event, hold=True, during=Cell.interrupt)

    assert sent[0][0] == "display_data"
    assert sent[0][1]["data"]["text/plain"].startswith(text)
    assert "clear_output" in [kind for kind, _ in sent]


def test_a_question_goes_to_the_front_end_and_its_answer_back():
    _, sent, remote, _ = play(InputRequest("r", "1", "name? ", password=True), answer="x", hold=True)

    assert ("ask", ("name? ", True)) in sent
    assert remote.answers == ["x"]


def test_lost_variables_show_in_a_cell_and_not_in_a_hidden_one():
    _, shown, _, _ = play(ContextLost("evicted"), Finished("r", "ok"))
    _, hidden, _, _ = play(ContextLost("evicted"), Finished("r", "ok"), request=Request("x", store_history=False))

    assert [kind for kind, _ in shown] == ["stream"]
    assert hidden == []


@pytest.fixture
def quick(monkeypatch):
    from jupyter_databricks_kernel import _progress

    monkeypatch.setattr(_progress, "SHOW_AFTER_S", 0.0)
    monkeypatch.setattr(_progress, "MIN_INTERVAL_S", 0.0)


PHASE = PhaseEntered(Phase("starting the cluster"))


@pytest.mark.parametrize(
    ("event", "wait"),
    [
        (Stream("r", "stdout", "x"), True),
        (Failure("r", "E", ""), True),
        (Comm("r", "comm_open", {"comm_id": "c"}), False),
    ],
)
@pytest.mark.usefixtures("quick")
def test_progress_is_gone_before_the_first_output(event, wait):
    _, sent, _, _ = play(PHASE, Started("r", 7), event, Finished("r", "ok"))

    assert [kind for kind, _ in sent[:2]] == ["display_data", "clear_output"]
    assert sent[1][1] == {"wait": wait}
    assert "clear_output" not in [kind for kind, _ in sent[2:]]


@pytest.mark.usefixtures("quick")
def test_progress_is_gone_at_the_end_of_a_cell_without_output():
    _, sent, _, _ = play(PHASE, Finished("r", "ok"))

    assert sent[-1] == ("clear_output", {"wait": False})


@pytest.mark.usefixtures("quick")
def test_an_error_of_the_session_replaces_the_progress():
    _, sent, _, _ = play(PHASE, error=Nowhere("no cluster"))

    assert [kind for kind, _ in sent] == ["display_data", "clear_output", "error"]


@pytest.mark.usefixtures("quick")
def test_spark_progress_shows_only_before_the_first_output():
    jobs = SparkProgress("r", 1, 1, 3, 8)

    _, before, _, _ = play(Started("r", 7), jobs, Finished("r", "ok"))
    _, after, _, _ = play(Started("r", 7), Stream("r", "stdout", "x"), jobs, Finished("r", "ok"))

    assert "3 of 8 tasks" in before[0][1]["data"]["text/plain"]
    assert [kind for kind, _ in after] == ["stream"]


@pytest.mark.parametrize("request_", [Request("x"), Request("x", store_history=False, allow_stdin=True)])
@pytest.mark.usefixtures("quick")
def test_a_run_that_nobody_watches_shows_no_progress(request_):
    _, sent, _, _ = play(PHASE, Finished("r", "ok"), request=request_)

    assert sent == []
