"""TOML text to values, with the line of each key: the standard parser gives the first but not the second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dbk_config.errors import UnreadableFile

__all__ = ["key_lines", "parse"]

Key = tuple[str, ...]

# Everything that may hold a newline, bracket or hash without meaning one.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
_PART = r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*"
_HEADER = re.compile(rf"\s*\[\[?{_KEY}\]")
_PAIR = re.compile(rf"\s*{_KEY}=")


def parse(text: str, file: Path) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        UnreadableFile: it is not TOML; says what is wrong, with line and column, and shows nothing of the text.
    """
    import tomllib  # only where there is a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what = re.sub(r"\s*\(at .*", "", str(error))
        column = f", column {found[2]}" if found else ""
        message = f"{file}:{line}: not valid TOML: {what} (line {line}{column})"
        raise UnreadableFile(message, "Correct the file by hand.", file=file, line=line) from None


def key_lines(text: str) -> Mapping[Key, int]:
    """The 1-based line of every table header and key of a valid TOML text; keys in inline tables are left out."""
    lines: dict[Key, int] = {}
    table: Key = ()
    for line, statement in _statements(text):
        if header := _HEADER.match(statement):
            table = _path(header[1])
            lines.setdefault(table, line)
        elif pair := _PAIR.match(statement):
            path = table + _path(pair[1])
            for depth in range(len(table) + 1, len(path) + 1):
                lines.setdefault(path[:depth], line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with its first line; a value over several lines belongs to one statement."""
    start, depth = 0, 0
    for token in _TOKEN.finditer(text + "\n"):
        mark = token[0]
        depth += (mark in "[{") - (mark in "]}")
        if mark == "\n" and depth == 0:
            statement = text[start : token.start()]
            if statement.strip():
                yield text.count("\n", 0, start) + 1, statement
            start = token.end()


def _path(key: str) -> Key:
    """The parts of a dotted key, unquoted by the standard parser itself."""
    import tomllib

    path: list[str] = []
    value: Any = tomllib.loads(f"{key.strip()} = 0")
    while isinstance(value, dict):
        ((part, value),) = value.items()
        path.append(part)
    return tuple(path)
