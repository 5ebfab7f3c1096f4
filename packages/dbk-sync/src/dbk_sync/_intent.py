"""The lock of a target that holds files: an object that says what a push is about to touch.

It is made only where there is none, so two pushes at a time are one too many. A push that fails or is ended in order
dates it back, so that the next need not wait until it counts as dead. It also counts as dead where its process is known
to have ended: for a push from the same machine, and for a later attempt of the same CI run, on whatever machine. It
stays: with its generation in the state it means nothing any more.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dbk_sync._attempt import NO_ATTEMPT, Attempt, attempt_of
from dbk_sync._bodies import Bytes
from dbk_sync._held import CONTROL, Held
from dbk_sync._remote import Interrupted, Root
from dbk_sync.errors import LockedError, SyncError, TransientError

LOCK_S: Final = 900.0
"""After this long without an end, a push is taken for dead."""
_LONG_AGO_S: Final = 0.0
_STRAY_S: Final = 30.0
"""How long a request whose answer did not come may still be carried out."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The run that wrote it, since when, the paths it touches, their names in the store, and what its process is."""

    by: str
    at_s: float
    paths: frozenset[bytes] = frozenset()
    names: frozenset[bytes] = frozenset()
    place: str = ""
    pid: int = 0
    attempt: Attempt = NO_ATTEMPT


class Intents:
    """The intents of one target.

    Args:
        root: The target.
        lock_s: How old another run's intent must be to be taken for dead; 0 takes over at once.
    """

    def __init__(self, root: Root, lock_s: float) -> None:
        self._root = root
        self._lock_s = lock_s

    def of(self, held: Held) -> Intent | None:
        """That of the push which follows what is held; None when there is none."""
        blob = self._root.store.get(self._root.at(intent_name(held.generation + 1)))
        if blob is None:
            return None
        try:
            about: dict[str, Any] = json.loads(blob)
            paths, names = (frozenset(map(os.fsencode, about[key])) for key in ("paths", "names"))
            attempt = Attempt(str(about.get("run", "")), int(about.get("attempt", 0)))
            place, pid = str(about.get("place")), int(about.get("pid") or 0)
            return Intent(about["by"], about["at"], paths, names, place, pid, attempt)
        except (ValueError, KeyError, TypeError):
            return Intent("an unknown run", _LONG_AGO_S)

    def check_dead(self, intent: Intent) -> None:
        """Refuses to go on while the push may be at work.

        Raises:
            LockedError: It may be.
        """
        age_s = self._root.clock() - intent.at_s
        if age_s < self._lock_s and not _is_gone(intent) and not attempt_of(os.environ).follows(intent.attempt):
            raise LockedError(
                f"Another run is at work on the target: {intent.by}, since {age_s:.0f} s.",
                "Wait for it. If it is dead, use --break-lock; by itself it counts as dead "
                f"after {self._lock_s / 60:.0f} minutes.",
            )

    @contextlib.contextmanager
    def claimed(self, held: Held, paths: set[bytes], names: set[bytes]) -> Iterator[None]:
        """Keeps other runs out of what is done within, and lets them in when it fails.

        Raises:
            Interrupted: An earlier push died and touched more than is known to be in doubt.
            LockedError: Another one is at work.
        """
        attempt = attempt_of(os.environ)
        about = {**self._root.about(), "place": _place(), "pid": os.getpid()}
        about |= {"run": attempt.run, "attempt": attempt.number, "paths": _texts(paths), "names": _texts(names)}
        is_there = False
        try:
            self._claim(held, about)
            is_there = True
            yield
        except (Interrupted, LockedError):
            raise  # it is another run's
        except TransientError:
            # One more request, not repeated: the workspace may answer this one. The next run waits for stray ones.
            with contextlib.suppress(SyncError), self._root.store.hurried():
                self._let_go(held, {**about, "at": self._root.clock() - LOCK_S + _STRAY_S}, about["at"], is_there)
            raise
        except BaseException:
            with contextlib.suppress(SyncError):
                self._let_go(held, {**about, "at": _LONG_AGO_S}, about["at"], is_there)
            raise

    def _claim(self, held: Held, about: dict[str, Any]) -> None:
        """Writes the intent, unless another run's is there."""
        if self._put(held, about, overwrite=False):
            return
        found = self.of(held)
        if found is not None and _is_same(found, about):
            return  # our own: the answer to it was lost
        if found is not None and not found.paths <= held.doubts:
            self.check_dead(found)
            raise Interrupted(found.paths, found.names)
        self._put(held, about)

    def _let_go(self, held: Held, past: dict[str, Any], at_s: float, is_there: bool) -> None:
        """Dates the intent of `at_s` back. One that was sent without an answer may come yet: then it comes second."""
        if self._root.clock() - at_s >= LOCK_S:
            return  # another run may have taken over
        if not is_there and self._put(held, past, overwrite=False):
            return
        found = None if is_there else self.of(held)
        if is_there or (found is not None and _is_same(found, {**past, "at": at_s})):
            self._put(held, past)

    def _put(self, held: Held, about: dict[str, Any], *, overwrite: bool = True) -> bool:
        name = self._root.at(intent_name(held.generation + 1))
        return self._root.store.put(name, Bytes(json.dumps(about).encode()), overwrite=overwrite)


def intent_name(generation: int) -> str:
    """The name below the target of what the push that makes this generation announces."""
    return f"{CONTROL}/intent-{generation}"


def _is_same(found: Intent, about: dict[str, Any]) -> bool:
    return (found.by, found.at_s) == (about["by"], about["at"])


def _is_gone(intent: Intent) -> bool:
    """Whether its process was one of this machine and is no more; False when that cannot be told."""
    if os.name != "posix" or not intent.pid or intent.place != _place():
        return False
    try:
        os.kill(intent.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _place() -> str:
    """Where the number of a process means one process: this start of this machine, or of this container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            parts.append(file.read().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _texts(paths: set[bytes]) -> list[str]:
    return sorted(map(os.fsdecode, paths))
