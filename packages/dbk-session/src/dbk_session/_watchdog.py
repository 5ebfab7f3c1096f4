"""The session's end of its guard process (`_guard`), and the fallback where no such process can be had."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbk_session._answers import Answer
from dbk_session._calls import Call
from dbk_session._creation import create_noted
from dbk_session._journal import Entry, Journal
from dbk_session._transport import Door, Http, NotSent, Unsure

__all__ = ["GuardedHttp", "Watchdog"]

_CREATE_PATH = "/api/1.2/contexts/create"
_GONE_WAIT_S = 5.0


class Watchdog:
    """A guard process, from its start to its end. May be used from any thread.

    Args:
        entry: the session it guards.
        door: the way in that it shall use.
        journal: where both note the contexts.
        contexts: contexts that exist already (after `Session.attach`).
    """

    def __init__(self, entry: Entry, door: Door, journal: Journal, contexts: tuple[str, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._headers: Mapping[str, str] = door.headers()
        self._process = _spawn()
        self._tell(
            {
                "do": "setup",
                "session": entry.session,
                "journal": str(journal.folder),
                "host": door.host,
                "headers": dict(self._headers),
                "verify": door.verify,
                "cluster_id": entry.cluster_id,
                "profile": entry.profile,
                "config_file": entry.config_file,
                "contexts": list(contexts),
            }
        )

    @property
    def pid(self) -> int | None:
        """The guard's process id, None when it could not be started."""
        return self._process.pid if self._process else None

    def create(self) -> Answer | None:
        """Has a context created; None when there is no guard to do it.

        Raises:
            NotSent, Unsure: as `Transport.send`.
        """
        with self._lock:
            if not self._write({"do": "create"}):
                return None
            reply = self._read()
        if reply is None:
            # It died with the request perhaps under way.
            raise Unsure("the guard process ended")
        if "not_sent" in reply:
            raise NotSent(reply["not_sent"])
        if "unsure" in reply:
            raise Unsure(reply["unsure"])
        return Answer(reply["status"], reply["text"], reply["retry_after_s"])

    def refresh(self, headers: Mapping[str, str]) -> None:
        """Passes credentials on when they have changed."""
        if headers != self._headers:
            self._headers = dict(headers)
            self._tell({"do": "headers", "headers": dict(headers)})

    def farewell(self, context_id: str, texts: tuple[str, ...], wait_s: float) -> None:
        """Sets the commands that are run in a context before it is destroyed, which is after those without any."""
        self._tell({"do": "farewell", "context": context_id, "texts": list(texts), "wait_s": wait_s})

    def forget(self, context_id: str) -> None:
        """Tells that a context is gone."""
        self._tell({"do": "forget", "context": context_id})

    def release(self) -> None:
        """Ends the guard and leaves the contexts as they are."""
        self._tell({"do": "release"})
        self.close()

    def close(self) -> None:
        """Ends the guard, which destroys what it still knows of."""
        if self._process is None:
            return
        with self._lock, contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_GONE_WAIT_S)
        except subprocess.TimeoutExpired:
            # The workspace does not answer it, so it goes on trying; it is reaped whenever it ends.
            threading.Thread(target=self._process.wait, name="dbk-guard-reaper", daemon=True).start()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _tell(self, order: Mapping[str, Any]) -> None:
        with self._lock:
            self._write(order)

    def _write(self, order: Mapping[str, Any]) -> bool:
        process = self._process
        if process is None or process.stdin is None or process.stdin.closed:
            return False
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return False
        return True

    def _read(self) -> dict[str, Any] | None:
        process = self._process
        line = process.stdout.readline() if process is not None and process.stdout is not None else b""
        return json.loads(line) if line.endswith(b"\n") else None


def _spawn() -> subprocess.Popen[bytes] | None:
    """Starts the guard in a session of its own, so that Ctrl-C in the terminal does not reach it."""
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "dbk_session._guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/" if sys.platform != "win32" else None,
            start_new_session=True,
        )
    except OSError:
        return None


class GuardedHttp:
    """A `Transport` that has the guard create contexts, and sends everything else itself."""

    def __init__(self, door: Door, entry: Entry, journal: Journal, watchdog: Watchdog | None) -> None:
        self._door = replace(door, headers=lambda: self._passed_on(door.headers()))
        self._http = Http(self._door)
        self._entry = entry
        self._journal = journal
        self._watchdog = watchdog

    def send(self, call: Call) -> Answer:
        """See `Transport.send`."""
        if call.path != _CREATE_PATH:
            return self._http.send(call)
        if self._watchdog is not None:
            self._door.headers()
            answer = self._watchdog.create()
            if answer is not None:
                return answer
        return create_noted(self._journal, self._entry.session, lambda: self._http.send(call))[0]

    def close(self) -> None:
        """See `Transport.close`."""
        self._http.close()

    def _passed_on(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The guard may need them any moment, and cannot refresh what it was not given."""
        if self._watchdog is not None:
            self._watchdog.refresh(headers)
        return headers
