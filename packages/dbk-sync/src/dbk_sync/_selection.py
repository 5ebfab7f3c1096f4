"""Which ignore files hold where: builds the frames of a walk over a source, and nothing else.

Rank, from the top, as in git: the `exclude` option, files of rules that are options, the deepest `.gitignore` up to
that of the repository's root, `info/exclude`, `core.excludesFile`. Inside a nested repository only its own rules hold,
and the options. Without a repository the source is treated like the root of one.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from dbk_sync._frame import OPTIONS, Frame, Placed, Verdict
from dbk_sync._git_config import read_git_config
from dbk_sync._repository import Repository, find_repository, repository_at
from dbk_sync._rule_file import RuleFile
from dbk_sync._ruleset import ruleset_of_file, ruleset_of_patterns
from dbk_sync.errors import RulesError, SourceError

GITIGNORE: Final = b".gitignore"
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Start(NamedTuple):
    """The frame a walk starts with, or the verdict that leaves the whole source out, with the path it is about."""

    frame: Frame
    ignored_by: Verdict | None = None
    ignored_path: bytes = b""


class Selection:
    """The ignore rules of one source.

    Attributes:
        source: The source directory, absolute and without links.
        unreadable: `(path, reason)` of every ignore file met so far that could not be read; see `check`.
        gits: The directories below the source met so far that have something named `.git`.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        exclude: Sequence[str] = (),
        rule_files: Sequence[RuleFile] = (),
        *,
        use_gitignore: bool = True,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Raises `SourceError` if `source` is not a directory, or one of git's own."""
        self.source = os.path.realpath(os.fsencode(source))
        if not os.path.isdir(self.source):
            raise SourceError(
                f"The source {os.fspath(source)} is not a directory.", "Set `source` to a folder that exists."
            )
        if b".git" in self.source.split(os.fsencode(os.sep)):
            raise SourceError(
                f"The source {os.fspath(source)} is inside a .git folder, and those are never sent.",
                "Choose the folder of the project.",
            )
        self.unreadable: list[tuple[bytes, str]] = []
        self.gits: set[bytes] = set()
        self._patterns = tuple(os.fsencode(pattern) for pattern in exclude)
        self._rule_files = tuple(rule_files)
        self._use_gitignore = use_gitignore
        self._environ = environ

    def start(self) -> Start:
        """The frame of the source itself, before its own `.gitignore` is read (see `enter`)."""
        if not self._use_gitignore:
            return Start(self._frame((), fold=False))
        repository = find_repository(self.source, self._environ)
        shared, fold = self._shared(repository)
        if repository is None or repository.root == self.source:
            return Start(self._frame(shared, fold=fold))
        below = os.path.relpath(self.source, repository.root).split(os.fsencode(os.sep))
        return self._from_above(repository, below, shared, fold)

    def enter(self, frame: Frame, prefix: bytes, names: Sequence[bytes]) -> Frame:
        """The frame for the children of the directory `prefix` (empty for the source, else ended by `/`).

        `frame` is that of its parent, narrowed to it; `names` are those of all its children, or the `marks` among them.
        """
        if not self._use_gitignore:
            return frame
        if prefix and b".git" in names:
            self.gits.add(prefix)
            repository = repository_at(os.path.join(self.source, prefix[:-1]))
            if repository is not None:
                shared, fold = self._shared(repository)
                frame = self._frame([rules._replace(skip=len(prefix)) for rules in shared], prefix, fold=fold)
        if GITIGNORE in names:
            content = self._read(os.path.join(self.source, prefix + GITIGNORE), follow=False)
            if content:
                frame = frame.push(_placed(content, prefix + GITIGNORE, frame.fold, skip=len(prefix)), prefix)
        return frame

    def ground(self, gits: Iterable[bytes]) -> object:
        """All that decides from outside of the directories a walk lists; `gits` are those of an earlier walk.

        Two of them are equal when nothing of it has changed in between. What is in an ignore file makes one object for
        as long as it stays the same, see `ruleset_of_file`.
        """
        start = self.start()
        repositories = [repository_at(os.path.join(self.source, prefix[:-1])) for prefix in gits]
        nested = [None if one is None else (one, self._shared(one)) for one in repositories if self._use_gitignore]
        above = (self.source, start.frame.chain, start.frame.fold, start.ignored_by, start.ignored_path)
        return above, nested, tuple(self.unreadable)

    def marks(self, prefix: bytes) -> list[bytes]:
        """Those names in the directory `prefix` that `enter` wants to know."""
        folder = os.path.join(self.source, prefix)
        return [name for name in (b".git", GITIGNORE) if os.path.lexists(os.path.join(folder, name))]

    def check(self) -> None:
        """Raises `RulesError` naming every ignore file that could not be read, if there is one."""
        if self.unreadable:
            listed = "\n".join(f"  {os.fsdecode(path)}: {reason}" for path, reason in self.unreadable)
            raise RulesError(
                f"Ignore files that cannot be read:\n{listed}",
                "Make them readable, or set use_gitignore = false.",
                paths=tuple(path for path, _ in self.unreadable),
            )

    def _from_above(self, repository: Repository, below: list[bytes], shared: list[Placed], fold: bool) -> Start:
        """The start for a source below the root of its repository: rules from every directory in between."""
        found = list(shared)
        ignored: Start | None = None
        for depth in range(len(below)):
            prefix = b"".join([part + b"/" for part in below[:depth]])
            content = self._read(os.path.join(repository.root, prefix + GITIGNORE), follow=False)
            if content:
                found.insert(0, _placed(content, prefix + GITIGNORE, fold, skip=len(prefix)))
            verdict = Frame(found, prefix, fold=fold).verdict(below[depth], prefix, True)
            if ignored is None and verdict is not None and not verdict.rule.negated:
                ignored = Start(Frame(()), verdict, prefix + below[depth])
        if ignored is not None:
            return ignored
        lead = b"/".join(below) + b"/"
        return Start(self._frame([rules._replace(lead=lead[rules.skip :], skip=0) for rules in found], fold=fold))

    def _frame(self, below: Sequence[Placed], prefix: bytes = b"", *, fold: bool) -> Frame:
        options = Placed(ruleset_of_patterns(self._patterns, fold), OPTIONS, is_option=True)
        files = [_placed(one.content, os.fsencode(one.name), fold)._replace(is_option=True) for one in self._rule_files]
        return Frame((options, *files, *below), prefix, fold=fold)

    def _shared(self, repository: Repository | None) -> tuple[list[Placed], bool]:
        """The rules that hold in a whole repository, highest rank first, and whether its case is ignored."""
        config = read_git_config(repository, self._environ)
        contents: list[tuple[bytes, bytes | None]] = []
        if repository is not None:
            path = os.path.join(repository.common_dir, b"info", b"exclude")
            contents.append((path, self._read(path, follow=True)))
        if config.excludes_file is not None:
            contents.append((config.excludes_file, _read_own(config.excludes_file)))
        return [_placed(text, path, config.ignore_case) for path, text in contents if text], config.ignore_case

    def _read(self, path: bytes, *, follow: bool) -> bytes | None:
        """The content of an ignore file; None where git would see none (missing, not a file, a link in the tree)."""
        try:
            return _read_regular(path, _OPEN_FLAGS if follow else _OPEN_FLAGS | _NO_FOLLOW)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO):
                self.unreadable.append((path, error.strerror or str(error)))
            return None


def _read_own(path: bytes) -> bytes | None:
    """The user's own ignore file; none when it cannot be read, as for git: HOME may be somebody else's."""
    try:
        return _read_regular(path, _OPEN_FLAGS)
    except OSError:
        return None


def _read_regular(path: bytes, flags: int) -> bytes | None:
    """The content of a regular file; None for anything else."""
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        return _read_all(descriptor, status.st_size) if stat.S_ISREG(status.st_mode) else None
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size_bytes: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, max(size_bytes + 1, 4096)):
        pieces.append(piece)
    return b"".join(pieces)


def _placed(content: bytes, origin: bytes, fold: bool, *, skip: int = 0) -> Placed:
    return Placed(ruleset_of_file(content, fold), origin, b"", skip)
