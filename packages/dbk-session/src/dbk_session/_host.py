"""What a command at work needs of its session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dbk_session._clock import Clock
from dbk_session._feed import Feed
from dbk_session._interpreter import Interpreter
from dbk_session._pump import Pump
from dbk_session._track import Track

__all__ = ["Host"]


class Host(Protocol):
    """A session, as `Runner` sees it; `Engine` is one."""

    clock: Clock
    pump: Pump

    def ensure(self, track: Track) -> Interpreter:
        """An interpreter that is ready for a command. Raises SessionError, Stopped."""

    def lost(self, reason: str) -> None:
        """The context is gone."""

    def replaced(self, reason: str) -> None:
        """The context lives, with a new interpreter in it."""

    def feed_of(self, track: Track) -> Feed:
        """Where a command's records go in."""

    def late(self, lengths: Mapping[str, int]) -> None:
        """Earlier runs have written more, up to these lengths in bytes."""

    @property
    def reads_live(self) -> bool:
        """Whether there is a live channel, or will be soon: the first command may end before it is there."""

    @property
    def budget_bytes(self) -> int:
        """How much a command may write."""
