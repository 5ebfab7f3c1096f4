"""Size limits: all that exceeds them, in one message, before anything is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import FileSizeError, ScanOptions, scan

Plant = Callable[..., None]
MB = 1024 * 1024


def sparse(root: Path, sizes: dict[str, int]) -> None:
    for name, size_bytes in sizes.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with (root / name).open("wb") as file:
            file.truncate(size_bytes)


def folder_lines(error: FileSizeError) -> list[str]:
    listed = str(error).partition("Largest folders:\n")[2].splitlines()
    return [line.strip() for line in listed if line.startswith(" ")]


def test_every_file_over_the_limit_is_named_with_its_size_and_the_limit(root: Path):
    sparse(root, {"a.bin": 3 * MB, "d/b.bin": 12 * MB + MB // 2, "ok": 2 * MB, "ü": 2 * MB + 1})

    with pytest.raises(FileSizeError) as caught:
        scan(root, ScanOptions(max_file_size_mb=2.0))

    assert caught.value.offenders == ((b"d/b.bin", 12 * MB + MB // 2), (b"a.bin", 3 * MB), ("ü".encode(), 2 * MB + 1))
    assert caught.value.total_bytes is None
    assert str(caught.value).splitlines() == [
        "File size exceeded limit of 2 MB (max_file_size_mb): 3 files, nothing was sent.",
        "     12.5 MB  d/b.bin",
        "      3.0 MB  a.bin",
        "      2.0 MB  ü",
        "Add patterns to `exclude`, or raise `max_file_size_mb`, "
        "in [tool.jupyter-databricks-kernel.sync] of pyproject.toml.",
    ]


def test_a_total_over_the_limit_names_the_largest_files_and_folders(root: Path):
    sparse(root, {"big/a": 3 * MB, "big/b": 2 * MB, "small/c": MB, "d": 10})

    with pytest.raises(FileSizeError, match=r"exceeded limit of 5\.5 MB \(max_size_mb\): 6\.0 MB in 4 files") as caught:
        scan(root, ScanOptions(max_size_mb=5.5))

    assert caught.value.total_bytes == 6 * MB + 10
    assert "Largest folders:\n      5.0 MB  big/\n      1.0 MB  small/\nAdd" in str(caught.value)
    assert "Largest files:\n      3.0 MB  big/a" in str(caught.value)


def test_a_folder_counts_all_that_is_below_it(root: Path):
    sparse(root, {"data/raw/a": 3 * MB, "data/raw/2024/b": 2 * MB, "data/c": MB, "src/d": 10})

    with pytest.raises(FileSizeError) as caught:
        scan(root, ScanOptions(max_size_mb=1))

    assert folder_lines(caught.value) == [
        "6.0 MB  data/",
        "5.0 MB  data/raw/",
        "2.0 MB  data/raw/2024/",
        "10 bytes  src/",
    ]


def test_of_folders_with_the_same_files_only_the_innermost_is_told(root: Path):
    sparse(root, {"a/b/c/one": 2 * MB, "a/b/c/two": MB, "src/d": 10})

    with pytest.raises(FileSizeError) as caught:
        scan(root, ScanOptions(max_size_mb=1))

    assert folder_lines(caught.value) == ["3.0 MB  a/b/c/", "10 bytes  src/"]


def test_files_without_a_folder_have_no_list_of_folders(root: Path):
    sparse(root, {"a": 2 * MB})

    with pytest.raises(FileSizeError) as caught:
        scan(root, ScanOptions(max_size_mb=1))

    assert "folders" not in str(caught.value)


def test_many_offenders_are_told_by_folder_too(root: Path):
    sparse(root, {f"raw/f{number:02}": 2 * MB for number in range(30)})

    with pytest.raises(FileSizeError) as caught:
        scan(root, ScanOptions(max_file_size_mb=1))

    assert folder_lines(caught.value) == ["60.0 MB  raw/"]


def test_both_limits_are_reported_together(root: Path):
    sparse(root, {"a": 3 * MB, "b": MB})

    with pytest.raises(FileSizeError, match=r"(?s)max_file_size_mb.*max_size_mb.*`max_file_size_mb` and `max_size_mb`"):
        scan(root, ScanOptions(max_size_mb=1, max_file_size_mb=2))


@pytest.mark.parametrize("options", [ScanOptions(max_file_size_mb=2), ScanOptions(max_size_mb=4), ScanOptions()])
def test_exactly_the_limit_is_allowed(options: ScanOptions, root: Path):
    sparse(root, {"a": 2 * MB, "b": 2 * MB})

    assert len(scan(root, options).manifest) == 2


def test_ignored_files_do_not_count(root: Path, plant: Plant):
    sparse(root, {"data/big": 50 * MB})
    plant(root, {".gitignore": b"data/\n"})

    assert len(scan(root, ScanOptions(max_size_mb=1)).manifest) == 1


def test_no_file_is_read_before_the_limits_are_checked(root: Path, deny: Callable[[Path], None]):
    sparse(root, {"a": 3 * MB, "b": 1})
    deny(root / "a")
    deny(root / "b")

    with pytest.raises(FileSizeError):
        scan(root, ScanOptions(max_file_size_mb=1))


def test_files_that_did_not_change_count_too(root: Path, later_ns: Callable[[], int]):
    sparse(root, {"a": 3 * MB})
    cache = scan(root, clock_ns=later_ns).cache

    with pytest.raises(FileSizeError, match="a"):
        scan(root, ScanOptions(max_file_size_mb=1), cache)


def test_a_long_list_is_cut_in_the_message_only(root: Path):
    sparse(root, {f"f{number:02}": 2 * MB + number for number in range(30)})

    with pytest.raises(FileSizeError, match="and 10 more") as caught:
        scan(root, ScanOptions(max_file_size_mb=1))

    assert len(caught.value.offenders) == 30
    assert os.fsencode("f00") in dict(caught.value.offenders)
