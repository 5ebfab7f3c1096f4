"""Where rules come from, and what no rule can change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import ScanOptions, select
from dbk_sync.errors import RulesError, SourceError

Plant = Callable[..., None]
Git = Callable[..., bytes]
Listed = Callable[..., list[bytes]]


def test_a_tracked_file_that_an_ignore_file_names_is_left_out(repository: Path, plant: Plant, git: Git):
    plant(repository, {"a.log": b"", "b": b""})
    git(repository, "add", "a.log", "b")
    plant(repository, {".gitignore": b"*.log\n"})

    assert select(repository) == [b".gitignore", b"b"]


@pytest.mark.parametrize("rule", [b"A", b"*.LOG", b"[A-C]", b"[A]", b"\\A", b"D/x", b"d/X", b"**/X", b"?[[:upper:]]"])
def test_case_is_ignored_where_the_repository_says_so(
    rule: bytes, repository: Path, plant: Plant, git: Git, git_selection: Listed
):
    git(repository, "config", "core.ignoreCase", "true")
    plant(repository, ["a", "b.log", "C", "d/x", "e", "xy", "B.LOG"])
    plant(repository, {".gitignore": rule + b"\n"})

    assert select(repository) == git_selection(repository)


def test_names_that_are_always_left_out_fold_with_the_case(repository: Path, plant: Plant, git: Git):
    git(repository, "config", "core.ignoreCase", "true")
    plant(repository, [".GIT/x", ".Databricks/x", "a"])

    assert select(repository) == [b"a"]


@pytest.mark.parametrize("place", [".config/git/ignore", "elsewhere/git/ignore"])
def test_the_users_default_ignore_file_counts(
    place: str, repository: Path, home: Path, plant: Plant, git_selection: Listed, monkeypatch: pytest.MonkeyPatch
):
    if place.startswith("elsewhere"):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    plant(home, {place: b"*.swp\n"})
    plant(repository, {"a.swp": b"", "keep.swp": b"", "b": b"", ".gitignore": b"!keep.swp\n"})

    assert select(repository) == git_selection(repository) == [b".gitignore", b"b", b"keep.swp"]


@pytest.mark.parametrize("value", ["~/mine", "HOME/mine", "rules/mine"])
def test_the_users_own_ignore_file_replaces_the_default(
    value: str, repository: Path, home: Path, plant: Plant, git: Git, git_selection: Listed
):
    git(repository, "config", "core.excludesFile", value.replace("HOME", str(home)))
    plant(home, {".config/git/ignore": b"a\n", "mine": b"b\n"})
    plant(repository, {"rules/mine": b"b\n", "a": b"", "b": b""})

    assert select(repository) == git_selection(repository) == [b"a", b"rules/mine"]


def test_an_empty_setting_means_no_ignore_file(repository: Path, home: Path, plant: Plant, git: Git):
    git(repository, "config", "core.excludesFile", "")
    plant(home, {".config/git/ignore": b"a\n"})
    plant(repository, ["a"])

    assert select(repository) == [b"a"]


def test_rules_above_the_source_count_up_to_the_root(repository: Path, plant: Plant, git_selection: Listed):
    plant(
        repository,
        {
            ".gitignore": b"*.log\n/x/y/only\n",
            "x/.gitignore": b"tmp\n!keep.log\n/y/z\n",
            "x/y/.gitignore": b"/here\n",
        },
    )
    plant(repository / "x/y", ["a", "a.log", "keep.log", "tmp", "only", "z", "here", "d/here", "d/z", "d/only"])

    selected = select(repository / "x/y")

    assert selected == git_selection(repository / "x/y")
    assert selected == [b".gitignore", b"a", b"d/here", b"d/only", b"d/z", b"keep.log"]


def test_rules_outside_of_the_repository_do_not_count(repository: Path, plant: Plant):
    plant(repository.parent, {".gitignore": b"a\n"})
    plant(repository, ["a"])

    assert select(repository) == [b"a"]


def test_nothing_of_an_ignored_source_is_selected(repository: Path, plant: Plant, git_selection: Listed):
    plant(repository, {".gitignore": b"build/\n", "build/lib/a": b""})

    assert select(repository / "build/lib") == git_selection(repository / "build/lib") == []
    assert select(repository / "build/lib", ScanOptions(use_gitignore=False)) == [b"a"]


def test_a_linked_worktree_has_the_rules_of_its_repository(
    repository: Path, tmp_path: Path, plant: Plant, git: Git, git_selection: Listed
):
    plant(repository, {"a": b"", ".git/info/exclude": b"*.tmp\n"})
    git(repository, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "m")
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    plant(tmp_path / "tree", ["b", "c.tmp"])

    assert select(tmp_path / "tree") == git_selection(tmp_path / "tree") == [b"b"]


def test_a_nested_repository_is_entered_with_its_own_rules_only(
    repository: Path, plant: Plant, git: Git, git_selection: Listed
):
    plant(repository, {".gitignore": b"*.log\n", "in/.gitignore": b"*.tmp\n", "in/d/a.log": b"", "in/b.tmp": b""})
    git(repository / "in", "init", "-q", "--template=")
    plant(repository, {"in/.git/info/exclude": b"c\n", "in/c": b"", "out.log": b""})

    selected = select(repository)

    assert selected == [b".gitignore", b"in/.gitignore", b"in/d/a.log"]
    assert [b"in/" + path for path in git_selection(repository / "in")] == selected[1:]


def test_a_nested_repository_that_is_ignored_is_not_entered(repository: Path, plant: Plant, git: Git):
    plant(repository, {".gitignore": b"in/\n", "in/a": b""})
    git(repository / "in", "init", "-q", "--template=")

    assert select(repository) == [b".gitignore"]


def test_a_submodule_is_entered_and_its_git_file_is_not_taken(repository: Path, tmp_path: Path, plant: Plant, git: Git):
    origin = tmp_path / "origin"
    plant(origin, {"code.py": b"", ".gitignore": b"*.out\n"})
    git(origin, "init", "-q", "--template=")
    git(origin, "add", ".")
    git(origin, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(origin), "sub")
    plant(repository, {"sub/x.out": b"", ".git/modules/sub/info/exclude": b"y\n", "sub/y": b""})

    assert (repository / "sub/.git").is_file()
    assert select(repository) == [b".gitmodules", b"sub/.gitignore", b"sub/code.py"]


@pytest.mark.parametrize("marker", [{"in/.git/x": b""}, {"in/.git": b"no git file"}, {"in/.git": b"gitdir: nowhere\n"}])
def test_a_git_name_that_is_no_repository_changes_no_rules(
    marker: dict[str, bytes], repository: Path, plant: Plant, git_selection: Listed
):
    plant(repository, {".gitignore": b"*.log\n", "in/a.log": b"", "in/b": b""})
    plant(repository, marker)

    assert select(repository) == git_selection(repository) == [b".gitignore", b"in/b"]


def test_without_a_repository_the_ignore_files_still_apply(root: Path, home: Path, plant: Plant):
    plant(home, {".config/git/ignore": b"*.swp\n"})
    plant(root, {".gitignore": b"*.log\n", "d/.gitignore": b"!a.log\n", "d/a.log": b"", "b.log": b"", "c.swp": b""})

    assert select(root) == [b".gitignore", b"d/.gitignore", b"d/a.log"]


@pytest.mark.parametrize("kind", ["link", "directory", "dangling"])
def test_an_ignore_file_that_is_no_file_has_no_rules(kind: str, repository: Path, plant: Plant, git_selection: Listed):
    plant(repository, {"rules": b"a\n", "a": b""})
    if kind == "directory":
        plant(repository, {".gitignore/x": b""})
    else:
        plant(repository, {".gitignore": "-> rules" if kind == "link" else "-> nowhere"})

    selected = select(repository)

    assert b"a" in selected
    assert selected == git_selection(repository)


def test_an_ignore_file_that_is_a_pipe_does_not_block(root: Path, plant: Plant):
    plant(root, ["a"])
    os.mkfifo(root / ".gitignore")

    assert select(root) == [b"a"]


def test_ignore_files_that_cannot_be_read_are_all_named(root: Path, plant: Plant, deny: Callable[[Path], None]):
    plant(root, {".gitignore": b"a\n", "d/.gitignore": b"b\n", "a": b""})
    deny(root / ".gitignore")
    deny(root / "d/.gitignore")

    with pytest.raises(RulesError, match=r"(?s)cannot be read.*\.gitignore.*d/\.gitignore") as caught:
        select(root)

    assert len(caught.value.paths) == 2


@pytest.fixture
def deny_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`deny_reading(folder)` makes opening files in it fail, also for root, whom permission bits do not stop."""
    real = open
    denied: list[bytes] = []

    def guarded(path, *rest, **options):
        if isinstance(path, bytes) and path.startswith(tuple(denied)):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest, **options)

    monkeypatch.setattr("builtins.open", guarded)
    return lambda folder: denied.append(bytes(folder))


