"""The rules as others use them, through `pathspec`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pathspec
import pytest
from dbk_sync import GitPattern, GitSpec, ScanOptions, select, source_spec

Plant = Callable[..., None]


def test_any_path_spec_can_use_the_pattern_by_name():
    spec = pathspec.PathSpec.from_lines("dbk-git", ["*.log", "!keep.log", "# comment"])

    assert spec.match_file("d/a.log")
    assert not spec.match_file("d/keep.log")
    assert [pattern.include for pattern in spec.patterns] == [True, False, None]


@pytest.mark.parametrize(
    ("line", "path", "part"),
    [
        ("*.log", "d/a.log", b"d/a.log"),
        ("d", "d/e/f", b"d"),
        ("d/", "d", None),
        ("d/", "d/", b"d"),
        ("/d", "e/d", None),
        ("é", "é", "é".encode()),
        ("?", "é", None),
        (b"\xff", "\udcff", b"\xff"),
        ("", "a", None),
    ],
)
def test_a_pattern_gives_the_part_it_matches(line: str | bytes, path: str, part: bytes | None):
    assert GitPattern(line).match_file(path) == part


def test_a_spec_lets_nothing_back_in_below_an_excluded_directory():
    spec = GitSpec.from_lines(["d/", "!d/keep", "e/*", "!e/keep"])

    matched = list(spec.match_files(["d/keep", "e/keep", "e/a", "f"]))

    assert matched == ["d/keep", "e/a"]


def test_a_spec_can_ignore_case():
    assert GitSpec.from_lines(["*.LOG"], fold=True).match_file("a.log")
    assert not GitSpec.from_lines(["*.LOG"]).match_file("a.log")


def test_a_source_spec_matches_exactly_what_is_not_selected(root: Path, plant: Plant):
    plant(root, {".gitignore": b"*.log\nout/\n", "d/.gitignore": b"!a.log\n", ".databricks/x": b""})
    plant(root, ["a.log", "b", "d/a.log", "d/b.log", "out/d/c", "d/e/f"])
    options = ScanOptions(exclude=("f",))

    spec = source_spec(root, options)

    kept = sorted(path.encode() for path in spec.match_tree_files(root, negate=True))
    assert kept == select(root, options) == [b".gitignore", b"b", b"d/.gitignore", b"d/a.log"]


def test_a_source_spec_of_an_ignored_source_matches_everything(repository: Path, plant: Plant):
    plant(repository, {".gitignore": b"out/\n", "out/a": b""})

    assert source_spec(repository / "out").match_file("a")
