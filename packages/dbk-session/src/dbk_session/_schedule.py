"""How often to ask, and how long to keep trying: numbers only.

The latency of a command over an execute-and-poll API is its poll schedule, and so are the calls a quiet one costs.
A pace starts fast, because most commands are short, and slows down geometrically, because the others are long.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CANCEL_ANSWER_S",
    "CANCEL_SIGNAL_S",
    "COMING_UP",
    "COMMAND",
    "COMMAND_WATCHED",
    "CONTROL",
    "FIRST_CONTACT",
    "HELPER",
    "LEAVING",
    "OPENING",
    "RUNNING",
    "STARTING",
    "STUMBLES",
    "WEDGED",
    "Pace",
    "Patience",
    "retry_delay_s",
]

CANCEL_SIGNAL_S = 2.0
"""After this long without effect an API cancel is followed by a signal through the control context."""

CANCEL_ANSWER_S = 8.0
"""After this long the caller gets its answer whatever the driver does (VS Code gives up at ten seconds)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Waiting times between two questions: `first_s`, then `factor` times longer each time, never over `most_s`."""

    first_s: float
    factor: float
    most_s: float

    def after(self, waited_s: float | None) -> float:
        """The next waiting time, given the last one (None: nothing was waited yet), in seconds."""
        if waited_s is None:
            return self.first_s
        return min(max(waited_s * self.factor, self.first_s), self.most_s)


COMMAND = Pace(0.02, 1.25, 1.5)
"""Status of the user's command, when nothing else tells about it: under 60 calls in any minute, also the first."""

COMMAND_WATCHED = Pace(15.0, 2.0, 30.0)
"""The same while the spool tells about the command: its `done` record asks for the status at once."""

CONTROL = Pace(0.03, 1.25, 2.0)
"""Status of the control command that long-polls the spool. With `COMMAND_WATCHED`: under 60 calls in any minute.

The factor bounds how late the end of a command is noticed, relative to how long it took: a quarter."""

HELPER = Pace(0.01, 1.5, 0.5)
"""Status of short helper commands, which somebody waits for."""

STARTING = Pace(0.25, 1.5, 3.0)
"""State of a cluster that is coming up, which takes minutes."""

WEDGED = Pace(0.05, 1.5, 1.5)
"""Status of a command that was given up on, while the next one waits for its end."""

OPENING = Pace(0.05, 1.6, 1.0)
"""Status of a context that is being created."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is repeated while the workspace does not answer.

    Attributes:
        total_s: give up this long after the first failure.
        notice_s: tell the user after this long.
    """

    total_s: float
    notice_s: float = 5.0


FIRST_CONTACT = Patience(total_s=5.0)
"""Before the workspace has ever answered: a wrong host name should not take minutes to be told."""

COMING_UP = Patience(total_s=120.0)
"""While the cluster starts, which takes minutes."""

RUNNING = Patience(total_s=600.0)
"""While something of the user's runs: an outage of some minutes must not cost the result."""

LEAVING = Patience(total_s=5.0)
"""While cleaning up: the watchdog and the next start try again."""

STUMBLES = 12
"""How often a question that is answered with 500 and no reason is asked again, within 20 s: what no repetition mends
must not be kept from the user for long."""

_LONGEST_RETRY_S = 2.0


def retry_delay_s(attempt: int, retry_after_s: float | None, jitter: float) -> float:
    """Seconds to wait before repeating a request.

    Args:
        attempt: 1 for the first repetition.
        retry_after_s: what the workspace asked for, None when it did not.
        jitter: a random number from 0 to 1, so that many clients do not come back at the same moment.
    """
    if retry_after_s is not None:
        return retry_after_s + 0.25 * jitter
    return min(0.1 * 2.0 ** (attempt - 1), _LONGEST_RETRY_S) * (0.75 + 0.5 * jitter)
