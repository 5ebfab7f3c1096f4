"""A text that shows itself only when asked to, and the removal of such texts from anything about to be shown."""

from __future__ import annotations

import os
import re
import weakref
from typing import NoReturn

__all__ = ["MASK", "Secret", "redact"]

MASK = "***"

# Every secret alive in this process. The last line of defence has to know them all, wherever they came from: a message
# of a library may quote a header that none of our own code ever put into a text. By identity: of two equal ones either
# may die first.
_ALIVE: weakref.WeakValueDictionary[int, Secret] = weakref.WeakValueDictionary()

# Shorter ones are no real tokens, and would hit ordinary words.
_SHORTEST = 8
_PATTERNS = re.compile(r"\bdapi[0-9a-fA-F]{32}(-\d+)?|(?<=Bearer )[\w.~+/=-]{8,}|(?<=Basic )[\w+/=]{8,}")


class Secret:
    """A token or password: `str()`, `repr()`, logging and formatting give `***`; `reveal()` gives the text.

    Equal to another `Secret` of the same text, never to a `str`. It refuses to be pickled, so that no cache or
    process boundary writes it down by accident.
    """

    __slots__ = ("__weakref__", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        _ALIVE[id(self)] = self

    def reveal(self) -> str:
        """The secret text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: pass it by the environment")


def redact(text: str) -> str:
    """`text` with every known secret, the token of the environment, and whatever looks like a token as `***`."""
    known = {secret.reveal() for secret in list(_ALIVE.values())} | {os.environ.get("DATABRICKS_TOKEN", "")}
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    return _PATTERNS.sub(MASK, text)
