"""Scans that are left out: never where something has changed, whatever it is (T3)."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import HashCache, ScanOptions, _watch, scan
from dbk_sync._inotify import Inotify, is_local
from dbk_sync._watch import FULL_SCAN_AFTER_S, Watch

Plant = Callable[..., None]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux'")


class Looking:
    """A watch that keeps the cache as `Sync` does, and counts its scans."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, **options: object) -> None:
        self.scans = 0
        self.cache = HashCache()
        self.watch = Watch(root, ScanOptions(), **options)  # type: ignore[arg-type]
        real = _watch.scan_closely

        def counted(*arguments: object) -> object:
            self.scans += 1
            return real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(_watch, "scan_closely", counted)

    def tree(self) -> str:
        found = self.watch.scan(self.cache)
        self.cache = found.cache
        return found.manifest.tree

    def settle(self) -> None:
        for _ in range(4):
            self.tree()
        self.scans = 0


@pytest.fixture(autouse=True)
def local(tmp_path: Path) -> None:
    if not is_local(bytes(tmp_path), []):
        pytest.skip("the temporary directory is in a file system that others may change")


@pytest.fixture
def looking(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Looking:
    plant(root, {"a": b"1", "d/b": b"2", "d/e/c": b"3"})
    made = Looking(root, monkeypatch)
    made.settle()
    return made


def truth(root: Path) -> str:
    return scan(root).manifest.tree


def test_where_nothing_happened_no_file_is_looked_at(looking: Looking, root: Path):
    assert [looking.tree() for _ in range(3)] == [truth(root)] * 3
    assert looking.scans == 0


def test_a_first_scan_watches_over_nothing(root: Path, monkeypatch: pytest.MonkeyPatch):
    looking = Looking(root, monkeypatch)

    looking.tree()

    assert looking.watch._inotify is None


def test_a_change_within_the_same_instant_and_of_the_same_size_is_seen(looking: Looking, root: Path):
    before = os.stat(root / "a")
    (root / "a").write_bytes(b"2")
    os.utime(root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert looking.tree() == truth(root)


def test_after_five_minutes_all_is_looked_at(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    now_s = [0.0]
    plant(root, ["a"])
    looking = Looking(root, monkeypatch, clock=lambda: now_s[0])
    looking.settle()

    now_s[0] += FULL_SCAN_AFTER_S

    looking.tree()
    assert looking.scans == 1


def test_more_events_than_the_system_keeps_are_a_doubt(looking: Looking, root: Path):
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip("it keeps very many here")
    for number in range(most // 3 + 10):  # making, attributes, closing, removal
        path = root / f"t{number}"
        path.touch()
        path.unlink()
    (root / "d" / "e" / "c").write_bytes(b"4")

    assert looking.tree() == truth(root)
    looking.settle()
    looking.tree()
    assert looking.scans == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE, errno.ENOSYS])
def test_without_a_watch_every_scan_looks(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch, code: int):
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    plant(root, ["a"])
    monkeypatch.setattr(Inotify, "add" if code == errno.ENOSPC else "__init__", refuse)
    looking = Looking(root, monkeypatch)
    looking.settle()

    (root / "b").touch()

    assert [looking.tree(), looking.tree()] == [truth(root)] * 2
    assert looking.scans == 2


def test_a_file_with_a_second_name_elsewhere_is_a_doubt(
    root: Path, plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"1"})
    os.link(root / "a", tmp_path / "other name")
    looking = Looking(root, monkeypatch)
    looking.settle()

    (tmp_path / "other name").write_bytes(b"7")

    assert looking.tree() == truth(root)
    assert looking.scans == 1


def test_a_file_system_that_others_change_is_a_doubt(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    plant(root, ["a"])
    monkeypatch.setattr("dbk_sync._inotify.LOCAL_TYPES", frozenset())
    looking = Looking(root, monkeypatch)
    looking.settle()

    looking.tree()

    assert looking.scans == 1


def test_another_directory_of_the_same_name_is_seen(looking: Looking, root: Path, plant: Plant, tmp_path: Path):
    root.rename(tmp_path / "away")
    root.mkdir()
    plant(root, {"other": b"1"})

    assert looking.tree() == truth(root)


RULES = {
    "git's own rules": lambda root, _: (root / ".git/info/exclude").write_text("a\n"),
    "configuration of the repository": lambda root, home: (
        (home / "mine").write_text("a\n"),
        (root / ".git/config").write_text(f"[core]\nexcludesFile = {home / 'mine'}\n"),
    ),
    "configuration of the user": lambda _, home: (
        (home / "mine").write_text("a\n"),
        (home / ".gitconfig").write_text(f"[core]\nexcludesFile = {home / 'mine'}\n"),
    ),
    "rules of the user": lambda _, home: (
        (home / ".config/git").mkdir(parents=True),
        (home / ".config/git/ignore").write_text("a\n"),
    ),
    "rules above": lambda root, _: (root.parent / ".gitignore").write_text("a\n"),
    "a repository above": lambda root, _: shutil.rmtree(root.parent / ".git"),
    "the repository itself": lambda root, _: (root / ".git/HEAD").unlink(),
    "rules of a nested repository": lambda root, _: (root / "d/.git/info/exclude").write_text("b\n"),
    "the nested repository itself": lambda root, _: (root / "d/.git/HEAD").unlink(),
}


@pytest.mark.parametrize("change", RULES.values(), ids=RULES)
@pytest.mark.parametrize("above", [False, True], ids=["source is the root", "source is below the root"])
def test_rules_that_lie_elsewhere_are_looked_at_each_time(
    repository: Path,
    home: Path,
    git: Callable[..., bytes],
    plant: Plant,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path, Path], object],
    above: bool,
):
    root = repository / "sub" if above else repository
    plant(root, {"a": b"1", "d/b": b"2"})
    plant(repository, {".gitignore": b"", "sub/.gitignore": b"z\n"})
    for place in (repository, root, root / "d"):
        git(place, "init", "-q", "--template=")
        (place / ".git/info").mkdir(exist_ok=True)
        (place / ".git/info/exclude").write_text("q\n")
    if above:
        shutil.rmtree(root / ".git")
        (root / ".git").symlink_to("../.git")
    (repository.parent / ".git").mkdir(exist_ok=True)
    looking = Looking(root, monkeypatch)
    looking.settle()
    looking.tree()
    assert looking.scans == 0

    change(root, home)

    assert looking.tree() == truth(root)


