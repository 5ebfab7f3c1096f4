"""What a waiting cell shows, and when it must show nothing.

The rules, all of them for the sake of the saved notebook: nothing in the first two seconds of a phase, at most two
changes a second, only before the user's first output, one display, and no trace of it afterwards. A front end keeps
what is displayed until something clears it, so the end of progress is always a `clear_output`: waiting for the user's
first output where there is one (no flicker), at once where there is none.
"""

from dataclasses import dataclass, field
from html import escape
from typing import Any

__all__ = ["Message", "Phase", "Progress"]

SHOW_AFTER_S = 2.0
MIN_INTERVAL_S = 0.5
# How often a display changes that only counts the time; every change makes front ends save and share the document.
TICK_S = 1.0
SLOW_TICK_S = 5.0
SLOW_AFTER_S = 60.0


@dataclass(frozen=True)
class Message:
    """One Jupyter message for the iopub channel, without its parent."""

    msg_type: str
    content: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    buffers: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Phase:
    """What a cell is waiting for.

    Attributes:
        name: What goes on, for instance `starting the cluster`.
        expected: How long it usually takes, in words; empty when nobody can say.
        detail: The latest news about it, in a few words.
        link: Where a person can see more, empty when there is no such page.
        timed: Whether to show how long it has taken.
    """

    name: str
    expected: str = ""
    detail: str = ""
    link: str = ""
    timed: bool = True


class Progress:
    """The progress display of one cell: takes what happens, with the time, and gives the messages to send.

    Args:
        display_id: The id of the display, made for this cell alone.
        visible: False for a run whose output nobody watches; nothing is ever sent then.
    """

    def __init__(self, display_id: str, *, visible: bool) -> None:
        self._display_id = display_id
        self._open = visible
        self._phase: Phase | None = None
        self._since_s = 0.0
        self._sent_s: float | None = None
        self._sent_text = ""
        self._due_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """When `tick` has something to do next, on the clock of the caller; None for never."""
        return self._due_s if self._open and self._phase is not None else None

    def enter(self, phase: Phase, now_s: float) -> list[Message]:
        """The cell waits for something, or there is news about what it waits for."""
        if self._phase is None or phase.name != self._phase.name:
            self._since_s = now_s
        self._phase = phase
        earliest_s = now_s + SHOW_AFTER_S if self._sent_s is None else self._sent_s + MIN_INTERVAL_S
        self._due_s = earliest_s if self._due_s is None else min(self._due_s, earliest_s)
        return self.tick(now_s)

    def leave(self) -> None:
        """The wait is over, and nothing new has begun; what is shown stays until output or the end takes it away."""
        self._phase = None

    def tick(self, now_s: float) -> list[Message]:
        """Time has passed."""
        if self._phase is None or self.due_s is None or now_s < self.due_s:
            return []
        waited_s = now_s - self._since_s
        self._due_s = now_s + (TICK_S if waited_s < SLOW_AFTER_S else SLOW_TICK_S)
        text = _text(self._phase, waited_s)
        if text == self._sent_text:
            return []
        first, self._sent_s, self._sent_text = self._sent_s is None, now_s, text
        return [self._message("display_data" if first else "update_display_data", text, self._phase)]

    def before_output(self, *, appends: bool) -> list[Message]:
        """The user's code shows something next; nothing of ours is shown after this.

        Args:
            appends: True when the very next message adds an output to the cell: the display goes when that arrives.
                Anything else (an update of another cell's output, a question) may be the last one, and leave it there.
        """
        return self._end(wait=appends)

    def finish(self) -> list[Message]:
        """The cell is over."""
        return self._end(wait=False)

    def _end(self, *, wait: bool) -> list[Message]:
        shown = self._open and self._sent_s is not None
        self._open = False
        return [Message("clear_output", {"wait": wait})] if shown else []

    def _message(self, msg_type: str, text: str, phase: Phase) -> Message:
        html = f"<small>{escape(text)}</small>"
        if phase.link:
            html = f'<small>{escape(text)} <a href="{escape(phase.link)}" target="_blank">details</a></small>'
        data = {"text/plain": text, "text/html": html}
        content = {"data": data, "metadata": {}, "transient": {"display_id": self._display_id}}
        return Message(msg_type, content)


def _text(phase: Phase, waited_s: float) -> str:
    parts = [phase.name]
    if phase.timed:
        parts.append(_duration(waited_s))
    if phase.expected:
        parts.append(f"usually {phase.expected}")
    if phase.detail:
        parts.append(phase.detail)
    return "Databricks: " + ", ".join(parts)


def _duration(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"
