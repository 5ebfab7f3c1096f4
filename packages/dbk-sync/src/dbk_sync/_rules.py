"""The rules of one ignore file: how its text is read, and which paths each rule matches (git: `dir.c`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dbk_sync._wildmatch import SPECIAL, Glob, compile_glob

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern, split as git splits it.

    Attributes:
        line: Line in its file, from 1; for patterns given one by one, the position, from 1.
        pattern: The pattern without a leading `!` and one trailing `/`.
        negated: Whether it re-includes what it matches.
        dir_only: Whether it matches directories only (not links to them).
        anywhere: Whether it is compared with the last component alone, because it has no `/` but a trailing one.
        literal_bytes: Length of the part of `pattern` before the first wildcard.
    """

    line: int
    pattern: bytes
    negated: bool
    dir_only: bool
    anywhere: bool
    literal_bytes: int

    @property
    def text(self) -> bytes:
        """The rule as `git check-ignore -v` shows it."""
        return b"!" * self.negated + self.pattern + b"/" * self.dir_only

    @property
    def is_literal(self) -> bool:
        """Whether the pattern has no wildcard."""
        return self.literal_bytes == len(self.pattern)

    @property
    def anchored(self) -> bytes:
        """The pattern without a leading `/`."""
        return self.pattern[1:] if self.pattern[:1] == b"/" else self.pattern

    def matcher(self, *, fold: bool) -> Glob | None:
        """What tells whether a text matches; None when nothing can.

        The text is the last component of a path if the rule is `anywhere`, else the path below the rule's directory.
        """
        if not self.anchored:
            return None
        # Git compares the literal start first, so that the wildcards behind it begin like at the start of a path.
        literal_bytes = 0 if self.anywhere else self.literal_bytes - len(self.pattern) + len(self.anchored)
        head, tail = self.anchored[:literal_bytes], self.anchored[literal_bytes:]
        return compile_glob(tail, pathname=not self.anywhere, fold=fold, literal=head)


def parse_rule(text: bytes, line: int = 1) -> Rule:
    """The rule that `text` is, taken as it stands: no comment, no trimming (git: `parse_path_pattern`)."""
    negated = text[:1] == b"!"
    pattern = text[negated:]
    dir_only = pattern[-1:] == b"/"
    literal_bytes = literal_length(pattern)
    if dir_only:
        pattern = pattern[:-1]
    return Rule(line, pattern, negated, dir_only, b"/" not in pattern, min(literal_bytes, len(pattern)))


def parse_rules(content: bytes) -> Iterator[Rule]:
    """The rules in the text of an ignore file, in order (git: `add_patterns_from_buffer`).

    A byte-order mark at the start is skipped. A line ends at LF, and one CR before it goes too. Unescaped spaces at
    its end are cut, and so is everything from a NUL on. Lines that are empty or start with `#` are no rules.
    """
    for number, line in enumerate(content.removeprefix(_BOM).split(b"\n"), 1):
        if line and line[:1] != b"#":
            yield parse_rule(_trimmed(line.removesuffix(b"\r").partition(b"\0")[0]), number)


def literal_length(pattern: bytes) -> int:
    """How many bytes of `pattern` come before its first wildcard (git: `simple_length`)."""
    return len(_first_literal(pattern))


def _first_literal(pattern: bytes) -> bytes:
    for special in SPECIAL:
        pattern = pattern.partition(bytes((special,)))[0]
    return pattern


def _trimmed(line: bytes) -> bytes:
    """`line` without the spaces at its end; a space behind a backslash stays."""
    if line[-1:] != b" ":
        return line
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return kept + b" " if backslashes % 2 else kept
