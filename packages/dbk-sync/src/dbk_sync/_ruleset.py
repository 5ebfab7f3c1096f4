"""The rules of one file, indexed so that most names are decided by a set look-up.

`Rule.matcher` alone would do; the index gives the same answers without trying every rule on every name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from dbk_sync._rules import Rule, literal_length, parse_rule, parse_rules
from dbk_sync._wildmatch import Glob, bracket_members

_NO_DEPTH_LIMIT: Final = -1
_MOST_SUFFIXES: Final = 16


@dataclass(frozen=True, slots=True)
class PathRule:
    """A rule with a `/` inside, which is compared with paths below its directory.

    Attributes:
        index: Its place in `RuleSet.rules`.
        match: Tells whether such a path matches.
        dir_only: Whether it matches directories only.
        head: The literal start of what it matches.
        is_literal: Whether `head` is all it matches.
        depth: Number of `/` in what it matches, -1 when that is open.
        name: The last component of what it matches, or None if that has wildcards.
        suffixes: What the last component must end with; `(b"",)` when nothing is known, `()` when `name` tells it.
    """

    index: int
    match: Glob
    dir_only: bool
    head: bytes
    is_literal: bool
    depth: int
    name: bytes | None
    suffixes: tuple[bytes, ...]

    def reaches(self, directory: bytes) -> bool:
        """Whether it may match anything below `directory` (empty, or ended by `/`), at whatever depth."""
        if self.depth != _NO_DEPTH_LIMIT and directory.count(b"/") > self.depth:
            return False
        return self.head.startswith(directory) or (not self.is_literal and directory.startswith(self.head))

    def reaches_child(self, directory: bytes) -> bool:
        """Whether it may match a direct child of `directory`, given that it reaches the directory."""
        return self.depth in (_NO_DEPTH_LIMIT, directory.count(b"/"))


class Claim(NamedTuple):
    """What the last component of a match can be: a name, or anything that ends with a suffix (`b""`: anything)."""

    name: bytes | None
    suffixes: tuple[bytes, ...]


class RuleSet:
    """The rules of one ignore file or option, in order; the last one that matches decides.

    Attributes:
        rules: All rules.
        fold: Whether ASCII case is ignored; names and paths are then given in lower case, too.
        names: Index of the last rule for a literal name, of any type of file.
        directory_names: The same for directories.
        suffixes: `(index, suffixes, dir_only)` of the rules that are `*` and literal bytes, last first.
        globs: `(index, matcher, dir_only)` of the other rules for names, last first.
        paths: The rules for paths, last first.
        claims: For each rule, what the last component of its matches is or must end with.
        all_suffixes: All suffixes of `suffixes`.
    """

    __slots__ = ("all_suffixes", "claims", "directory_names", "fold", "globs", "names", "paths", "rules", "suffixes")

    def __init__(self, rules: tuple[Rule, ...], *, fold: bool) -> None:
        self.rules = rules
        self.fold = fold
        self.names: dict[bytes, int] = {}
        self.directory_names: dict[bytes, int] = {}
        self.suffixes: list[tuple[int, tuple[bytes, ...], bool]] = []
        self.globs: list[tuple[int, Glob, bool]] = []
        self.paths: list[PathRule] = []
        self.claims: list[Claim] = []
        for index, rule in enumerate(rules):
            self.claims.append(self._add(index, rule))
        for ordered in (self.suffixes, self.globs, self.paths):
            ordered.reverse()
        self.all_suffixes = tuple(suffix for _, suffixes, _ in self.suffixes for suffix in suffixes)

    def last_by_name(self, name: bytes, raw_name: bytes, is_dir: bool) -> int:
        """Index of the last rule for names that matches, or -1.

        `name` is `raw_name`, in lower case if `fold`: brackets and escapes do not fold, so globs see the name as it is.
        """
        last = (self.directory_names if is_dir else self.names).get(name, -1)
        if name.endswith(self.all_suffixes):
            for index, suffixes, dir_only in self.suffixes:
                if index <= last:
                    break
                if (is_dir or not dir_only) and name.endswith(suffixes):
                    last = index
                    break
        for index, match, dir_only in self.globs:
            if index <= last:
                break
            if (is_dir or not dir_only) and match(raw_name):
                return index
        return last

    def _add(self, index: int, rule: Rule) -> Claim:
        matcher = rule.matcher(fold=self.fold)
        if matcher is None:
            return Claim(None, ())
        if not rule.anywhere:
            path_rule = self._path_rule(index, rule, matcher)
            self.paths.append(path_rule)
            return Claim(path_rule.name, path_rule.suffixes)
        if rule.is_literal:
            name = self._folded(rule.pattern)
            self.directory_names[name] = index
            if not rule.dir_only:
                self.names[name] = index
            return Claim(name, ())
        suffixes = _suffixes(rule.pattern, self.fold)
        if suffixes:
            self.suffixes.append((index, suffixes, rule.dir_only))
        else:
            self.globs.append((index, matcher, rule.dir_only))
        return Claim(None, suffixes or (b"",))

    def _path_rule(self, index: int, rule: Rule, matcher: Glob) -> PathRule:
        pattern = self._folded(rule.anchored)
        head = pattern[: literal_length(pattern)]
        # A `/` in a bracket or behind a backslash is no separator, so such patterns are not taken apart.
        plain = b"[" not in pattern and b"\\" not in pattern
        depth = pattern.count(b"/") if plain and b"**" not in pattern else _NO_DEPTH_LIMIT
        last = pattern.rpartition(b"/")[2] if plain else b"*"
        name = last if literal_length(last) == len(last) else None
        suffixes = () if name is not None else _suffixes(last, self.fold) or (b"",)
        return PathRule(index, matcher, rule.dir_only, head, rule.is_literal, depth, name, suffixes)

    def _folded(self, text: bytes) -> bytes:
        return text.lower() if self.fold else text


@lru_cache(maxsize=1024)
def ruleset_of_file(content: bytes, fold: bool) -> RuleSet:
    """The rules in the text of an ignore file."""
    return RuleSet(tuple(parse_rules(content)), fold=fold)


@lru_cache(maxsize=64)
def ruleset_of_patterns(patterns: tuple[bytes, ...], fold: bool) -> RuleSet:
    """The rules given one by one, each taken as it stands (git: `ls-files -x`)."""
    return RuleSet(tuple(parse_rule(pattern, line) for line, pattern in enumerate(patterns, 1)), fold=fold)


def _suffixes(pattern: bytes, fold: bool) -> tuple[bytes, ...]:
    """What must end a name that matches `*literal` or `*literal[few]literal`; empty for other patterns."""
    if pattern[:1] != b"*":
        return ()
    before = pattern[1 : 1 + literal_length(pattern[1:])]
    rest = pattern[1 + len(before) :]
    choices = [b""]
    if rest[:1] == b"[":
        members, rest = bracket_members(rest, fold)
        choices = [bytes((byte,)) for byte in sorted(members)]
    if len(choices) > _MOST_SUFFIXES or literal_length(rest) != len(rest):
        return ()
    suffixes = {before + choice + rest for choice in choices}
    return tuple({suffix.lower() for suffix in suffixes} if fold else suffixes)
