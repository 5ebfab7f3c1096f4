"""A text that shows itself only when asked to."""

from __future__ import annotations

import hmac
from typing import NoReturn

__all__ = ["Secret"]

MASK = "***"


class Secret:
    """A token or password: `str()`, `repr()`, logging and formatting give `***`; `reveal()` gives the text.

    Equal to another `Secret` of the same text, never to a `str`. It refuses to be pickled, so that no cache or
    process boundary writes it down by accident.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

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
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: pass it by the environment")
