"""The progress display: when it shows, how often, and that nothing of it stays."""

import pytest
from jupyter_databricks_kernel._progress import Phase, Progress

CLUSTER = Phase("starting the cluster", expected="3-6 min", link="https://example.com/c")


@pytest.fixture
def progress():
    return Progress("p1", visible=True)


def kinds(messages):
    return [message.msg_type for message in messages]


def text(messages):
    return [message.content["data"]["text/plain"] for message in messages]


def test_nothing_shows_in_the_first_two_seconds(progress):
    assert progress.enter(CLUSTER, 10.0) == []
    assert progress.tick(11.9) == []
    assert progress.due_s == 12.0


def test_then_it_says_what_for_how_long_and_how_long_it_takes(progress):
    progress.enter(CLUSTER, 10.0)

    shown = progress.tick(12.0)

    assert kinds(shown) == ["display_data"]
    assert text(shown) == ["Databricks: starting the cluster, 2 s, usually 3-6 min"]
    assert shown[0].content["transient"] == {"display_id": "p1"}
    assert 'href="https://example.com/c"' in shown[0].content["data"]["text/html"]


def test_later_changes_are_updates_at_most_two_a_second(progress):
    progress.enter(CLUSTER, 0.0)
    sent = [message for step in range(1000) for message in progress.enter(Phase("x", detail=str(step)), step * 0.01)]

    assert kinds(sent[:1]) == ["display_data"]
    assert set(kinds(sent[1:])) == {"update_display_data"}
    assert len(sent) <= 2 * 8 + 1


def test_a_long_wait_changes_less_often(progress):
    progress.enter(CLUSTER, 0.0)
    now_s, changes = 0.0, 0
    while (now_s := progress.due_s) < 300:
        changes += len(progress.tick(now_s))

    assert changes <= 60 + 240 / 5 + 1


def test_a_wait_of_minutes_reads_as_minutes(progress):
    progress.enter(CLUSTER, 0.0)

    assert text(progress.tick(125.0)) == ["Databricks: starting the cluster, 2 min 05 s, usually 3-6 min"]


def test_output_takes_it_away_when_it_arrives(progress):
    progress.enter(CLUSTER, 0.0)
    progress.tick(3.0)

    cleared = progress.before_output(appends=True)

    assert [(m.msg_type, m.content) for m in cleared] == [("clear_output", {"wait": True})]


def test_what_adds_no_output_takes_it_away_at_once(progress):
    progress.enter(CLUSTER, 0.0)
    progress.tick(3.0)

    assert progress.before_output(appends=False)[0].content == {"wait": False}


def test_the_end_takes_it_away_at_once(progress):
    progress.enter(CLUSTER, 0.0)
    progress.tick(3.0)

    assert [(m.msg_type, m.content) for m in progress.finish()] == [("clear_output", {"wait": False})]


def test_what_was_never_shown_is_not_cleared(progress):
    progress.enter(CLUSTER, 0.0)

    assert progress.before_output(appends=True) == []
    assert progress.finish() == []


def test_after_the_first_output_nothing_shows_any_more(progress):
    progress.before_output(appends=True)

    assert progress.enter(CLUSTER, 0.0) == []
    assert progress.tick(9.0) == []
    assert progress.due_s is None


def test_an_unwatched_run_shows_nothing():
    progress = Progress("p1", visible=False)

    assert progress.enter(CLUSTER, 0.0) == []
    assert progress.tick(99.0) == []
    assert progress.finish() == []


def test_a_phase_that_ends_early_shows_nothing(progress):
    progress.enter(CLUSTER, 0.0)
    progress.leave()

    assert progress.tick(9.0) == []


def test_the_clock_starts_anew_with_each_phase(progress):
    progress.enter(CLUSTER, 0.0)
    progress.tick(5.0)

    assert text(progress.enter(Phase("sending changed files"), 6.0)) == ["Databricks: sending changed files, 0 s"]


def test_what_the_workspace_says_cannot_become_markup(progress):
    progress.enter(Phase("waiting", detail="<b>x</b>"), 0.0)

    assert "<b>" not in progress.tick(2.0)[0].content["data"]["text/html"]
