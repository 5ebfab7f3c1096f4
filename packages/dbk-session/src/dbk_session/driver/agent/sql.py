"""SQL text with several statements, split where a semicolon ends one. Pure."""

from __future__ import annotations

import re

# Quoted text (a quote inside is doubled or escaped), comments, and the semicolon that we are after.
_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' |
    "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | --[^\n]* | /\*.*?\*/ | ;""",
    re.DOTALL | re.VERBOSE,
)


def split_statements(text: str) -> list[str]:
    """The statements of `text`, trimmed, without those that are empty or only comments."""
    statements, start = [], 0
    for token in _TOKEN.finditer(text):
        if token[0] == ";":
            statements.append(text[start : token.start()])
            start = token.end()
    statements.append(text[start:])
    return [statement.strip() for statement in statements if _has_words(statement)]


def _has_words(statement: str) -> bool:
    return bool(_TOKEN.sub(lambda token: "" if token[0][:2] in ("--", "/*") else token[0], statement).strip())
