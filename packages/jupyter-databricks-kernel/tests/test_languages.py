"""Cells in another language."""

import pytest
from jupyter_databricks_kernel._languages import split


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1 + 1", ("python", "1 + 1")),
        ("", ("python", "")),
        ("%scala\nval x = 1", ("scala", "\nval x = 1")),
        ("\n%scala\nval x = 1", ("scala", "\n\nval x = 1")),
        ("%r x <- 1\ny", ("r", "x <- 1\ny")),
        ("%run ./other", ("python", "%run ./other")),
        ("%sql select 1", ("python", "%sql select 1")),
        ("x\n%scala", ("python", "x\n%scala")),
    ],
)
def test_the_first_line_names_the_language(code, expected):
    assert split(code) == expected
