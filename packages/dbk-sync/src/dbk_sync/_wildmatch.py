"""Git's wildcard patterns as regular expressions over bytes.

The rules are those of `wildmatch.c` in git, with its quirks: matching is on bytes; `**` is special only as a whole path
component; a bracket that is not closed, an unknown `[:class:]` and a trailing backslash match nothing; when case is
ignored, the text is folded but a bracket member or an escaped letter is not.

The expressions cannot backtrack without bound. Between wildcards a pattern is cut into fixed pieces, and the leftmost
place of a piece is always as good as any later one, so all but the last are atomic groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

SPECIAL: Final = b"*?[\\"
"""The bytes that end the literal prefix of a pattern (git: `is_glob_special`)."""

Glob = Callable[[bytes], object]
"""Gives something true for a text that matches."""

_NEVER = b"(?!)"
# Marks between pieces; a piece of an expression is never empty, so the marks cannot be mistaken for one.
_STAR = b""
_ANY_DEPTH = b"**/"
_REST = b"**"

_DIGIT = frozenset(range(0x30, 0x3A))
_UPPER = frozenset(range(0x41, 0x5B))
_LOWER = frozenset(range(0x61, 0x7B))
_PRINT = frozenset(range(0x20, 0x7F))
# Git brings its own character tables: only ASCII has a class, and vertical tab and form feed are not spaces.
_SPACE = frozenset(b" \t\n\r")
_CLASSES: Mapping[bytes, frozenset[int]] = {
    b"alnum": _DIGIT | _UPPER | _LOWER,
    b"alpha": _UPPER | _LOWER,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset({*range(0x20), 0x7F}),
    b"digit": _DIGIT,
    b"graph": _PRINT - {0x20},
    b"lower": _LOWER,
    b"print": _PRINT,
    b"punct": _PRINT - _DIGIT - _UPPER - _LOWER - {0x20},
    b"space": _SPACE,
    b"upper": _UPPER,
    b"xdigit": _DIGIT | frozenset(b"abcdefABCDEF"),
}


class _NeverMatchesError(Exception):
    """The pattern is malformed; git lets such a pattern match nothing."""


@lru_cache(maxsize=4096)
def compile_glob(pattern: bytes, *, pathname: bool = True, fold: bool = False, literal: bytes = b"") -> Glob | None:
    """What tells whether a whole text matches `literal` followed by `pattern`; None when nothing can.

    Args:
        pattern: A wildcard pattern; its start counts as the start of a path component.
        pathname: Whether `*`, `?` and brackets stop at `/`, and `**` crosses it (git: `WM_PATHNAME`).
        fold: Whether ASCII case is ignored (git: `core.ignoreCase`).
        literal: Bytes without special meaning in front of the pattern.
    """
    expression = to_regex(pattern, pathname=pathname, fold=fold)
    if expression is None:
        return None
    head = b"".join([_literal(byte, fold) for byte in literal])
    return re.compile(head + expression, re.DOTALL).fullmatch


def to_regex(pattern: bytes, *, pathname: bool = True, fold: bool = False) -> bytes | None:
    """The expression (for DOTALL and a full match) equal to `pattern`, or None when nothing matches."""
    try:
        pieces = list(_pieces(pattern, pathname, fold))
    except _NeverMatchesError:
        return None
    return _join(pieces, b"[^/]" if pathname else b".")


def bracket_members(pattern: bytes, fold: bool) -> tuple[frozenset[int], bytes]:
    """The bytes that the bracket at the start of `pattern` matches, and the pattern behind it; none if malformed."""
    try:
        members, end = _bracket(pattern, 1, fold)
    except _NeverMatchesError:
        return frozenset(), b""
    return members, pattern[end:]


def _join(pieces: list[bytes], step: bytes) -> bytes:
    """One expression of fixed pieces and the marks between them."""
    units: list[tuple[bytes, list[bytes]]] = [(b"", [b""])]
    for piece in pieces:
        if piece in (_ANY_DEPTH, _REST):
            units.append((piece, [b""]))
        elif piece == _STAR:
            units[-1][1].append(b"")
        else:
            units[-1][1][-1] += piece
    *early, (last_mark, last_chunks) = units
    joined = [_unit(mark, chunks, step, last=False) for mark, chunks in early]
    return b"".join(joined) + _unit(last_mark, last_chunks, step, last=True)


def _unit(mark: bytes, chunks: list[bytes], step: bytes, *, last: bool) -> bytes:
    """The expression from one `**` to the next: `chunks` with single stars between them."""
    first, *others = chunks
    tail = b""
    if last and others:
        tail = step + b"*" + others.pop()
    body = first + b"".join([b"(?>" + step + b"*?" + chunk + b")" for chunk in others]) + tail
    gap = {b"": b"", _ANY_DEPTH: b"(?:.*?/)??", _REST: b".*?"}[mark]
    if last and mark == _REST and not body:
        return b".*"
    return gap + body if last or not mark else b"(?>" + gap + body + b")"


def _pieces(pattern: bytes, pathname: bool, fold: bool) -> Iterator[bytes]:
    """Expressions for single bytes, and marks for the wildcards that match any number of bytes."""
    at, end = 0, len(pattern)
    while at < end:
        byte = pattern[at]
        if byte == 0x2A:  # *
            mark, at = _stars(pattern, at, pathname)
            yield mark
        elif byte == 0x5B:  # [
            members, at = _bracket(pattern, at + 1, fold)
            yield _set(members - {0x2F} if pathname else members)
        elif byte == 0x5C:  # backslash
            if at + 1 == end:
                raise _NeverMatchesError
            yield _escaped(pattern[at + 1], fold)
            at += 2
        else:
            yield (b"[^/]" if pathname else b".") if byte == 0x3F else _literal(byte, fold)
            at += 1


def _stars(pattern: bytes, at: int, pathname: bool) -> tuple[bytes, int]:
    """The mark for the run of stars at `at`, and where the pattern goes on."""
    start = at
    while pattern[at : at + 1] == b"*":
        at += 1
    after = pattern[at : at + 2]
    whole_component = (start == 0 or pattern[start - 1] == 0x2F) and (after[:1] in (b"", b"/") or after == b"\\/")
    if not pathname or at - start == 1 or not whole_component:
        return _STAR, at
    # `**/` matches no directory at all too; before an escaped slash git does not grant that.
    return (_ANY_DEPTH, at + 1) if after[:1] == b"/" else (_REST, at)


def _bracket(pattern: bytes, at: int, fold: bool) -> tuple[frozenset[int], int]:
    """The bytes a bracket matches, and where the pattern goes on; `at` is behind its `[`."""
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    before, first = 0, True
    while first or pattern[at : at + 1] != b"]":
        first = False
        before, at = _member(pattern, at, before, members, fold)
    if fold:
        members = {byte for byte in range(256) if _lower(byte) in members}
    return frozenset(range(256)) - members if negated else frozenset(members), at + 1


def _member(pattern: bytes, at: int, before: int, members: set[int], fold: bool) -> tuple[int, int]:
    """Adds one member of a bracket; gives what a range may start from (0 for nothing), and where to go on."""
    byte = _at(pattern, at)
    if byte == 0x5C:  # backslash
        byte = _at(pattern, at + 1)
        members.add(byte)
        return byte, at + 2
    if byte == 0x2D and before and pattern[at + 1 : at + 2] not in (b"", b"]"):  # -
        at += 1 if pattern[at + 1] != 0x5C else 2
        top = _at(pattern, at)
        members.update(range(before, top + 1))
        if fold:  # git tries a folded letter in upper case too, in ranges only
            members.update(low for low in _LOWER if before <= low - 0x20 <= top)
        return 0, at + 1
    if pattern[at : at + 2] == b"[:":
        close = pattern.find(b"]", at + 2)
        if close < 0:
            raise _NeverMatchesError
        if pattern[close - 1] == 0x3A and close - 1 >= at + 2:
            members |= _class(pattern[at + 2 : close - 1], fold)
            return 0, close + 1
    members.add(byte)
    return byte, at + 1


def _class(name: bytes, fold: bool) -> frozenset[int]:
    if name not in _CLASSES:
        raise _NeverMatchesError
    return _UPPER | _LOWER if fold and name == b"upper" else _CLASSES[name]


def _at(pattern: bytes, at: int) -> int:
    if at >= len(pattern):
        raise _NeverMatchesError
    return pattern[at]


def _set(members: frozenset[int]) -> bytes:
    inside = b"".join([b"\\x%02x" % byte for byte in sorted(members)])
    return b"[" + inside + b"]" if inside else _NEVER


def _literal(byte: int, fold: bool) -> bytes:
    if fold and _lower(byte) in _LOWER:
        return b"[%c%c]" % (_lower(byte) - 0x20, _lower(byte))
    return re.escape(bytes((byte,)))


def _escaped(byte: int, fold: bool) -> bytes:
    return _NEVER if fold and byte in _UPPER else _literal(byte, fold)


def _lower(byte: int) -> int:
    return byte + 0x20 if byte in _UPPER else byte
