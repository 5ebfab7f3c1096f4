"""The parts that only take values and give values."""

from __future__ import annotations

import io

import pytest
from dbk_session import Display, ExecuteResult, Failure, InputRequest, Stream, Truncated
from dbk_session._answers import Answer, refusal_of
from dbk_session._bus import Bus
from dbk_session._calls import cluster_of, command_status_of, context_status_of, id_of
from dbk_session._feed import Feed
from dbk_session._jobs import Job, Jobs
from dbk_session._ledger import Ledger
from dbk_session._plain import cancelled_by, events_of
from dbk_session._results import result_of
from dbk_session._schedule import COMMAND, COMMAND_WATCHED, CONTROL, retry_delay_s
from dbk_session._track import Order, Track
from dbk_session._watched import Watched
from dbk_session.driver import wire
from dbk_session.driver.cutting import piece
from dbk_session.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

KEY = b"k" * 32


def run_bytes(texts):
    records = [{"n": 1, "run": "r", "t": "start", "count": 1}]
    records += [{"n": 2 + i, "run": "r", "t": "stream", "name": "stdout", "text": text} for i, text in enumerate(texts)]
    records.append({"n": len(records) + 1, "run": "r", "t": "done", "count": 1, "status": "ok"})
    return b"".join(wire.record_line(record, KEY) for record in records)


@given(
    st.lists(st.text(max_size=20), max_size=6),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000)), max_size=20),
)
def test_the_ledger_lets_each_record_through_once_whatever_portions_come(texts, portions):
    data = run_bytes(texts)
    ledger = Ledger("r", KEY)
    seen = []

    for start, length in [*portions, (0, len(data))]:
        seen += ledger.feed(start, data[start : start + length])

    assert [record["n"] for record in seen] == list(range(1, len(texts) + 3))
    assert ledger.offset == len(data)
    assert ledger.done is not None


def test_the_ledger_refuses_records_of_another_key():
    with pytest.raises(ProtocolError, match="changed on its way"):
        Ledger("r", b"x" * 32).feed(0, run_bytes(["a"]))


def test_the_ledger_notices_a_record_that_is_missing():
    lines = run_bytes(["a", "b"]).splitlines(keepends=True)

    with pytest.raises(ProtocolError, match="missing"):
        Ledger("r", KEY).feed(0, lines[0] + lines[2])


def feed_of(run_id):
    return Feed(Track(Order("1", run_id), Bus(None)), KEY)


def test_runs_that_are_over_are_read_until_they_are_silent_and_for_ten_minutes_at_most():
    watched, run = Watched(), feed_of("late")
    watched.follow(run)

    watched.linger(run, now_s=0)

    assert (watched.main, watched.is_due(29), watched.is_due(31)) == (run, True, False)
    for now_s in range(20, 900, 20):
        watched.found_late(now_s)
    assert (watched.is_due(599), watched.is_due(601)) == (True, False)


def test_runs_that_are_over_are_read_with_the_one_that_runs_and_on_after_its_end():
    watched, late, running = Watched(), feed_of("late"), feed_of("running")
    watched.linger(late, now_s=0)

    watched.follow(running)

    assert (watched.main, watched.others) == (running, [late])
    assert watched.is_due(3600)
    watched.found_late(3600)
    watched.leave(running)
    assert (watched.main, watched.is_due(3629), watched.is_due(3631)) == (late, True, False)


def test_a_defect_ends_its_command_and_the_next_one_runs(caplog):
    def after(track):
        raise ArithmeticError("of ours")

    jobs, tracks = Jobs(after), [Track(Order("1", f"r{number}"), Bus(None)) for number in range(2)]
    for track in tracks:
        jobs.add(Job(lambda: None, track))

    for track in tracks:
        with pytest.raises(ArithmeticError):
            track.result(60)
    jobs.leave()
    jobs.join()
    assert caplog.text.count("The session has a defect.") == 2


def test_nothing_is_read_while_a_command_waits_for_a_person_and_no_other_writes():
    watched, running = Watched(), feed_of("running")
    watched.follow(running)
    running.track.emit(InputRequest("running", "1", "Who? "))

    assert not watched.is_due(0)

    watched.linger(feed_of("late"), now_s=0)
    assert (watched.main, watched.is_due(29), watched.is_due(31)) == (running, True, False)


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 4000))
def test_what_is_cut_is_output_and_the_ledger_goes_on_behind_it(lengths, tail_bytes):
    lines = run_bytes(["x" * length for length in lengths]).splitlines(keepends=True)
    error = {"n": len(lines) + 1, "run": "r", "t": "error", "ename": "E", "evalue": "", "traceback": []}
    data = b"".join([*lines, wire.record_line(error, KEY)])
    ledger = Ledger("r", KEY)
    seen = list(ledger.feed(0, lines[0]))

    answer = piece(io.BytesIO(data), {"offset": ledger.boundary, "tail_bytes": tail_bytes}, 1_000_000)
    left_out = answer.get("cut")
    if left_out:
        seen += ledger.skip(left_out["to"], wire.unpack_piece(left_out))
    seen += ledger.feed(ledger.offset, data[ledger.offset :])

    kinds = [record["t"] for record in seen]
    assert [kind for kind in kinds if kind != "stream"] == ["start", "done", "error"]
    assert ledger.offset == len(data)
    assert (left_out is None) == (len(seen) == len(lines) + 1)
    if left_out:
        assert left_out["bytes"] == len(data) - sum(len(wire.record_line(record, KEY)) for record in seen)
        assert ledger.agrees(0, "")


