"""Why a path is in or out, judged by `git check-ignore -v`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import ScanOptions, explain

Plant = Callable[..., None]

RULES = {
    ".gitignore": b"# first\n*.log\n!keep.log\nbuild/\n/d/x\n",
    "d/.gitignore": b"\n\n!a.log\n**/deep/\n",
    ".git/info/exclude": b"*.tmp\n",
}


@pytest.mark.parametrize(
    "path", ["a.log", "keep.log", "d/a.log", "build/x/y", "d/x", "e/x", "d/e/deep/f", "a.tmp", "plain", "d", "build"]
)
def test_the_deciding_rule_is_the_one_git_names(
    path: str, repository: Path, plant: Plant, git: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
):
    plant(repository, RULES)
    plant(repository, ["a.log", "build/x/y", "d/a.log", "d/e/deep/f"])
    monkeypatch.chdir(repository)

    decision = explain(repository, os.fsencode(path))

    arguments = ("check-ignore", "--no-index", "-v", "-n", "-z", "--stdin")
    answer = git(repository, *arguments, accept=(0, 1), stdin=path.encode()).decode().split("\0")
    source = os.path.relpath(decision.source, repository) if decision.source.startswith("/") else decision.source
    line = "" if decision.line is None else str(decision.line)
    assert (source, line, decision.pattern, path) == tuple(answer[:4])
    assert decision.included == (answer[2][:1] in ("", "!"))


def test_the_option_and_its_position_are_named(root: Path, plant: Plant):
    plant(root, ["b.csv"])

    decision = explain(root, b"b.csv", ScanOptions(exclude=("a", "*.csv")))

    assert str(decision) == "b.csv: excluded by exclude:2: *.csv"


def test_what_is_always_left_out_says_so(root: Path):
    assert str(explain(root, b"d/.databricks/x")) == "d/.databricks/x: excluded by always: .databricks"


def test_a_path_no_rule_matches_says_so(root: Path):
    assert str(explain(root, b"a")) == "a: included (no rule matches)"


def test_a_directory_that_does_not_exist_is_named_with_a_slash(root: Path, plant: Plant):
    plant(root, {".gitignore": b"out/\n"})

    assert explain(root, b"out").included
    assert not explain(root, b"out/").included


def test_the_directory_that_is_excluded_is_named(root: Path, plant: Plant):
    plant(root, {".gitignore": b"out/\n"})

    assert explain(root, b"out/a/b").decided_path == b"out"


def test_a_rule_above_the_source_is_named_from_the_root(repository: Path, plant: Plant):
    plant(repository, {"x/.gitignore": b"*.log\ny\n", "x/z/a.log": b"", "x/y/a": b""})

    assert str(explain(repository / "x/z", b"a.log")) == "a.log: excluded by x/.gitignore:1: *.log"
    assert explain(repository / "x/y", b"a").decided_path == b"x/y"
