"""The local history: real session numbers, private file, never in the way."""

import stat
from pathlib import Path

import pytest
from jupyter_databricks_kernel._history import History


@pytest.fixture
def path(tmp_path: Path):
    return tmp_path / "databricks-kernel" / "history.sqlite"


@pytest.fixture
def history(path: Path):
    with_cells = History(path)
    for line, source in enumerate(("a = 1", "print(a)", "a"), start=1):
        with_cells.store(line, source)
    with_cells.store_output(3, "1")
    yield with_cells
    with_cells.close()


def test_the_tail_is_the_last_cells_oldest_first(history):
    assert history.tail(2) == [(1, 2, "print(a)"), (1, 3, "a")]


def test_output_comes_as_a_pair(history):
    assert history.tail(2, output=True) == [(1, 2, ("print(a)", None)), (1, 3, ("a", "1"))]


def test_a_range_answers_with_the_session_it_was_asked_for(history):
    assert history.range(1, 1, 2) == [(1, 1, "a = 1")]
    assert history.range(0, 2) == [(1, 2, "print(a)"), (1, 3, "a")]


def test_sessions_are_numbered_and_reached_backwards(history, path):
    later = History(path)
    later.store(1, "b")

    assert later.session == 2
    assert later.tail(2) == [(1, 3, "a"), (2, 1, "b")]
    assert later.range(-1, 1, 2) == [(1, 1, "a = 1")]
    later.close()


def test_a_search_is_a_glob_over_all_sessions(history):
    assert history.search("a*") == [(1, 1, "a = 1"), (1, 3, "a")]
    assert history.search("a*", count=1) == [(1, 3, "a")]
    assert history.search("z*") == []


def test_a_unique_search_keeps_the_last_place_of_a_source(history):
    history.store(4, "a = 1")
    history.store(5, "b")

    assert history.search("a*", unique=True) == [(1, 3, "a"), (1, 4, "a = 1")]


def test_a_source_that_looks_like_sql_is_only_text(history):
    history.store(4, "'); drop table cells; --")

    assert history.tail(1) == [(1, 4, "'); drop table cells; --")]


def test_only_the_owner_can_read_it(history, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_cannot_be_used_makes_it_empty_and_silent(path):
    path.mkdir(parents=True)
    history = History(path)

    history.store(1, "a")

    assert history.tail(1) == []
    assert history.session == 0


def test_a_closed_history_takes_and_gives_nothing(history):
    history.close()

    history.store(4, "b")

    assert history.tail(9) == []
