"""The README's two commands are what the project runs itself, and they need nothing but Python."""

from __future__ import annotations

import re
import tomllib

import pytest


@pytest.fixture
def commands(root):
    """The shell blocks of the README that set everything up."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", (root / "README.md").read_text(), flags=re.M | re.S)
    return [block.strip() for block in blocks if "hatch run" in block]


def test_the_readme_has_two_commands_one_for_the_demo_and_one_for_the_tests(commands):
    assert len(commands) == 2
    assert commands[0].endswith("hatch run demo")
    assert commands[1].endswith("hatch run test:all")


def test_ci_runs_exactly_the_second_command(commands, root):
    lines = (root / ".ci/run").read_text().strip().splitlines()

    assert lines[-1] == commands[1]


def test_the_contributing_page_gives_the_same_command(commands, root):
    assert commands[1] in (root / ".github/CONTRIBUTING.md").read_text()


def test_the_scripts_that_the_commands_name_exist(root):
    environments = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["envs"]

    assert "demo" in environments["default"]["scripts"]
    assert environments["test"]["scripts"]["all"] == ["lint", "types", "tests"]
