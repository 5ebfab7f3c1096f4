"""What the client can ask of the control context while the user's interpreter is busy.

All of it works on the spool folder and on the process, so it also works when the user's code holds Python's lock for
minutes. Waiting ends early on an interrupt, and changes nothing: a cancelled wait loses no record.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

from .. import cutting, wire  # noqa: TID252 - the package has another name on the driver
from ..agent.spool import Spool, interrupts, is_alive, sweep  # noqa: TID252 - the package has another name on the driver
from . import spark

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


def _owner(spool: str) -> dict[str, Any]:
    with open(os.path.join(spool, "owner.json"), encoding="utf-8") as file:
        return dict(json.load(file))


def probe(given: dict[str, Any]) -> dict[str, Any]:
    """Whether this context sees the agent's folder and its process."""
    try:
        owner = _owner(given["spool"])
    except (OSError, ValueError) as error:
        return {"shared": False, "pid_visible": False, "reason": str(error)}
    return {"shared": owner["nonce"] == given["nonce"], "pid_visible": is_alive(owner) is True}


def read(given: dict[str, Any]) -> dict[str, Any]:
    """The records of a run from `offset` on, as many as fit; waits up to `wait_s` for the first.

    With `late` (the same questions of earlier runs) also theirs: what they write ends the wait, too, though not before
    `late_after_s`. With `tail_bytes` outputs are left out when there are many more than that; see `cutting`.
    """
    began_s = time.monotonic()
    run = _Records(given["spool"], given)
    late = [_Records(given["spool"], question) for question in given.get("late") or ()]
    owner = _owner(given["spool"])
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
        self.name = _name(given["run"])
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
        data = _read_bytes(self.path, 0, PIECE_CHARS) if self.offset == 0 else b""
        return data.count(b"\n") == 1 and _BEGINS in data

    def has(self, marks: tuple[bytes, ...]) -> bool:
        """Whether one of these is in the next of it."""
        data = _read_bytes(self.path, self.offset, PIECE_CHARS)
        return any(mark in data for mark in marks)


def _news(runs: list[_Records]) -> list[_Records]:
    return [run for run in runs if _size(run.path) > run.offset]


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


def answer(given: dict[str, Any]) -> dict[str, Any]:
    """Give the waiting cell its sealed answer."""
    name = f"{_name(given['run'])}.{_name(given['id'])}"
    _write(given["spool"], os.path.join("answers", name), given["sealed"].encode("ascii"))
    return {}


def post(given: dict[str, Any]) -> dict[str, Any]:
    """Leave a sealed message for an agent that is busy."""
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    _write(given["spool"], os.path.join("inbox", name), given["sealed"].encode("ascii"))
    return {}


def interrupt(given: dict[str, Any]) -> dict[str, Any]:
    """SIGINT to the user's interpreter, if it is still the one that made the folder.

    With `presses` only when fewer interrupts than that have reached the run.
    """
    owner = _owner(given["spool"])
    presses = given.get("presses")
    if presses is not None and interrupts(given["spool"]) >= presses:
        return {"how": "delivered"}
    alive = is_alive(owner)
    if alive:
        try:
            os.kill(int(owner["pid"]), signal.SIGINT)
        except (PermissionError, ProcessLookupError):
            alive = None
        else:
            return {"how": "signal"}
    if alive is None and given.get("sealed"):
        # The agent looks into its inbox while a cell runs, and signals itself.
        post(given)
        return {"how": "inbox"}
    return {"how": "gone"}


def snapshot(given: dict[str, Any]) -> dict[str, Any]:
    """A piece of the namespace snapshot, or only its stamp when the client has that one."""
    path = os.path.join(given["spool"], "snapshot.json")
    try:
        state = os.stat(path)
    except FileNotFoundError:
        return {"stamp": "", "unchanged": not given.get("stamp"), "offset": 0, "bytes": 0, "data": None, "size": 0}
    stamp = f"{state.st_mtime_ns}-{state.st_ino}"
    offset = int(given.get("offset", 0))
    if stamp == given.get("stamp") and offset == 0:
        return {"stamp": stamp, "unchanged": True, "offset": 0, "bytes": 0, "data": None, "size": state.st_size}
    max_chars = int(given.get("max_chars", PIECE_CHARS))
    piece, used = wire.pack_piece(_read_bytes(path, offset, max_chars), max_chars)
    return {"stamp": stamp, "unchanged": False, "offset": offset, "bytes": used, "data": piece, "size": state.st_size}


def cleanup(given: dict[str, Any]) -> dict[str, Any]:
    """Delete the folder, if it is one of ours."""
    _owner(given["spool"])
    shutil.rmtree(given["spool"], ignore_errors=True)
    return {"removed": not os.path.exists(given["spool"])}


def _name(text: Any) -> str:
    if not wire.RUN_ID.fullmatch(str(text)) or set(str(text)) == {"."}:
        raise ValueError(f"{text!r} is not the name of a run")
    return str(text)


def _size(path: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def _read_bytes(path: str, offset: int, max_chars: int) -> bytes:
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        file.seek(offset)
        # More than this never fits, however well it compresses.
        return file.read(max_chars * 64)
    return b""


def _write(spool: str, name: str, data: bytes) -> None:
    """Make a file that appears whole."""
    new = os.path.join(spool, f".{secrets.token_hex(8)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    os.replace(new, os.path.join(spool, name))


OPERATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "answer": answer,
    "cancel_spark": lambda given: spark.cancel(given.get("group"), given.get("tag")),
    "cleanup": cleanup,
    "post": post,
    "probe": probe,
    "progress": lambda given: spark.progress(given.get("group"), given.get("tag")),
    "read": read,
    "signal": interrupt,
    "snapshot": snapshot,
    "sweep": lambda given: {"removed": sweep(given.get("root"))},
}
