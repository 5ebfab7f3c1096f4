"""Why a path is selected or not: the rule that decides, with its file and line."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from dbk_sync._frame import Frame, Verdict
from dbk_sync._index import HARD_NAMES
from dbk_sync._scan_options import ScanOptions
from dbk_sync._selection import Selection

ALWAYS: Final = "always"
"""The source of the rule that leaves `.git` and `.databricks` out."""

LINKS: Final = "links"
"""The source where a link cannot be sent; the pattern says why then."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a path is selected, and what decides it.

    Attributes:
        path: The path, below the source.
        included: Whether it is selected (for a directory: whether it is entered).
        source: The ignore file of the deciding rule (below the source or the root of its repository, or absolute),
            `exclude` for the option, `always` for `.git` and `.databricks`, `links` (of the command line alone) for
            a link that cannot be sent; empty when no rule matches.
        line: Line in that file, or position in the option, from 1; None when no line decides.
        pattern: The rule as it is written; empty when no rule matches.
        decided_path: The part of `path` the rule is about: `path` itself, or a directory above it that is excluded.
    """

    path: bytes
    included: bool
    source: str = ""
    line: int | None = None
    pattern: str = ""
    decided_path: bytes = b""

    def __str__(self) -> str:
        state = "included" if self.included else "excluded"
        if not self.source:
            return f"{os.fsdecode(self.path)}: {state} (no rule matches)"
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{os.fsdecode(self.path)}: {state} by {place}: {self.pattern}"


def explain(source: str | os.PathLike[str], path: bytes, options: ScanOptions | None = None) -> Decision:
    """Why `path` (below `source`, with `/`) is selected or not, as `git check-ignore -v` would say.

    A path that does not exist is taken for a file, or for a directory when it ends with `/`.

    Raises:
        SourceError: `source` is not a directory.
        RulesError: An ignore file on the way cannot be read.
    """
    options = options or ScanOptions()
    selection = options.selection(source)
    start = selection.start()
    if start.ignored_by is not None:
        selection.check()
        return _decision(path, start.ignored_by, start.ignored_path)
    decision = _walk_down(selection, start.frame, path)
    selection.check()
    return decision


def _walk_down(selection: Selection, frame: Frame, path: bytes) -> Decision:
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    prefix = b""
    verdict: Verdict | None = None
    for depth, name in enumerate(parts, 1):
        frame = selection.enter(frame.enter(prefix) if prefix else frame, prefix, selection.marks(prefix))
        is_dir = depth < len(parts) or path.endswith(b"/") or _is_directory(selection, prefix + name)
        if (name.lower() if frame.fold else name) in HARD_NAMES:
            return Decision(path, False, ALWAYS, None, os.fsdecode(name), prefix + name)
        verdict = frame.verdict(name, prefix, is_dir)
        if verdict is not None and not verdict.rule.negated:
            return _decision(path, verdict, prefix + name)
        prefix += name + b"/"
    return Decision(path, True) if verdict is None else _decision(path, verdict, prefix[:-1])


def _is_directory(selection: Selection, path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(selection.source, path)).st_mode)
    except OSError:
        return False


def _decision(path: bytes, verdict: Verdict, decided_path: bytes) -> Decision:
    rule = verdict.rule
    return Decision(
        path=path,
        included=rule.negated,
        source=os.fsdecode(verdict.placed.origin),
        line=rule.line,
        pattern=os.fsdecode(rule.text),
        decided_path=decided_path,
    )
