"""Reading `%dbk` lines."""

import pytest
from jupyter_databricks_kernel._local_answers import local_answer
from jupyter_databricks_kernel._magics import Magic, is_magic, parse
from jupyter_databricks_kernel.errors import MagicUsageError


@pytest.mark.parametrize(
    "code", ["%dbk", "%dbk status", "  %dbk restart  ", "\n# why\n%dbk sync\n", "%dbk?", "?%dbk", "%connect_info"]
)
def test_a_cell_that_begins_with_the_magic_is_one(code):
    assert is_magic(code)


@pytest.mark.parametrize("code", ["", "1", "%dbkx", "x = 1\n%dbk", "%%dbk", "# %dbk"])
def test_anything_else_is_not(code):
    assert not is_magic(code)


def test_no_word_means_status():
    assert parse("%dbk") == (Magic("status"),)


def test_several_lines_are_several_commands():
    assert parse("%dbk cluster 0123-456789-abc\n%dbk sync") == (Magic("cluster", "0123-456789-abc"), Magic("sync"))


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("%dbk frob", "no command 'frob'"),
        ("%dbk cluster", "takes one more word, the ID"),
        ("%dbk restart now", "takes no further word"),
        ("%dbk\nx = 1", "'x = 1' stands below"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(code, problem):
    with pytest.raises(MagicUsageError, match=problem):
        parse(code)


@pytest.mark.parametrize("code", ["%dbk help", "%dbk?", "?%dbk"])
def test_help_lists_the_commands_and_needs_nothing(code):
    (magic,) = parse(code)

    assert "%dbk cluster ID  go on with another cluster" in local_answer(magic.command)["text/plain"]


def test_the_hint_lists_the_commands():
    with pytest.raises(MagicUsageError) as caught:
        parse("%dbk frob")

    assert "%dbk reconnect" in caught.value.hint
