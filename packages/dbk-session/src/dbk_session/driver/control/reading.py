"""What runs write, as the client asks for it: a long poll that ends when there is something worth an answer.

Waiting ends early on an interrupt, and changes nothing: a cancelled wait loses no record.
"""

from __future__ import annotations

import contextlib
import io
import os
import time
from typing import Any

from .. import cutting  # noqa: TID252 - the package has another name on the driver
from ..agent.spool import Spool, is_alive  # noqa: TID252 - the package has another name on the driver
from . import spark
from .folder import name_of, owner_of, read_bytes, size_of

PIECE_CHARS = 30_000
_FIRST_PAUSE_S = 0.005
_LAST_PAUSE_S = 0.025
_PROGRESS_S = 1.0
# Of the room in an answer a quarter is for what earlier runs write, when this one does, too.
_LATE_SHARE = 4
# What it takes to say that this one does not.
_EMPTY_CHARS = 256
# Nowhere else in a record: a quote inside a JSON string has a backslash before it.
_AWAITED = (b'"t":"done"', b'"t":"input"')
_BEGINS = b'"t":"start"'
_BEGUN_S = 0.25


def read(given: dict[str, Any]) -> dict[str, Any]:
    """The records of a run from `offset` on, as many as fit; waits up to `wait_s` for the first.

    With `late` (the same questions of earlier runs) also theirs: what they write ends the wait, too, though not before
    `late_after_s`. With `tail_bytes` outputs are left out when there are many more than that; see `cutting`.
    """
    began_s = time.monotonic()
    run = _Records(given["spool"], given)
    late = [_Records(given["spool"], question) for question in given.get("late") or ()]
    owner = owner_of(given["spool"])
    deadline_s = began_s + float(given.get("wait_s", 0))
    pause_s = _FIRST_PAUSE_S
    alive = True
    progress = _Progress(given)
    while not _news([run, *late]) and alive and time.monotonic() < deadline_s and not progress.has_changed():
        time.sleep(pause_s)
        pause_s = min(_LAST_PAUSE_S, pause_s * 1.2)
        # When it cannot be seen (None), it is taken for alive: only the client can find out.
        alive = is_alive(owner) is not False
    _begin([run, *late], deadline_s)
    if _news([run, *late]):
        _settle(run, float(given.get("settle_s", 0)), began_s + float(given.get("late_after_s", 0)))
    max_chars = int(given.get("max_chars", PIECE_CHARS))
    found = _news(late)
    room = max_chars // _LATE_SHARE if _news([run]) else max_chars - _EMPTY_CHARS
    pieces = {each.name: each.piece(room // len(found)) for each in found}
    value = run.piece(max_chars - sum(len(piece["data"]) for piece in pieces.values()))
    value["alive"] = is_alive(owner) is not False
    if pieces:
        value["late"] = pieces
    if progress.wanted:
        value["progress"] = progress.now()
    return value


class _Records:
    """What a run has written that the client does not know yet."""

    def __init__(self, spool: str, given: dict[str, Any]) -> None:
        self.name = name_of(given["run"])
        self.offset = int(given.get("offset", 0))
        self.path = os.path.join(spool, "runs", f"{self.name}.jsonl")
        self._limit_path = os.path.join(spool, Spool.limit_name(self.name))
        self._given = given

    def piece(self, max_chars: int) -> dict[str, Any]:
        """As much of it as fits, and the output limit when it is reached."""
        try:
            with open(self.path, "rb") as file:
                piece = cutting.piece(file, self._given, max_chars)
        except FileNotFoundError:
            piece = cutting.piece(io.BytesIO(), self._given, max_chars)
        with contextlib.suppress(FileNotFoundError), open(self._limit_path, "rb") as file:
            piece["limit_bytes"] = int(file.read())
        return piece

    def has_only_begun(self) -> bool:
        """Whether the first record is all there is, and is not known yet."""
        data = read_bytes(self.path, 0, PIECE_CHARS) if self.offset == 0 else b""
        return data.count(b"\n") == 1 and _BEGINS in data

    def has(self, marks: tuple[bytes, ...]) -> bool:
        """Whether one of these is in the next of it."""
        data = read_bytes(self.path, self.offset, PIECE_CHARS)
        return any(mark in data for mark in marks)


def _news(runs: list[_Records]) -> list[_Records]:
    return [run for run in runs if size_of(run.path) > run.offset]


class _Progress:
    """The Spark progress of the run, looked at no more than once a second."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._marks = (given.get("group"), given.get("tag"))
        self.wanted = any(self._marks)
        # With `progress` the answer comes early when the numbers are others than these.
        self._watch = bool(given.get("progress"))
        self._known = given.get("progress") if isinstance(given.get("progress"), dict) else None
        self._last_s = 0.0
        self._value: dict[str, int] | None = None

    def now(self) -> dict[str, int] | None:
        """As known now."""
        if time.monotonic() - self._last_s >= _PROGRESS_S:
            self._value = spark.progress(*self._marks)
            self._last_s = time.monotonic()
        return self._value

    def has_changed(self) -> bool:
        """Whether it is worth telling."""
        return self.wanted and self._watch and self.now() != self._known


def _begin(runs: list[_Records], deadline_s: float) -> None:
    """Wait a moment longer when all there is to tell is that the run has begun.

    A short cell then costs one question instead of two, and its end is heard of a round trip earlier.
    """
    run, *late = runs
    end_s = min(deadline_s, time.monotonic() + _BEGUN_S)
    while time.monotonic() < end_s and not _news(late) and run.has_only_begun():
        time.sleep(_FIRST_PAUSE_S)


def _settle(run: _Records, settle_s: float, late_until_s: float) -> None:
    """Leave time for more records, unless the client waits for one of those that are there.

    What earlier runs write is in no hurry, what this one begins to write is.
    """
    is_late = not _news([run])
    until_s = late_until_s if is_late else time.monotonic() + settle_s
    while time.monotonic() < until_s and not run.has(_AWAITED):
        time.sleep(_LAST_PAUSE_S if is_late else _FIRST_PAUSE_S)
        if is_late and _news([run]):
            is_late, until_s = False, min(until_s, time.monotonic() + settle_s)