def test_the_users_own_files_count_only_if_they_may_be_read(
    root: Path, home: Path, plant: Plant, deny: Callable[[Path], None], deny_reading: Callable[[Path], None]
):
    # In a container HOME is often the folder of another user. Git goes on then, too.
    plant(home, {".config/git/ignore": b"a\n", ".gitconfig": b"[core]\nexcludesFile = x\n"})
    plant(root, ["a"])
    deny(home / ".config/git/ignore")
    deny_reading(home)

    assert select(root) == [b"a"]


def test_a_repositorys_configuration_must_be_readable(
    repository: Path, plant: Plant, deny_reading: Callable[[Path], None]
):
    plant(repository, ["a"])
    deny_reading(repository / ".git/config")

    with pytest.raises(RulesError, match=r"config cannot be read: Permission denied"):
        select(repository)


# The option


@pytest.mark.parametrize(
    "exclude",
    [
        ["*.log"],
        ["/d"],
        ["d/"],
        ["!keep.log"],
        ["*", "!*.py"],
        ["#a"],
        ["a "],
        ["d/*", "!d/a"],
        ["!*.log", "b.log"],
        ["\\"],
    ],
    ids=" ".join,
)
def test_the_option_has_the_meaning_and_rank_of_gits_own(
    exclude: list[str], repository: Path, plant: Plant, git_selection: Listed
):
    plant(repository, {".gitignore": b"*.log\n!b.log\n"})
    plant(repository, ["a.log", "b.log", "keep.log", "d/a", "d/b", "d/c.py", "e.py", "#a", "a "])

    selected = select(repository, ScanOptions(exclude=tuple(exclude)))

    arguments = [part for pattern in exclude for part in ("-x", pattern)]
    assert selected == git_selection(repository, "--exclude-standard", *arguments)


