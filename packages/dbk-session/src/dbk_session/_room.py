"""How much text an answer of the driver may have."""

from __future__ import annotations

from dbk_session.errors import ProtocolError

__all__ = ["SAFE_CHARS", "Room"]

SAFE_CHARS = 36_000
"""Fits everywhere: up to Databricks Runtime 16.4 LTS a result has 50,000 characters, unless a cluster allows more."""

# From Databricks Runtime 17.0 on a result has 10 MB, and 1 MB is the least that a user can set.
_LARGE_CHARS = 900_000
_LARGE_SINCE = 17
_LEAST_CHARS = 2_000


class Room:
    """The room in an answer of one interpreter or of its control context. May be used from any thread.

    What no version of a runtime is known of gets the safe amount. Where an answer was cut all the same, less is asked
    for from then on.

    Args:
        runtime: Databricks Runtime version as the driver tells it, "" where it tells none.

    Attributes:
        chars: how much data to ask for, in characters of base64; what is around it has room besides.
    """

    def __init__(self, runtime: str = "") -> None:
        major = runtime.partition(".")[0]
        self.chars = _LARGE_CHARS if major.isdigit() and int(major) >= _LARGE_SINCE else SAFE_CHARS

    def was_cut(self, chars: int) -> None:
        """Notes that an answer to a question for `chars` came incomplete.

        Raises:
            ProtocolError: it was so small that less will not help.
        """
        if chars <= _LEAST_CHARS:
            raise ProtocolError("The driver gave no readable answer.")
        self.chars = min(self.chars, max(chars // 2, _LEAST_CHARS))
