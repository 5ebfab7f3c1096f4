"""Rules that are given as an option, in the language of `.gitignore`."""

from __future__ import annotations

import codecs
from typing import NamedTuple


class RuleFile(NamedTuple):
    """The text of rules as of a `.gitignore` of the source, and what `explain` calls it."""

    name: str
    content: bytes

    def turned(self) -> RuleFile:
        """The same with each rule turned around: what it names is selected then, and what it names by `!` is not."""
        lines = self.content.removeprefix(codecs.BOM_UTF8).split(b"\n")
        return self._replace(content=b"\n".join([_turned(line) for line in lines]))


def _turned(line: bytes) -> bytes:
    if not line.strip() or line.startswith(b"#"):
        return line
    return line[1:] if line.startswith(b"!") else b"!" + line
