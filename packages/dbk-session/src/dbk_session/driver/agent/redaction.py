"""Values that were read with `dbutils.secrets`, kept out of what is shown: `[REDACTED]` stands in their place.

Databricks does so with the output of a notebook's cells, as literals only (docs: security/secrets/redaction). Records
go another way than that output, so they have to do it themselves; and a frame in which the driver had replaced
something would no longer be what was signed.
"""

from __future__ import annotations

from typing import Any

MASK = "[REDACTED]"
# Nothing is documented of shorter ones; with each `e` replaced nothing could be read any more.
SHORTEST_CHARS = 4


class Redaction:
    """Takes the values that were noted out of anything made of texts, lists and dicts."""

    def __init__(self) -> None:
        self._values: list[str] = []

    def note(self, value: Any) -> None:
        """Never show this text, or these bytes of UTF-8, nor as Python writes it between quotes."""
        text = value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
        if len(text) >= SHORTEST_CHARS:
            self._values = sorted({*self._values, text, repr(text)[1:-1]}, key=len, reverse=True)

    def __call__(self, shown: Any) -> Any:
        """The same without them."""
        return self._mask(shown) if self._values else shown

    def _mask(self, shown: Any) -> Any:
        if isinstance(shown, str):
            for value in self._values:
                shown = shown.replace(value, MASK)
            return shown
        if isinstance(shown, dict):
            return {name: self._mask(value) for name, value in shown.items()}
        if isinstance(shown, (list, tuple)):
            return [self._mask(value) for value in shown]
        return shown