def test_random_changes_of_every_kind_are_seen_as_by_a_full_scan(
    repository: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The law: with and without a watch the tree is the same, whatever happens between two looks."""
    chance = random.Random(20)
    folders = ["", "d/", "d/e/", "x/", "ignored/"]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").touch()

    def anywhere() -> Path:
        return repository / (chance.choice(folders) + chance.choice(["a", "b.py", "c.log", "d"]))

    def write() -> None:
        path = anywhere()
        if not path.is_dir() and path.parent.is_dir():
            if path.is_symlink():
                path.unlink()
            path.write_bytes(b"%04d" % chance.randrange(10_000))

    def rules() -> None:
        places = [repository / ".gitignore", repository / "d/.gitignore", repository / ".git/info/exclude"]
        path = chance.choice([*places, home / ".config/git/ignore"])
        if path.is_relative_to(home):
            path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.is_dir():
            path.write_text(chance.choice(["", "*.log\n", "ignored/\n", "a\n", "!a\n", "d/\n"]))

    def make() -> None:
        folder = repository / chance.choice(folders[1:])
        if not folder.exists() and not folder.is_symlink():
            (folder / "deep").mkdir(parents=True)
            (folder / "deep" / "f").write_bytes(b"%d" % chance.randrange(9))

    def drop() -> None:
        shutil.rmtree(repository / chance.choice(folders[1:]), ignore_errors=True)

    def move() -> None:
        old, new = anywhere(), anywhere()
        if (old.exists() or old.is_symlink()) and new.parent.is_dir() and not new.exists() and old not in new.parents:
            old.rename(new)

    def link() -> None:
        path = anywhere()
        if not path.exists() and not path.is_symlink() and path.parent.is_dir():
            path.symlink_to(chance.choice(["a", "d/e", "../outside/f", "x"]))

    def mode() -> None:
        path = anywhere()
        if path.is_file() and not path.is_symlink():
            path.chmod(chance.choice([0o644, 0o755]))

    def gone() -> None:
        path = anywhere()
        if path.is_symlink() or path.is_file():
            path.unlink()

    looking = Looking(repository, monkeypatch)
    (repository / ".git/info").mkdir(exist_ok=True)
    quiet = 0
    for number in range(300):
        for _ in range(chance.choice([0, 0, 1, 2, 5])):
            with contextlib.suppress(OSError):  # such as a file where a directory is wanted
                chance.choice([write, write, write, rules, make, drop, move, link, mode, gone])()
        before = looking.scans
        assert looking.tree() == truth(repository), number
        quiet += looking.scans == before

    assert quiet > 30