def test_the_option_is_relative_to_the_source(repository: Path, plant: Plant):
    plant(repository, ["src/data/x", "src/d/data/x", "data/x"])

    assert select(repository / "src", ScanOptions(exclude=("/data",))) == [b"d/data/x"]


def test_the_option_reaches_into_nested_repositories(repository: Path, plant: Plant, git: Git):
    plant(repository, ["in/a.log", "in/d/b", "in/c"])
    git(repository / "in", "init", "-q", "--template=")

    assert select(repository, ScanOptions(exclude=("*.log", "/in/d"))) == [b"in/c"]


def test_the_option_may_take_back_a_rule_but_nothing_below_an_excluded_directory(repository: Path, plant: Plant):
    plant(repository, {".gitignore": b"*.log\nbuild/\n", "a.log": b"", "build/b.log": b""})

    assert select(repository, ScanOptions(exclude=("!*.log",))) == [b".gitignore", b"a.log"]


def test_without_gitignore_only_the_option_counts(repository: Path, home: Path, plant: Plant, git_selection: Listed):
    plant(home, {".config/git/ignore": b"a\n"})
    plant(repository, {".gitignore": b"b\n", ".git/info/exclude": b"c\n", "d/.gitignore": b"*\n"})
    plant(repository, ["a", "b", "c", "d/e", "f.log", ".databricks/x"])

    selected = select(repository, ScanOptions(exclude=("*.log",), use_gitignore=False))

    assert selected == [b".gitignore", b"a", b"b", b"c", b"d/.gitignore", b"d/e"]


# Beyond the rules


@pytest.mark.parametrize("gitignore", [True, False])
def test_databricks_and_git_stay_out_whatever_the_rules_say(gitignore: bool, root: Path, plant: Plant):
    plant(
        root, {".gitignore": b"!.databricks\n!.git\n!**/.databricks/**\n", "d/.databricks/x": b"", ".databricks/y": b""}
    )
    plant(root, ["e/.databricks", "f/.git/config", "g/.git", ".databricks.yml", "databricks/z"])
    options = ScanOptions(exclude=("!.databricks", "!.git", "!*"), use_gitignore=gitignore)

    assert select(root, options) == [b".databricks.yml", b".gitignore", b"databricks/z"]


def test_names_in_any_encoding_are_selected(repository: Path, plant: Plant, git_selection: Listed):
    plant(repository, ["caf\udce9", "d\udcff/\udcfe", "ü", "a\nb"])

    assert select(repository) == git_selection(repository) == [b"a\nb", b"caf\xe9", b"d\xff/\xfe", "ü".encode()]


def test_empty_directories_are_not_listed(root: Path):
    (root / "empty").mkdir()

    assert select(root) == []


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_source_that_is_no_directory_is_an_error(name: str, root: Path, plant: Plant):
    plant(root, ["file"])

    with pytest.raises(SourceError, match=f"{name} is not a directory"):
        select(root / name)


@pytest.mark.parametrize("inner", [".git", ".git/refs"])
def test_a_source_inside_a_git_folder_is_an_error(inner: str, repository: Path, tmp_path: Path):
    (tmp_path / "short").symlink_to(repository / inner)

    for source in (repository / inner, tmp_path / "short"):
        with pytest.raises(SourceError, match=r"inside a \.git folder"):
            select(source)


def test_a_source_named_through_a_link_has_the_rules_of_the_real_place(repository: Path, tmp_path: Path, plant: Plant):
    plant(repository, {".gitignore": b"*.log\n", "src/a.log": b"", "src/b": b""})
    (tmp_path / "short").symlink_to(repository / "src")

    assert select(tmp_path / "short") == [b"b"]
