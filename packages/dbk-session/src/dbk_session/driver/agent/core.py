"""What every part of the agent shares: the shell, the runs, the scribe, and a way to say something once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .journal import Journal
from .redaction import Redaction
from .runs import Run, Runs
from .scribe import Scribe
from .seams import Seams
from .spool import Spool


@dataclass
class Options:
    """What the client may set; see `bootstrap`."""

    display_rows: int = 1000
    inline_chars: int = 24_000
    budget_bytes: int = 100_000_000
    spool_root: str | None = None
    descriptors: bool = True
    widgets: bool = False
    completion: bool = False

    def update(self, values: dict[str, Any]) -> None:
        """Set what is known, leave the rest."""
        for name in self.__dataclass_fields__:
            if name in values:
                setattr(self, name, values[name])


@dataclass
class Core:
    """One agent's common ground."""

    shell: Any
    version: str
    options: Options = field(default_factory=Options)
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    runs: Runs = field(default_factory=Runs)

    def __post_init__(self) -> None:
        self._unsaid: list[str] = []
        self.seams = Seams(self.report)
        try:
            spool: Spool | None = Spool.create(self.options.spool_root, self.nonce, self.version)
        except OSError as error:
            spool = None
            self.report(f"the driver has no place for records ({error}): output is shown when a cell ends")
        self.spool = spool
        self.journal = Journal(self.runs, self.key, spool, self.report)
        self.journal.budget_bytes = self.options.budget_bytes
        # Child processes of a run that may still write.
        self.live_children: Callable[[Run], int] = lambda _: 0
        # Asyncio tasks of a run that go on after it.
        self.live_tasks: Callable[[Run], int] = lambda _: 0
        self.redaction = Redaction()
        self.scribe = Scribe(self.journal, self.report, self.redaction)

    def report(self, text: str) -> None:
        """Say something to the user as a notice: now, or at the start of the next run."""
        run = self.runs.active
        if run is None:
            self._unsaid.append(text)
        else:
            self.scribe.put(run, "notice", text=text)

    def say_the_rest(self) -> None:
        """Give the new run what nobody heard yet."""
        unsaid, self._unsaid = self._unsaid, []
        for text in unsaid:
            self.report(text)

    def recording(self) -> bool:
        """Whether the caller's output belongs to a run."""
        return self.runs.current() is not None

    def put(self, kind: str, **content: Any) -> None:
        """Record something as the current run's."""
        run = self.runs.current()
        if run is not None:
            self.scribe.put(run, kind, **content)

    def current_run(self) -> Run:
        """The run that the caller belongs to.

        Raises:
            LookupError: There is none.
        """
        run = self.runs.current()
        if run is None:
            raise LookupError("no cell is running")
        return run
