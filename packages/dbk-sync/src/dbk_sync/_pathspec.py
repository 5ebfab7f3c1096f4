"""Git's rules for users of `pathspec`: pattern classes on its `Pattern` interface, and `PathSpec`s made of them.

As usual with `pathspec` and ignore files, a path that *matches* is one that is left out. Importing this module imports
`pathspec` and registers `GitPattern` there as `dbk-git`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pathspec import PathSpec
from pathspec.pattern import Pattern
from pathspec.util import register_pattern

from dbk_sync._frame import Frame
from dbk_sync._rules import parse_rules
from dbk_sync._scan_options import ScanOptions
from dbk_sync._selection import Selection

NAME = "dbk-git"
"""The name of `GitPattern` in `pathspec`."""


class GitPattern(Pattern):
    """One line of an ignore file, with exactly git's meaning.

    It matches a path if the rule matches the path itself or a directory above it. A path that ends with `/` is a
    directory, any other is a file. Text is compared by its bytes (`os.fsencode`), as git does.

    Attributes:
        pattern: The line.
        include: True for a rule that ignores, False for one that starts with `!`, None for a line that is no rule.
    """

    __slots__ = ("_matcher", "_rule", "pattern")

    def __init__(self, pattern: str | bytes, *, fold: bool = False) -> None:
        """`fold` ignores ASCII case, like git's `core.ignoreCase`."""
        self._rule = next(parse_rules(os.fsencode(pattern)), None)
        self._matcher = None if self._rule is None else self._rule.matcher(fold=fold)
        self.pattern = pattern
        super().__init__(None if self._rule is None or self._matcher is None else not self._rule.negated)

    def match_file(self, file: str | bytes) -> Any:
        """The part of `file` (relative, with `/`) that the rule matches, as bytes; None if it matches none."""
        return next((part for part, is_dir in _parts(os.fsencode(file)) if self.matches(part, is_dir)), None)

    def matches(self, path: bytes, is_dir: bool) -> bool:
        """Whether the rule matches exactly `path`, without a look at the directories above it."""
        if self._rule is None or self._matcher is None or (self._rule.dir_only and not is_dir):
            return False
        return bool(self._matcher(path[path.rfind(b"/") + 1 :] if self._rule.anywhere else path))

    def __repr__(self) -> str:
        return f"GitPattern({self.pattern!r})"


# Generic in pathspec 1.x, not before: its parameter cannot be given at run time.
_PathSpec: Any = PathSpec


class GitSpec(_PathSpec):  # type: ignore[misc]  # see above
    """The lines of one ignore file, with exactly git's meaning: nothing below an excluded directory comes back.

    Example:
        >>> spec = GitSpec.from_lines(["build/*", "!build/keep"])
        >>> spec.match_file("build/out"), spec.match_file("build/keep")
        (True, False)
    """

    @classmethod
    def from_lines(cls, lines: Iterable[str | bytes], *, fold: bool = False) -> GitSpec:
        """The spec of `lines`; `fold` ignores ASCII case."""
        return cls([GitPattern(line, fold=fold) for line in lines])

    # What matches is decided by a backend since pathspec 1.0, and by `_match_file` before.
    @staticmethod
    def _make_backend(_name: str, patterns: Sequence[GitPattern]) -> _Backend:
        return _Backend(patterns)

    @staticmethod
    def _match_file(patterns: Iterable[tuple[int, GitPattern]], file: str) -> tuple[bool | None, int | None]:
        return _Backend([pattern for _, pattern in patterns]).match_file(file)


class SourcePattern(Pattern):
    """All rules that hold in a source directory, as one pattern; what it matches is not selected.

    It reads the ignore files of a directory when it is first asked about a path below it.
    """

    __slots__ = ("_frames", "_selection", "_start")

    def __init__(self, source: str | os.PathLike[str], options: ScanOptions | None = None) -> None:
        """Raises `SourceError` if `source` is not a directory, `RulesError` if its ignore files cannot be read."""
        options = options or ScanOptions()
        self._selection = Selection(source, options.exclude, use_gitignore=options.use_gitignore)
        self._start = self._selection.start()
        self._frames: dict[bytes, Frame] = {}
        super().__init__(True)

    def match_file(self, file: str | bytes) -> Any:
        """The part of `file` that is excluded, as bytes; None if it is selected.

        Raises:
            RulesError: An ignore file on the way cannot be read.
        """
        if self._start.ignored_by is not None:
            return os.fsencode(file)
        frame = self._start.frame
        for part, is_dir in _parts(os.fsencode(file)):
            prefix = part[: part.rfind(b"/") + 1]
            frame = self._entered(frame, prefix)
            if frame.excludes(part[len(prefix) :], prefix, is_dir):
                return part
        return None

    def _entered(self, frame: Frame, prefix: bytes) -> Frame:
        if prefix not in self._frames:
            narrowed = frame.enter(prefix) if prefix else frame
            self._frames[prefix] = self._selection.enter(narrowed, prefix, self._selection.marks(prefix))
            self._selection.check()
        return self._frames[prefix]


def source_spec(source: str | os.PathLike[str], options: ScanOptions | None = None) -> PathSpec[SourcePattern]:
    """A `PathSpec` that matches what a sync of `source` leaves out.

    Raises:
        SourceError: `source` is not a directory.
        RulesError: Its ignore files cannot be read.
    """
    return PathSpec([SourcePattern(source, options)])


class _Backend:
    def __init__(self, patterns: Sequence[GitPattern]) -> None:
        self._patterns = list(enumerate(patterns))[::-1]

    def match_file(self, file: str) -> tuple[bool | None, int | None]:
        """Whether the last pattern that matches is one that ignores, and its index; None twice if none matches."""
        verdict: tuple[bool | None, int | None] = (None, None)
        for part, is_dir in _parts(os.fsencode(file)):
            matching = ((p.include, index) for index, p in self._patterns if p.matches(part, is_dir))
            verdict = next(matching, (None, None))
            if verdict[0]:
                break
        return verdict


def _parts(path: bytes) -> Iterator[tuple[bytes, bool]]:
    """The directories above `path` from the top, and the path itself, each with whether it is a directory."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end], True
        end = path.find(b"/", end + 1)
    if not path.endswith(b"/"):
        yield path, False


register_pattern(NAME, GitPattern, override=True)
