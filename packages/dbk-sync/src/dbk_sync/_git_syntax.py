"""The text of git's configuration files, as `git-config(1)` describes it and git's `config.c` reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from dbk_sync.errors import RulesError

Pairs = Iterator[tuple[bytes, bytes | None]]
"""`section.subsection.name` (section and name in lower case) with its value; None for a name without `=`."""

_SECTION = re.compile(rb'\[\s*([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\[^\n])*)")?\s*\]')
_NAME = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*(=)?[ \t]*")
_ESCAPES: Final = {b"n": b"\n", b"t": b"\t", b"b": b"\b", b'"': b'"', b"\\": b"\\"}


def parse_config(content: bytes, origin: bytes = b"") -> Pairs:
    """The settings in the text of a configuration file, in order.

    Raises:
        RulesError: The text is not in git's syntax; names `origin` and the line.
    """
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    at, section = 0, b""
    while at < len(text):
        if text[at : at + 1] in b" \t\n\r":
            at += 1
        elif text[at : at + 1] in b"#;":
            at = _line_end(text, at)
        elif (header := _SECTION.match(text, at)) is not None:
            section, at = _section_name(header), header.end()
        elif (name := _NAME.match(text, at)) is not None:
            value, end = _value(text, name.end(), origin) if name[2] else (None, name.end())
            if not name[2] and text[end : end + 1] not in (b"", b"\n", b"#", b";"):
                raise _bad_line(text, at, origin)
            yield (section + b"." if section else b"") + name[1].lower(), value
            at = end
        else:
            raise _bad_line(text, at, origin)


def _section_name(header: re.Match[bytes]) -> bytes:
    if header[2] is None:
        return header[1].lower()
    return header[1].lower() + b"." + re.sub(rb"\\(.)", rb"\1", header[2], flags=re.DOTALL)


def _value(text: bytes, at: int, origin: bytes) -> tuple[bytes, int]:
    """The value that starts at `at`, unquoted, and where its line ends."""
    value, spaces, quoted, start = bytearray(), bytearray(), False, at
    while at < len(text) and (quoted or text[at : at + 1] not in b"#;"):
        char = text[at : at + 1]
        at += 1
        if char == b"\n":
            if quoted:
                raise _bad_line(text, start, origin)
            return bytes(value), at
        if char in b" \t" and not quoted:
            spaces += char if value else b""
            continue
        value += spaces
        spaces.clear()
        if char == b'"':
            quoted = not quoted
        elif char == b"\\":
            escaped = text[at : at + 1]
            if escaped != b"\n" and escaped not in _ESCAPES:
                raise _bad_line(text, start, origin)
            value += _ESCAPES.get(escaped, b"")
            at += 1
        else:
            value += char
    if quoted:
        raise _bad_line(text, start, origin)
    return bytes(value), _line_end(text, at)


def _line_end(text: bytes, at: int) -> int:
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end


def _bad_line(text: bytes, at: int, origin: bytes) -> RulesError:
    line = text.count(b"\n", 0, at) + 1
    message = f"git's configuration file {os.fsdecode(origin)} has a line that cannot be parsed: line {line}."
    return RulesError(message, "Correct the line; `git config --list` fails on it too.", paths=(origin,))
