"""Which rules hold in one directory, and what they say about its children."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from dbk_sync._index import HARD_NAMES, index_of
from dbk_sync._rules import Rule
from dbk_sync._ruleset import PathRule, RuleSet


class Placed(NamedTuple):
    """A rule set at its place.

    A path `p` below the source is `lead + p[skip:]` below the directory the rules are for.
    """

    rules: RuleSet
    origin: bytes
    """The file as a person knows it."""
    lead: bytes = b""
    skip: int = 0
    is_option: bool = False
    """Whether it was given as an option: such rules have no place, and rank above all others."""


class Verdict(NamedTuple):
    """The rule that decides about a path."""

    placed: Placed
    rule: Rule


class Frame:
    """The rules for the children of one directory, highest rank first.

    Most names are settled without asking `verdict`, by `names`, `suffixes`, `glob` and what is sure: see `Index`. Where
    `fold` is set, names and suffixes are compared with the name in lower case, and `glob` with the name as it is.
    """

    __slots__ = (
        "_alive",
        "_chain",
        "_plain",
        "fold",
        "glob",
        "names",
        "suffixes",
        "sure_directories",
        "sure_names",
        "sure_suffixes",
    )

    def __init__(self, chain: Sequence[Placed], directory: bytes = b"", *, fold: bool = False) -> None:
        self._chain = tuple(chain)
        self.fold = fold
        self._plain: Frame = self
        self._alive: tuple[tuple[PathRule, ...], ...] = ((),) * len(self._chain)
        index = index_of(tuple(placed.rules for placed in self._chain))
        self.names, self.suffixes, self.glob = index.names, index.suffixes, index.glob
        self.sure_names, self.sure_suffixes = index.sure_names, index.sure_suffixes
        self.sure_directories = index.sure_directories
        alive = tuple(tuple(placed.rules.paths) for placed in self._chain)
        if any(alive):
            self._plain = Frame._bare(self)
            self._narrow(alive, directory)

    @property
    def chain(self) -> tuple[Placed, ...]:
        """All rules, highest rank first."""
        return self._chain

    def enter(self, directory: bytes) -> Frame:
        """The frame of `directory` (below the source, ended by `/`), a child of this frame's directory."""
        if self._plain is self:
            return self
        frame = Frame._bare(self._plain)
        frame._plain = self._plain
        frame._narrow(self._alive, directory)
        return frame if any(frame._alive) else self._plain

    def push(self, placed: Placed, directory: bytes) -> Frame:
        """This frame with more rules, which rank above all but those of the options."""
        first = sum(1 for known in self._chain if known.is_option)
        return Frame((*self._chain[:first], placed, *self._chain[first:]), directory, fold=self.fold)

    def verdict(self, name: bytes, prefix: bytes, is_dir: bool) -> Verdict | None:
        """The rule that decides about the child `name` of the directory `prefix`; None when no rule matches it."""
        folded = name.lower() if self.fold else name
        for placed, alive in zip(self._chain, self._alive, strict=True):
            last = placed.rules.last_by_name(folded, name, is_dir)
            for rule in alive:
                if rule.index <= last:
                    break
                if (is_dir or not rule.dir_only) and rule.match(placed.lead + (prefix + name)[placed.skip :]):
                    last = rule.index
                    break
            if last >= 0:
                return Verdict(placed, placed.rules.rules[last])
        return None

    def excludes(self, name: bytes, prefix: bytes, is_dir: bool) -> bool:
        """Whether the child `name` of the directory `prefix` is left out."""
        if (name.lower() if self.fold else name) in HARD_NAMES:
            return True
        verdict = self.verdict(name, prefix, is_dir)
        return verdict is not None and not verdict.rule.negated

    @staticmethod
    def _bare(other: Frame) -> Frame:
        """A copy of `other` without its rules for paths."""
        frame = Frame.__new__(Frame)
        for slot in Frame.__slots__:
            setattr(frame, slot, getattr(other, slot))
        frame._alive = ((),) * len(frame._chain)
        frame._plain = frame
        return frame

    def _narrow(self, alive: Iterable[Iterable[PathRule]], directory: bytes) -> None:
        """Keeps the rules for paths that reach `directory`, and takes note of the names they may match here."""
        kept: list[tuple[PathRule, ...]] = []
        names: list[bytes] = []
        suffixes: list[bytes] = []
        for placed, rules in zip(self._chain, alive, strict=True):
            below = placed.lead + directory[placed.skip :]
            below = below.lower() if self.fold else below
            reaching = tuple([rule for rule in rules if rule.reaches(below)])
            kept.append(reaching)
            for rule in reaching:
                if rule.reaches_child(below):
                    names.extend(() if rule.name is None else (rule.name,))
                    suffixes.extend(rule.suffixes)
        self._alive = tuple(kept)
        self.names = self._plain.names.union(names)
        self.suffixes = (*self._plain.suffixes, *suffixes)


OPTIONS: Final = b"exclude"
"""The origin of the rules of the option `exclude`."""
