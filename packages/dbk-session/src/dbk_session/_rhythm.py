"""How live output is asked for: when an answer is worth a look, and what may gather in it until then. Numbers only."""

from __future__ import annotations

from dbk_session._schedule import CONTROL

__all__ = ["Rhythm"]

_SETTLE_S = (0.0, 0.05, 0.1, 0.25, 0.5)
_LARGE_S = 0.25
# With the calls of a quiet command: at most 60 in any minute, and under 30 once it has been silent for a while.
_LATE_S = (0.25, 0.5, 1.0, 2.0)
_LATE_BESIDE_SILENCE_S = 4.0
_SILENCE_S = 20.0
# An answer that is due is asked for a little later: one look too early costs as much as the question itself.
_GRACE = 1.125
# How late the end of a command is noticed at most, relative to how long it took.
_END_SHARE = 0.25


class Rhythm:
    """How to ask next, from how it went so far. Knows no clock: it is told the time.

    The first output of a command is passed on at once; a command that keeps writing is read in larger portions, so
    that it costs fewer calls. What only earlier commands write, beside a silent one, may gather for longer: two seconds
    at first, and four when nobody has seen anything of the command itself for half a minute.

    Args:
        now_s: when the command began.
    """

    def __init__(self, now_s: float) -> None:
        self._began_s = self._wrote_s = now_s
        self._portions = 0
        self._late_portions = 0
        self._more = False
        self._latest = ""

    @property
    def settle_s(self) -> float:
        """For how long what the command writes may gather, from its first record on."""
        return 0.0 if self._more else _SETTLE_S[min(self._portions, len(_SETTLE_S) - 1)]

    def late_after_s(self, now_s: float) -> float:
        """For how long what only earlier commands write may gather, from the question on."""
        if self._more:
            return 0.0
        is_silent = now_s - self._wrote_s >= _SILENCE_S
        most_s = _LATE_BESIDE_SILENCE_S if is_silent else _LATE_S[min(self._late_portions, len(_LATE_S) - 1)]
        return min(most_s, (now_s - self._began_s) * _END_SHARE)

    def first_wait_s(self, now_s: float) -> float | None:
        """After how long the answer is looked for; None: quickly at first.

        A large portion is not asked for before the time that it takes is over, unless the command's end could be
        noticed late for it.
        """
        if self._latest == "nothing":
            return CONTROL.most_s
        if self._latest == "late":
            return self.late_after_s(now_s) * _GRACE
        return min(self.settle_s, (now_s - self._began_s) * _END_SHARE) if self.settle_s >= _LARGE_S else None

    def after(self, now_s: float, *, found: bool, found_late: bool, more: bool) -> None:
        """Notes what an answer had of the command and of earlier ones, and whether more is there already."""
        self._more = more
        self._portions = self._portions + 1 if found else 0
        self._late_portions += found_late and not found
        if found:
            self._wrote_s = now_s
        self._latest = "own" if found else "late" if found_late else "nothing"
