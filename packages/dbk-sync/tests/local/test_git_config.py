"""Git's configuration files, judged by `git config`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync._git_config import read_git_config
from dbk_sync._git_syntax import parse_config
from dbk_sync._repository import find_repository
from dbk_sync.errors import RulesError

Plant = Callable[..., None]
Git = Callable[..., bytes]

TEXTS = [
    b"",
    b"[a]\nb = c\n",
    b"[A]\n\tB=c\n[a]\n b= d",
    b"[a]b=c\n",
    b'[a "Sub Section"]\nb = c\n',
    b'[a "q\\"uo\\\\te"]\nb = c\n',
    b"[a.Sub]\nb = c\n",
    b"[a]\nb\nc =\n",
    b"[a]\nb = one two  \n",
    b'[a]\nb = " spaces "  \n',
    b'[a]\nb = "a;b#c" ; comment\n',
    b"[a]\nb = c # comment\n",
    b"# comment\n; comment\n[a] # comment\nb = c\n",
    b'[a]\nb = x\\ny\\t\\"\\\\z\n',
    b"[a]\nb = one \\\n two\n",
    b"\xef\xbb\xbf[a]\nb = c\r\nd = e\r\n",
    b"[a]\n\n\nb-c = d\n[e-f]\ng = \xff\n",
    b"[a]\nb = c\\\n",
    b"b = no section\n[a]\nb = c\n",
]


@pytest.mark.parametrize("text", TEXTS, ids=[repr(text) for text in TEXTS])
def test_a_file_is_read_as_git_reads_it(text: bytes, tmp_path: Path, git: Git):
    (tmp_path / "config").write_bytes(text)

    listed = git(tmp_path, "config", "-z", "--file", "config", "--list").split(b"\0")[:-1]

    ours = [key if value is None else key + b"\n" + value for key, value in parse_config(text)]
    assert ours == listed


@pytest.mark.parametrize(
    "text",
    [b"[a\nb=c\n", b"[a]\n1b = c\n", b'[a]\nb = "c\n', b"[a]\nb = \\q\n", b"[a]\nb c\n", b"[a]\n=c\n"],
)
def test_a_line_that_git_refuses_is_named(text: bytes, tmp_path: Path, git: Git):
    (tmp_path / "config").write_bytes(text)
    git(tmp_path, "config", "--file", "config", "--list", accept=(128,))

    with pytest.raises(RulesError, match=r"there has a line that cannot be parsed: line [123]\."):
        list(parse_config(text, b"there"))


SETTINGS = {
    "home": {"home/.gitconfig": "[core]\nexcludesFile = ~/x\nignoreCase = yes\n"},
    "xdg": {"home/.config/git/config": "[core]\nexcludesFile = /abs\n"},
    "home over xdg": {
        "home/.config/git/config": "[core]\nexcludesFile = a\nignoreCase\n",
        "home/.gitconfig": "[core]\nexcludesFile = b\n",
    },
    "repository over home": {
        "home/.gitconfig": "[core]\nignoreCase = true\nexcludesFile = a\n",
        "root/.git/config": "[core]\nignoreCase = off\n",
    },
    "include": {
        "home/.gitconfig": "[include]\npath = more/config\n",
        "home/more/config": "[core]\nexcludesFile = y\n[include]\npath = ../last\n",
        "home/last": "[core]\nignoreCase = 1\n",
    },
    "include of a missing file": {"home/.gitconfig": "[include]\npath = nowhere\n[core]\nignoreCase = true\n"},
    "conditional include": {
        "home/.gitconfig": '[includeIf "gitdir:root/"]\npath = ~/a\n[includeIf "gitdir:other/"]\npath = ~/b\n',
        "home/a": "[core]\nignoreCase = true\n",
        "home/b": "[core]\nexcludesFile = wrong\n",
    },
    "conditional include by case": {
        "home/.gitconfig": '[includeIf "gitdir/i:ROOT/"]\npath = a\n[includeIf "gitdir:ROOT/"]\npath = b\n',
        "home/a": "[core]\nignoreCase = true\n",
        "home/b": "[core]\nexcludesFile = wrong\n",
    },
    "conditional include by branch": {
        "home/.gitconfig": '[includeIf "onbranch:feature/"]\npath = a\n[includeIf "onbranch:main"]\npath = b\n',
        "root/.git/HEAD": "ref: refs/heads/feature/x\n",
        "home/a": "[core]\nignoreCase = true\n",
        "home/b": "[core]\nexcludesFile = wrong\n",
    },
    "conditional include by absolute path": {
        "home/.gitconfig": '[includeIf "gitdir:TMP/root/"]\npath = a\n[includeIf "gitdir:TMP/other/"]\npath = b\n',
        "home/a": "[core]\nignoreCase = true\n",
        "home/b": "[core]\nexcludesFile = wrong\n",
    },
    "conditional include beside the file": {
        "home/.gitconfig": "[include]\npath = ../config\n",
        "config": '[includeIf "gitdir:./root/"]\npath = a\n[includeIf "gitdir:./home/"]\npath = b\n',
        "a": "[core]\nignoreCase = true\n",
        "b": "[core]\nexcludesFile = wrong\n",
    },
    "condition that is not known": {"home/.gitconfig": '[includeIf "moon:full"]\npath = a\n', "home/a": "[x"},
    "worktree configuration": {
        "root/.git/config": "[extensions]\nworktreeConfig = true\n[core]\nrepositoryformatversion = 0\n",
        "root/.git/config.worktree": "[core]\nignoreCase = true\n",
    },
    "worktree configuration that is off": {"root/.git/config.worktree": "[core]\nignoreCase = true\n"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_have_the_place_and_value_that_git_finds(
    name: str, repository: Path, tmp_path: Path, plant: Plant, git: Git
):
    plant(tmp_path, {path: text.replace("TMP", str(tmp_path)) for path, text in SETTINGS[name].items()})

    config = read_git_config(find_repository(bytes(repository)))

    ignore_case = git(repository, "config", "--type=bool", "--default=false", "core.ignoreCase").strip()
    excludes_file = git(repository, "config", "--type=path", "core.excludesFile", accept=(0, 1)).strip()
    default = bytes(tmp_path / "home/.config/git/ignore")
    assert str(config.ignore_case).lower().encode() == ignore_case
    assert config.excludes_file == (bytes(repository / excludes_file.decode()) if excludes_file else default)


def test_the_environment_has_the_last_word(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch):
    git(repository, "config", "core.ignoreCase", "true")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "CORE.ignorecase")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "false")

    assert not read_git_config(find_repository(bytes(repository))).ignore_case


def test_the_global_and_system_files_can_be_named(
    root: Path, tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(tmp_path, {"home/.gitconfig": "[core]\nexcludesFile = /no\n", "g": "[core]\nexcludesFile = /yes\n"})
    plant(tmp_path, {"s": "[core]\nexcludesFile = /no\nignoreCase = true\n"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "g"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "s"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "false")

    config = read_git_config(None)

    assert config.excludes_file == b"/yes"
    assert config.ignore_case


def test_a_configuration_that_includes_itself_ends(home: Path, plant: Plant):
    plant(home, {".gitconfig": "[include]\npath = .gitconfig\n[core]\nignoreCase = true\n"})

    assert read_git_config(None).ignore_case


def test_a_configuration_that_cannot_be_read_is_named(home: Path):
    (home / ".gitconfig").mkdir()

    with pytest.raises(RulesError, match=r"\.gitconfig cannot be read") as caught:
        read_git_config(None)

    assert caught.value.paths == (bytes(home / ".gitconfig"),)


def test_a_detached_head_is_on_no_branch(repository: Path, home: Path, plant: Plant):
    plant(home, {".gitconfig": '[includeIf "onbranch:**"]\npath = a\n', "a": "[core]\nignoreCase = true\n"})
    (repository / ".git/HEAD").write_text("a" * 40 + "\n")

    assert not read_git_config(find_repository(bytes(repository))).ignore_case
