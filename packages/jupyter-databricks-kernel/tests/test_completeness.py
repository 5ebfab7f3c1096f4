"""Is it a whole cell? IPython's rules, locally."""

import pytest
from jupyter_databricks_kernel._completeness import is_complete


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("1 + 1", {"status": "complete"}),
        ("zip?", {"status": "complete"}),
        ("%sql select 1", {"status": "complete"}),
        ("for i in range(3):", {"status": "incomplete", "indent": "    "}),
        ("f(1,", {"status": "incomplete", "indent": ""}),
        ("import = 7q", {"status": "invalid"}),
    ],
)
def test_is_complete(code, reply):
    assert is_complete(code) == reply
