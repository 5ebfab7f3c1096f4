"""A git that nothing outside of a test can influence, and trees to try things on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; neither the user's nor the machine's git configuration counts."""
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty directory that is in no repository."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def plant() -> Callable[..., None]:
    """`plant(root, {path: content, ...})` makes files; a content that starts with `-> ` makes a link."""

    def plant(root: Path, files: Mapping[str, str | bytes] | list[str]) -> None:
        for name, content in files.items() if isinstance(files, Mapping) else dict.fromkeys(files, b"").items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            if data.startswith(b"-> "):
                os.symlink(data[3:], os.fsencode(path))
                continue
            with open(path, "wb") as file:
                file.write(data)

    return plant


@pytest.fixture
def git() -> Callable[..., bytes]:
    """`git(root, *arguments)` runs git in `root` and gives its output; the test is skipped where git is missing."""
    if shutil.which("git") is None:
        pytest.skip("git is the oracle of this test, and is not installed")

    def git(root: Path | str, *arguments: str | bytes, accept: tuple[int, ...] = (0,), stdin: bytes = b"") -> bytes:
        done = subprocess.run(["git", *arguments], cwd=root, input=stdin, stdout=subprocess.PIPE)
        assert done.returncode in accept, arguments
        return done.stdout

    return git


@pytest.fixture
def repository(root: Path, git: Callable[..., bytes]) -> Path:
    """An empty repository."""
    git(root, "init", "-q", "--template=")
    return root


@pytest.fixture
def git_selection(git: Callable[..., bytes]) -> Callable[..., list[bytes]]:
    """`git_selection(root, *arguments)` gives what git lists in `root`, in byte order, with an empty index."""

    def git_selection(root: Path, *arguments: str) -> list[bytes]:
        listed = git(root, "ls-files", "-o", "-z", *(arguments or ("--exclude-standard",)))
        return sorted(listed.split(b"\0")[:-1])

    return git_selection


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`deny(path)` makes opening and listing a path fail, also for root, whom permission bits do not stop."""
    denied: set[bytes] = set()
    real_open, real_scandir = os.open, os.scandir

    def refuse(path: str | bytes | os.PathLike[str]) -> None:
        if not isinstance(path, int) and os.path.normpath(os.fsencode(path)) in denied:
            raise PermissionError(errno.EACCES, "Permission denied", path)

    def guarded_open(path, *arguments, **options):
        refuse(path)
        return real_open(path, *arguments, **options)

    def guarded_scandir(path="."):
        refuse(path)
        return real_scandir(path)

    monkeypatch.setattr(os, "open", guarded_open)
    monkeypatch.setattr(os, "scandir", guarded_scandir)
    return lambda path: denied.add(os.path.normpath(os.fsencode(path)))


@pytest.fixture
def later_ns() -> Callable[[], int]:
    """A clock that runs ten seconds ahead, so that files made just now count as old."""
    import time

    return lambda: time.time_ns() + 10_000_000_000