def test_the_ledger_notices_what_is_missing_behind_a_cut():
    lines = run_bytes(["a", "b", "c"]).splitlines(keepends=True)
    ledger = Ledger("r", KEY)
    ledger.skip(len(lines[0] + lines[1]), b"")
    ledger.feed(ledger.offset, lines[2])

    with pytest.raises(ProtocolError, match="missing"):
        ledger.feed(ledger.offset, lines[4])


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (None, ()),
        ({"resultType": "text", "data": ""}, ()),
        ({"resultType": "text", "data": "a"}, (Stream("r", "stdout", "a\n"),)),
        ({"resultType": "text", "data": "Out[3]: 4"}, (ExecuteResult("r", 3, {"text/plain": "4"}),)),
        (
            {"resultType": "text", "data": "a\nOut[3]: 4"},
            (Stream("r", "stdout", "a\n"), ExecuteResult("r", 3, {"text/plain": "4"})),
        ),
        (
            {"resultType": "images", "fileNames": ["data:image/png;base64,QUJD"]},
            (Display("r", {"image/png": "QUJD", "text/plain": "<image>"}),),
        ),
        (
            {
                "resultType": "error",
                "summary": "<span class='ansi-red-fg'>ValueError</span>: a &lt; b",
                "cause": "one\ntwo",
            },
            (Failure("r", "ValueError", "a < b", ("one", "two")),),
        ),
    ],
)
def test_results_of_the_api_become_events(results, expected):
    assert events_of("r", results) == expected


def test_a_table_can_be_had_as_rows():
    results = {
        "resultType": "table",
        "data": [[1, "a"], [2, None]],
        "schema": [{"name": "id", "type": '"long"'}, {"name": "v", "type": '"string"'}],
        "truncated": True,
    }

    table = result_of("r", events_of("r", results)).table

    assert (table.columns, table.rows, table.truncated) == (("id", "v"), ((1, "a"), (2, None)), True)


def test_the_marker_of_a_cut_text_is_a_truncation():
    text = "a\n*** WARNING: max output size exceeded, skipping output. ***\nb"

    assert isinstance(events_of("r", {"resultType": "text", "data": text})[-1], Truncated)


def test_a_cancel_and_a_lost_context_are_told_apart():
    name = "com.databricks.backend.common.rpc.CommandCancelledException"
    by_cancel = {"resultType": "error", "cause": f"{name}\n\tat SequenceExecutionState.$anonfun$cancel$5"}
    by_shutdown = {"resultType": "error", "cause": f"{name}\n\tat ExecContextState.$anonfun$shutdown$2"}

    assert (cancelled_by(by_cancel), cancelled_by(by_shutdown)) == ("cancel", "shutdown")
    assert cancelled_by({"resultType": "error", "cause": "ValueError"}) == ""


@pytest.mark.parametrize(
    ("status", "text", "kind", "handled"),
    [
        (401, "{}", "credentials", False),
        (403, "<html><pre>Error 403 Invalid access token.</pre></html>", "credentials", False),
        (403, '{"error_code": "PERMISSION_DENIED", "message": "no"}', "permission", True),
        (400, '{"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster 1 does not exist"}', "no_cluster", True),
        (400, '{"error_code": "INVALID_STATE", "message": "unexpected state"}', "cluster_state", True),
        (500, '{"error": "ClusterNotReadyException: wait"}', "not_ready", True),
        (500, '{"error": "ContextNotFound: gone"}', "other", True),
        (500, '{"error": "RuntimeException: Unknown ExecutionStatus RunningInBackground(1)"}', "other", True),
        (500, '{"error_code": "INTERNAL_ERROR", "message": "Something went wrong."}', "stumble", True),
        (500, '{"error": "Something went wrong."}', "stumble", True),
        (501, '{"error_code": "INTERNAL_ERROR", "message": "no"}', "other", True),
        (429, '{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"}', "too_many", False),
        (503, "No webapps are available", "unavailable", False),
        (200, "<!doctype html><title>Sign in</title>", "unavailable", False),
        (502, '{"error": "X: y"}', "unavailable", False),
    ],
)
def test_refusals_are_told_apart_by_their_text_first(status, text, kind, handled):
    refusal = refusal_of(Answer(status, text))

    assert (refusal.kind, refusal.handled) == (kind, handled)


def test_both_spellings_of_states_are_read():
    assert command_status_of({"status": "COMMAND_FINISHED"}).is_final
    assert command_status_of({"status": "Finished", "results": None}).is_final
    assert not command_status_of({"status": "Cancelling"}).is_final
    assert context_status_of({"status": "CONTEXT_RUNNING"}) == context_status_of({"status": "Running"}) == "running"
    assert id_of({"id": 1234567890123456789}) == "1234567890123456789"
    assert cluster_of({"state": "PENDING", "termination_reason": None}).state == "PENDING"


def calls_in_a_minute(*paces):
    count = 0
    for pace in paces:
        now, waited = 0.0, None
        while now < 60.0:
            count += 1
            waited = pace.after(waited)
            now += waited
    return count


def test_a_quiet_command_costs_at_most_sixty_calls_in_its_first_minute():
    # One to send it; on the spool channel three to send the long polls, whose waiting goes on where it was.
    assert calls_in_a_minute(COMMAND) + 1 <= 60
    assert calls_in_a_minute(CONTROL, COMMAND_WATCHED) + 1 + 3 <= 60


@given(st.integers(1, 1000), st.floats(0, 1))
def test_a_repetition_waits_as_long_as_it_was_told_and_never_for_ever(attempt, jitter):
    assert retry_delay_s(attempt, 7.0, jitter) >= 7.0
    assert 0 < retry_delay_s(attempt, None, jitter) <= 5.0
