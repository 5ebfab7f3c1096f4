"""Directories that have to be said because no file in them says that they are there: against git's own verdicts."""

import os
import random
from pathlib import Path

import pytest
from dbk_sync import ScanOptions, plan, scan, select
from dbk_sync._empty_dirs import innermost
from dbk_sync._select import sendable

KEPT = ScanOptions(keep_empty_dirs=True)


def directories(root: Path, options: ScanOptions = KEPT) -> list[bytes]:
    """The directories in the tree of `root`."""
    return [entry.path for entry in scan(root, options).manifest if entry.mode == "dir"]


def test_directories_without_files_are_kept_when_asked_for(root: Path, plant):
    plant(root, ["src/a.py"])
    for name in ("data/raw", "data/out", "src/empty"):
        (root / name).mkdir(parents=True)

    assert directories(root) == [b"data/out", b"data/raw", b"src/empty"]
    assert directories(root, ScanOptions()) == []
    assert select(root, KEPT) == [b"data/out/", b"data/raw/", b"src/a.py", b"src/empty/"]


def test_a_directory_whose_files_are_ignored_or_cannot_be_sent_is_kept(root: Path, plant):
    plant(root, {".gitignore": "*.log\n/build/\n!/logs\n", "logs/x.log": "", "build/x": "", "l/out": "-> /etc"})
    os.makedirs(root / "pipes")
    os.mkfifo(root / "pipes/p")

    assert directories(root) == [b"l", b"logs", b"pipes"]
    assert sendable(root, KEPT)[0] == [b".gitignore", b"l/", b"logs/", b"pipes/"]


def test_what_must_not_travel_is_never_said(root: Path, git):
    git(root, "init", "-q", "--template=")
    (root / ".databricks/x").mkdir(parents=True)

    assert directories(root) == []


def test_a_directory_that_cannot_be_listed_is_unknown_and_not_empty(root: Path, deny):
    (root / "open/closed").mkdir(parents=True)
    deny(root / "open/closed")

    found = scan(root, ScanOptions(keep_empty_dirs=True, skip_unreadable=True))

    assert len(found.manifest) == 0
    assert [one.path for one in found.skipped] == [b"open/closed/"]


def test_git_tracks_no_directories(repository: Path, plant, git):
    plant(repository, ["a"])
    git(repository, "add", "a")
    (repository / "d").mkdir()

    assert select(repository, ScanOptions(keep_empty_dirs=True, tracked_only=True)) == [b"a"]


def test_a_directory_that_gets_a_file_is_not_in_the_tree_any_more(root: Path, plant):
    (root / "d").mkdir()
    first = scan(root, KEPT)
    plant(root, ["d/x"])

    second = plan(scan(root, KEPT, first.cache), first.manifest)

    assert [entry.path for entry in second.puts] == [b"d/x"]
    assert second.deletes == (b"d",)
    assert first.manifest.tree != second.manifest.tree


def test_nothing_is_read_or_changed_by_a_second_look(root: Path):
    (root / "d").mkdir()
    first = scan(root, KEPT)

    assert scan(root, KEPT, first.cache).cache is first.cache


@pytest.mark.parametrize("seed", range(20))
def test_they_are_those_that_git_would_enter_and_that_have_nothing_it_would_take(
    seed: int, repository: Path, git, git_selection
):
    chance = random.Random(seed)
    names = ["a", "b", "log", "out", "x.tmp"]
    for _ in range(25):
        folder = repository.joinpath(*chance.choices(names, k=chance.randint(1, 4)))
        if not any(one.is_file() for one in (folder, *folder.parents)):
            folder.mkdir(parents=True, exist_ok=True)
            if chance.random() < 0.4 and not (folder / "f").exists():
                (folder / chance.choice(["f", "f.tmp"])).touch()
    rules = chance.sample(["log/", "*.tmp", "/out/", "!/a/b/log", "b/*", "**/a/out", "f"], 4)
    (repository / ".gitignore").write_text("\n".join(rules) + "\n")

    listed = [path.encode() for path in below(repository)]
    stdin = b"".join(path + b"\0" for path in listed)
    ignored = git(repository, "check-ignore", "--no-index", "-z", "--stdin", accept=(0, 1), stdin=stdin).split(b"\0")
    entered = [path for path in listed if path not in ignored]
    taken = git_selection(repository)

    assert directories(repository) == [
        path for path in entered if not any(other.startswith(path + b"/") for other in [*taken, *entered])
    ]


def below(root: Path) -> list[str]:
    """All directories below `root`, but not git's own."""
    found = (Path(folder).relative_to(root) for folder, _, _ in os.walk(root))
    return sorted(str(path) for path in found if path.parts[:1] not in ((), (".git",)))


def test_the_innermost_are_above_nothing():
    assert innermost([b"a", b"a/b", b"a/b-c", b"d", b"e", b"f"], [b"d/x"], [b"e"]) == [b"a/b", b"a/b-c", b"f"]
