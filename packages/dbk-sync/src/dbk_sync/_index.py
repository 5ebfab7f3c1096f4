"""What several rule sets together can say about a name, so that most names need no closer look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from dbk_sync._ruleset import Claim, RuleSet
from dbk_sync._wildmatch import Glob

HARD_NAMES: Final = frozenset((b".git", b".databricks"))
"""Names that are never selected, whatever the rules say, at any depth and of any type."""


class Index(NamedTuple):
    """Quick answers for rule sets, highest rank first, without their rules for paths.

    A name that is neither in `names`, nor ends with one of `suffixes`, nor matches `glob` is matched by no rule. One
    that is in `sure_names` or ends with one of `sure_suffixes` is excluded, of whatever type, and so is a directory
    that is in `sure_directories`: no rule ranking above the one that excludes it could match it too.
    """

    names: frozenset[bytes]
    suffixes: tuple[bytes, ...]
    glob: Glob | None
    sure_names: frozenset[bytes]
    sure_suffixes: tuple[bytes, ...]
    sure_directories: frozenset[bytes]


@lru_cache(maxsize=1024)
def index_of(sets: tuple[RuleSet, ...]) -> Index:
    """The index of `sets`."""
    names = HARD_NAMES.union(*(rules.directory_names for rules in sets))
    suffixes = tuple({suffix for rules in sets for suffix in rules.all_suffixes})
    globs = [match for rules in sets for _, match, _ in rules.globs]
    return Index(names, suffixes, _either(globs), *_sure(sets))


def _sure(sets: Sequence[RuleSet]) -> tuple[frozenset[bytes], tuple[bytes, ...], frozenset[bytes]]:
    names, suffixes, directories = set(HARD_NAMES), set[bytes](), set[bytes]()
    taken_back = _TakenBack()
    for rules in sets:
        for rule, claim in zip(reversed(rules.rules), reversed(rules.claims), strict=True):
            if rule.negated:
                taken_back.add(claim)
            elif rule.anywhere and claim.name is not None:
                if not taken_back.name(claim.name):
                    (directories if rule.dir_only else names).add(claim.name)
            elif rule.anywhere and not rule.dir_only and claim.suffixes != (b"",):
                suffixes.update(suffix for suffix in claim.suffixes if not taken_back.suffix(suffix))
    return frozenset(names), tuple(suffixes), frozenset(directories)


class _TakenBack:
    """What negated rules may match."""

    def __init__(self) -> None:
        self.names: set[bytes] = set()
        self.suffixes: set[bytes] = set()

    def add(self, claim: Claim) -> None:
        """Takes note of a negated rule."""
        if claim.name is not None:
            self.names.add(claim.name)
        self.suffixes.update(claim.suffixes)

    def name(self, name: bytes) -> bool:
        """Whether they may match `name`."""
        return name in self.names or name.endswith(tuple(self.suffixes))

    def suffix(self, suffix: bytes) -> bool:
        """Whether they may match a name that ends with `suffix`."""
        return any(name.endswith(suffix) for name in self.names) or any(
            other.endswith(suffix) or suffix.endswith(other) for other in self.suffixes
        )


def _either(globs: list[Glob]) -> Glob | None:
    if len(globs) < 2:
        return globs[0] if globs else None
    return lambda name: any(match(name) for match in globs)
