"""Where a repository starts, judged by `git rev-parse`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync._repository import find_repository, repository_at

Git = Callable[..., bytes]


def test_a_repository_is_found_from_below(repository: Path, git: Git):
    (repository / "a/b").mkdir(parents=True)

    found = find_repository(bytes(repository / "a/b"))

    assert found is not None
    assert found.root == git(repository / "a/b", "rev-parse", "--show-toplevel").strip()
    assert found.git_dir == found.common_dir == bytes(repository / ".git")


def test_outside_there_is_none(root: Path):
    assert find_repository(bytes(root)) is None


def test_the_inside_of_a_bare_repository_is_no_working_tree(repository: Path, git: Git):
    git(repository, "init", "-q", "--bare", "--template=", "bare.git")

    assert find_repository(bytes(repository / "bare.git/refs")) is None


def test_a_worktree_shares_the_directory_of_its_repository(repository: Path, tmp_path: Path, git: Git):
    git(repository, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "m")
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))

    found = repository_at(bytes(tmp_path / "tree"))

    assert found is not None
    assert found.git_dir == bytes(repository / ".git/worktrees/tree")
    assert found.common_dir == bytes(repository / ".git")


def test_a_ceiling_ends_the_search(repository: Path, monkeypatch: pytest.MonkeyPatch):
    (repository / "a/b").mkdir(parents=True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository))

    assert find_repository(bytes(repository / "a/b")) is None
    assert find_repository(bytes(repository)) is not None


@pytest.mark.parametrize("head", [b"ref: refs/heads/x\n", b"ref:\trefs/x", b"a" * 40 + b"\n", b"B" * 64])
def test_a_head_that_git_takes_makes_a_repository(head: bytes, repository: Path, git: Git):
    (repository / ".git/HEAD").write_bytes(head)

    git(repository, "rev-parse", "--git-dir")
    assert repository_at(bytes(repository)) is not None


@pytest.mark.parametrize("head", [b"", b"ref: heads/x\n", b"a" * 39, None])
def test_a_head_that_git_refuses_makes_none(head: bytes | None, repository: Path, git: Git):
    (repository / ".git/HEAD").unlink()
    if head is not None:
        (repository / ".git/HEAD").write_bytes(head)

    git(repository, "rev-parse", "--git-dir", accept=(128,))
    assert repository_at(bytes(repository)) is None


def test_a_head_may_be_a_link(repository: Path):
    (repository / ".git/HEAD").unlink()
    os.symlink("refs/heads/main", repository / ".git/HEAD")

    assert repository_at(bytes(repository)) is not None


@pytest.mark.parametrize("part", ["objects", "refs"])
def test_a_git_directory_without_its_parts_makes_none(part: str, repository: Path, git: Git):
    (repository / ".git" / part).rename(repository / "away")

    git(repository, "rev-parse", "--git-dir", accept=(128,))
    assert repository_at(bytes(repository)) is None
