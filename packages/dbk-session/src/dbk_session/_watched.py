"""Which runs are read from the driver's disk: the one at work, and those that are over but may still write."""

from __future__ import annotations

from collections import OrderedDict

from dbk_session._feed import Feed

__all__ = ["Watched"]

_LINGER_S = 30.0
_LINGER_MOST_S = 600.0
_MOST_LATE = 50


class Watched:
    """Decides what is read, and until when. Knows no clock and no threads: it is told the time.

    While a command runs, what earlier ones write is read with it. When none does, reading goes on until all have been
    silent for half a minute, at most ten minutes: an idle session makes no calls.

    Attributes:
        current: the run at work.
    """

    def __init__(self) -> None:
        self.current: Feed | None = None
        self._late: OrderedDict[str, Feed] = OrderedDict()
        self._until_s = self._last_s = float("-inf")

    @property
    def main(self) -> Feed | None:
        """The run whose end and whose Spark jobs count: the one at work, else the latest."""
        return self.current or (next(reversed(self._late.values())) if self._late else None)

    @property
    def others(self) -> list[Feed]:
        """What else is read with the same question."""
        main = self.main
        return [feed for feed in self._late.values() if feed is not main]

    def follow(self, feed: Feed) -> bool:
        """One is at work now; False when that is known."""
        known, self.current = self.current is feed, feed
        return not known

    def linger(self, feed: Feed, now_s: float) -> bool:
        """One is over but may still write; False when it was read already."""
        known = self.current is feed or feed.track.run_id in self._late
        if self.current is feed:
            self.current = None
        self._late[feed.track.run_id] = feed
        self._late.move_to_end(feed.track.run_id)
        while len(self._late) > _MOST_LATE:
            self._late.popitem(last=False)
        self._until_s, self._last_s = now_s + _LINGER_S, now_s + _LINGER_MOST_S
        return not known

    def leave(self, feed: Feed) -> bool:
        """One is over and writes no more; False when it was not at work."""
        if self.current is not feed:
            return False
        self.current = None
        return True

    def found_late(self, now_s: float) -> None:
        """One that is over has written something."""
        if self.current is not None:
            self._last_s = now_s + _LINGER_MOST_S
        self._until_s = min(now_s + _LINGER_S, self._last_s)

    def forget(self) -> None:
        """Nothing is read any more."""
        self.current = None
        self.forget_late()

    def forget_late(self) -> None:
        """Those that are over have gone with their interpreter."""
        self._late.clear()
        self._until_s = self._last_s = float("-inf")

    @property
    def follows(self) -> bool:
        """Whether the run at work is read: not while its code waits for a person, who may take hours."""
        feed = self.current
        return feed is not None and not feed.track.asks and feed.done is None

    def is_due(self, now_s: float) -> bool:
        """Whether there is something to read."""
        return self.follows or (bool(self._late) and now_s < self._until_s)
