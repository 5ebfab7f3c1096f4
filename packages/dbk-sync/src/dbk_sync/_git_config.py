"""The two settings of git that change which files are ignored, read from git's own files, without git.

Syntax and precedence are those of `git-config(1)`: system, global (XDG, then home), repository, worktree, environment.
`include.path` and the `gitdir`, `gitdir/i` and `onbranch` conditions of `includeIf` are followed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from dbk_sync._git_syntax import Pairs, parse_config
from dbk_sync._repository import Repository
from dbk_sync._wildmatch import compile_glob
from dbk_sync.errors import RulesError

_DEEPEST_INCLUDE: Final = 10
_TRUE: Final = (b"true", b"yes", b"on")


@dataclass(frozen=True, slots=True)
class GitConfig:
    """`core.excludesFile` (None when it is set to nothing) and `core.ignoreCase`."""

    excludes_file: bytes | None
    ignore_case: bool


def read_git_config(repository: Repository | None, environ: Mapping[str, str] = os.environ) -> GitConfig:
    """What git's configuration says in `repository`, or outside of any.

    Raises:
        RulesError: A configuration file cannot be read or parsed; git would not go on either.
    """
    values = dict(_all_pairs(repository, environ))
    name = values.get(b"core.excludesfile")
    if name is None:
        excludes_file: bytes | None = os.fsencode(os.path.join(_xdg(environ), "git", "ignore"))
    else:
        root = repository.root if repository else os.fsencode(os.getcwd())
        excludes_file = os.path.join(root, _expanded(name, environ)) if name else None
    return GitConfig(excludes_file, _truth(b"core.ignorecase", values))


def _all_pairs(repository: Repository | None, environ: Mapping[str, str]) -> Pairs:
    for path in _files(environ):
        # As in git, the user's files count if they may be read: in a container, HOME is often somebody else's.
        with contextlib.suppress(PermissionError):
            yield from _file_pairs(path, repository, environ)
    if repository is not None:
        yield from _repository_pairs(repository, environ)
    count = environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() else 0):
        key = os.fsencode(environ.get(f"GIT_CONFIG_KEY_{number}", ""))
        yield _normal_key(key), os.fsencode(environ.get(f"GIT_CONFIG_VALUE_{number}", ""))


def _repository_pairs(repository: Repository, environ: Mapping[str, str]) -> Pairs:
    path = os.path.join(repository.common_dir, b"config")
    try:
        local = dict(_file_pairs(path, repository, environ))
        yield from local.items()
        if _truth(b"extensions.worktreeconfig", local):
            path = os.path.join(repository.git_dir, b"config.worktree")
            yield from _file_pairs(path, repository, environ)
    except PermissionError as error:
        raise _unreadable(path, error) from error


def _files(environ: Mapping[str, str]) -> Iterator[bytes]:
    if environ.get("GIT_CONFIG_NOSYSTEM", "0").lower() not in ("1", "true", "yes", "on"):
        yield os.fsencode(environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig"))
    if "GIT_CONFIG_GLOBAL" in environ:
        yield os.fsencode(environ["GIT_CONFIG_GLOBAL"])
        return
    yield os.fsencode(os.path.join(_xdg(environ), "git", "config"))
    yield os.fsencode(os.path.join(_home(environ), ".gitconfig"))


def _file_pairs(path: bytes, repository: Repository | None, environ: Mapping[str, str], depth: int = 0) -> Pairs:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    for key, value in parse_config(content, path):
        yield key, value
        if value and depth < _DEEPEST_INCLUDE and _includes(key, path, repository, environ):
            included = os.path.join(os.path.dirname(path), _expanded(value, environ))
            yield from _file_pairs(included, repository, environ, depth + 1)


def _unreadable(path: bytes, error: OSError) -> RulesError:
    message = f"git's configuration file {os.fsdecode(path)} cannot be read: {error.strerror}."
    return RulesError(message, "Make it readable; git needs it too.", paths=(path,))


def _includes(key: bytes, path: bytes, repository: Repository | None, environ: Mapping[str, str]) -> bool:
    if key == b"include.path":
        return True
    if repository is None or not key.startswith(b"includeif.") or not key.endswith(b".path"):
        return False
    kind, _, pattern = key[len(b"includeif.") : -len(b".path")].partition(b":")
    if kind == b"onbranch":
        branch = _branch(repository)
        return branch is not None and _matches(_whole_tree(pattern), branch, fold=False)
    if kind not in (b"gitdir", b"gitdir/i"):
        return False
    pattern = _gitdir_pattern(pattern, path, environ)
    candidates = {repository.git_dir, os.path.realpath(repository.git_dir)}
    return any(_matches(pattern, candidate, fold=kind == b"gitdir/i") for candidate in candidates)


def _gitdir_pattern(pattern: bytes, path: bytes, environ: Mapping[str, str]) -> bytes:
    pattern = _expanded(pattern, environ)
    if pattern.startswith(b"./"):
        pattern = os.path.join(os.path.dirname(os.path.realpath(path)), pattern[2:])
    elif not pattern.startswith(b"/"):
        pattern = b"**/" + pattern
    return _whole_tree(pattern)


def _whole_tree(pattern: bytes) -> bytes:
    return pattern + b"**" if pattern.endswith(b"/") else pattern


def _matches(pattern: bytes, text: bytes, *, fold: bool) -> bool:
    match = compile_glob(pattern, fold=fold)
    return match is not None and bool(match(text))


def _branch(repository: Repository) -> bytes | None:
    try:
        with open(os.path.join(repository.git_dir, b"HEAD"), "rb") as file:
            head = file.read().strip()
    except OSError:
        return None
    prefix = b"ref: refs/heads/"
    return head[len(prefix) :] if head.startswith(prefix) else None


def _normal_key(key: bytes) -> bytes:
    section, _, rest = key.partition(b".")
    subsection, dot, name = rest.rpartition(b".")
    return section.lower() + b"." + subsection + dot + name.lower()


def _truth(key: bytes, values: Mapping[bytes, bytes | None]) -> bool:
    value = values.get(key, b"false")
    if value is None or value.lower() in _TRUE:
        return True
    return value.isdigit() and int(value) != 0


def _expanded(path: bytes, environ: Mapping[str, str]) -> bytes:
    if path == b"~" or path.startswith(b"~/"):
        return os.fsencode(_home(environ)) + path[1:]
    return os.path.expanduser(path)


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def _xdg(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_CONFIG_HOME") or os.path.join(_home(environ), ".config")
