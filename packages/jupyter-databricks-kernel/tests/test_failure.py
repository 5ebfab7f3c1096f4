"""Errors that are not the user's, as a cell shows them."""

from dbk_config.errors import DbkError, SettingsError
from jupyter_databricks_kernel._failure import failure, keyboard_interrupt


class ClusterGone(DbkError):
    """An error of the family."""


def test_a_foreseeable_error_has_its_name_one_line_and_the_next_step():
    content = failure(ClusterGone("the cluster is gone", "Start it."))

    assert content["ename"] == "ClusterGone"
    assert content["evalue"] == "the cluster is gone"
    assert content["traceback"] == ["\x1b[0;31mClusterGone\x1b[0m: the cluster is gone", "\x1b[1mStart it.\x1b[0m"]


def test_a_message_of_several_lines_gives_its_first_as_the_value():
    content = failure(ClusterGone("2 problems:\n  - a\n  - b"))

    assert content["evalue"] == "2 problems:"
    assert content["traceback"][1:] == ["  - a", "  - b"]


def test_several_problems_are_all_in_the_value():
    content = failure(SettingsError.of([SettingsError("a is wrong", "Set a."), SettingsError("b is wrong")]))

    assert content["evalue"] == "a is wrong; b is wrong"
    assert "2 problems in the settings" in content["traceback"][0]


def test_a_defect_says_that_it_is_one_and_shows_no_stack(caplog):
    content = failure(KeyError("x"))

    assert content["ename"] == "KeyError"
    assert "defect of the kernel" in content["traceback"][-1]
    assert not any("File" in line for line in content["traceback"])
    assert caplog.records[0].exc_info[0] is KeyError


def test_an_interrupt_without_a_reason_is_only_its_name():
    assert keyboard_interrupt()["evalue"] == ""
    assert keyboard_interrupt()["traceback"] == ["\x1b[0;31mKeyboardInterrupt\x1b[0m"]
