"""Single patterns: every byte of every class, and patterns that want to run for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync._wildmatch import compile_glob, to_regex

CLASSES = ["alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit"]
# A name can hold any byte but these.
BYTES = [bytes((byte,)) for byte in range(1, 256) if byte != ord("/")]


def matches(pattern: bytes, text: bytes, **options: bool) -> bool:
    match = compile_glob(pattern, **options)
    return match is not None and bool(match(text))


@pytest.mark.parametrize("fold", [False, True])
def test_each_class_has_exactly_gits_bytes(fold: bool, repository: Path, git: Callable[..., bytes]):
    git(repository, "config", "core.ignoreCase", str(fold).lower())
    lines = [f"{number}-[[:{name}:]]" for number, name in enumerate(CLASSES)]
    (repository / ".gitignore").write_text("\n".join(lines) + "\n")
    texts = [b"%d-%s" % (number, byte) for number in range(len(CLASSES)) for byte in BYTES]

    ignored = git(repository, "check-ignore", "--no-index", "-z", "--stdin", accept=(0, 1), stdin=b"\0".join(texts))

    ours = [text for text in texts if any(matches(line.encode(), text, pathname=False, fold=fold) for line in lines)]
    assert ours == ignored.split(b"\0")[:-1]


@pytest.mark.parametrize(
    "pattern",
    [
        b"*a" * 30 + b"b",
        b"**/a/" * 20 + b"b",
        b"**/*a*" + b"/**/*a*" * 12 + b"b",
        b"*?" * 25 + b"b",
        b"[a]*" * 30 + b"b",
    ],
    ids=["stars", "any depth", "mixed", "question marks", "brackets"],
)
def test_no_pattern_backtracks_without_bound(pattern: bytes):
    assert not matches(pattern, b"a/" * 40 + b"a" * 200)
    assert not matches(pattern, b"a" * 250)


@pytest.mark.parametrize("pattern", [b"[", b"[a", b"[!", b"[a\\", b"a\\", b"[[:bad:]]", b"[[:alpha:]"])
def test_malformed_patterns_match_nothing(pattern: bytes):
    assert to_regex(pattern) is None
    assert compile_glob(pattern) is None


def test_literal_bytes_before_a_pattern_have_no_special_meaning():
    match = compile_glob(b"*", literal=b"a*[")

    assert match is not None
    assert match(b"a*[x")
    assert not match(b"ab[x")
