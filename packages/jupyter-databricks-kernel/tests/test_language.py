"""What is known of Python without an interpreter."""

import pytest
from jupyter_databricks_kernel._language import describe, names


def test_names_are_completed_from_the_word_before_the_cursor():
    assert names("x = zi", 6) == {"matches": ["zip"], "cursor_start": 4, "cursor_end": 6, "metadata": {}}


@pytest.mark.parametrize("code", ["frame.zi", "'zi", "", "x = "])
def test_an_attribute_a_string_and_nothing_have_no_names(code):
    assert names(code, len(code))["matches"] == []


@pytest.mark.parametrize("cursor", [1, 4, 6])
def test_a_built_in_function_is_described_wherever_the_cursor_is_in_it(cursor):
    text = describe("sorted(x)", cursor)["text/plain"]

    assert text.startswith("Signature: sorted(iterable, /")
    assert "new list" in text


@pytest.mark.parametrize("code", ["frame", "frame.sorted", "", "for"])
def test_anything_else_is_not(code):
    assert describe(code, len(code)) == {}
