"""Each of the 48 checks of the kernel's specification is a test that carries its number."""

import ast
import re
from pathlib import Path

import pytest

CHECKS = range(1, 49)
# Where a check is held up by tests elsewhere in the repository, in the folder that is named here.
ELSEWHERE = {
    47: "packages/dbk-session/tests",
}
HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def numbers(*folders):
    """The numbers in the names of the tests of these folders."""
    names = [
        node.name
        for folder in folders
        for file in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    return {int(found[1]) for name in names if (found := re.match(r"test_check_(\d\d)_", name))}


def test_each_check_has_a_test_with_its_number():
    assert set(CHECKS) - numbers(HERE, ROOT / "tests/browser") == set(ELSEWHERE)


@pytest.mark.parametrize("number", ELSEWHERE)
def test_a_check_without_a_test_here_is_held_up_elsewhere(number):
    text = "".join(file.read_text("utf-8") for file in (ROOT / ELSEWHERE[number]).rglob("test_*.py"))

    assert "forged" in text
