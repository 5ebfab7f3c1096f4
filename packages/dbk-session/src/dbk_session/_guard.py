"""A small process beside each session that outlives it, and destroys its contexts when it dies by any cause.

It also *creates* the contexts, on the session's behalf: were the session to do it and be killed between the request and
its answer, nobody would know the id of the context. What it is told comes as JSON lines on its standard input, the
credentials among it, so that they are in no argument list and no file; the end of that input means the session is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from dbk_session import _calls as calls
from dbk_session._answers import Answer, refusal_of
from dbk_session._calls import Call
from dbk_session._creation import create_noted
from dbk_session._journal import Journal
from dbk_session._transport import Door, Http, NotSent, Unsure, is_loopback
from dbk_session.errors import ProtocolError, SessionError

__all__ = ["Guard", "main"]

_PARENT_CHECK_S = 2.0
_CLEAN_TRIES_HERE = 4
_CLEAN_TRIES = 12
_LONGEST_PAUSE_S = 30.0


class Guard:
    """What the process knows and does.

    Args:
        orders: file descriptor of JSON lines from the session.
        replies: JSON lines to the session.
    """

    def __init__(self, orders: int, replies: TextIO) -> None:
        self._orders = orders
        self._unread = b""
        self._replies = replies
        self._parent = os.getppid()
        self._contexts: list[str] = []
        self._farewells: dict[str, Mapping[str, Any]] = {}
        self._setup: Mapping[str, Any] = {}
        self._headers: dict[str, str] = {}
        self._http: Http | None = None
        self._released = False
        self._refused = False

    def serve(self) -> None:
        """Does what it is told until the session ends, then cleans up."""
        while not self._released and (line := self._next()):
            self._obey(json.loads(line))
        if not self._released:
            self._clean()

    def _next(self) -> bytes:
        """The next order; empty when the session is gone.

        A child that the session forked may keep the pipe open, so the end of the input is not the only sign.
        """
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._orders], [], [], _PARENT_CHECK_S)
            if not ready and os.getppid() != self._parent:
                return b""
            if ready:
                portion = os.read(self._orders, 65536)
                if not portion:
                    return b""
                self._unread += portion
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _obey(self, order: Mapping[str, Any]) -> None:
        does = order["do"]
        if does == "setup":
            self._setup = order
            self._headers = dict(order["headers"])
            self._contexts = list(order.get("contexts") or ())
            self._http = Http(Door(order["host"], lambda: self._headers, order["verify"]))
        elif does == "headers":
            self._headers = dict(order["headers"])
        elif does == "create":
            self._reply(self._create())
        elif does == "farewell":
            self._farewells[order["context"]] = order
        elif does == "forget":
            self._contexts = [known for known in self._contexts if known != order["context"]]
            self._farewells.pop(order["context"], None)
        elif does == "release":
            self._released = True

    def _reply(self, message: Mapping[str, Any]) -> None:
        try:
            self._replies.write(json.dumps(message) + "\n")
            self._replies.flush()
        except OSError:
            return  # the session has just died; the next read tells

    def _create(self) -> dict[str, Any]:
        call = calls.create_context(self._setup["cluster_id"])
        try:
            answer, context_id = create_noted(self._journal(), self._setup["session"], lambda: self._send(call))
        except NotSent as error:
            return {"not_sent": str(error)}
        except Unsure as error:
            return {"unsure": str(error)}
        if context_id is not None:
            self._contexts.append(context_id)
        return {"status": answer.status, "text": answer.text, "retry_after_s": answer.retry_after_s}

    def _journal(self) -> Journal:
        return Journal(Path(self._setup["journal"]))

    def _send(self, call: Call) -> Answer:
        if self._http is None:
            raise NotSent("not set up")
        return self._http.send(call)

    def _clean(self) -> None:
        """Destroys what is left. Tries for some minutes; what remains is for the next start to sweep."""
        if not self._contexts:
            if self._setup:
                self._journal().settle(self._setup["session"])
            return
        self._leave_in_order()
        for attempt in range(_CLEAN_TRIES):
            self._contexts = [known for known in self._contexts if not self._destroyed(known)]
            if not self._contexts:
                self._journal().settle(self._setup["session"])
                return
            # Where a workspace on this very machine no longer listens, it has ended and its contexts with it.
            if self._refused and attempt + 1 >= _CLEAN_TRIES_HERE and is_loopback(self._setup["host"]):
                return
            time.sleep(min(0.5 * 2.0**attempt, _LONGEST_PAUSE_S))

    def _leave_in_order(self) -> None:
        """Has the driver's files removed, by a context that goes last: what still runs elsewhere may use them."""
        said = {context_id: order for context_id, order in self._farewells.items() if order["texts"]}
        if not said:
            return
        self._contexts = [known for known in self._contexts if known in said or not self._destroyed(known)]
        for context_id, order in said.items():
            with contextlib.suppress(NotSent, Unsure, ProtocolError):
                self._say_farewell(context_id, order["texts"], order["wait_s"])

    def _say_farewell(self, context_id: str, texts: list[str], wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        for text in texts:
            answer = self._send(calls.execute(self._setup["cluster_id"], context_id, text))
            if refusal_of(answer) is not None:
                return
            command_id = calls.id_of(answer.json())
            status = calls.command_status(self._setup["cluster_id"], context_id, command_id)
            found = calls.command_status_of(self._send(status).json())
            while not found.is_final and time.monotonic() < deadline:
                time.sleep(0.05)
                found = calls.command_status_of(self._send(status).json())

    def _destroyed(self, context_id: str) -> bool:
        try:
            answer = self._send(calls.destroy_context(self._setup["cluster_id"], context_id))
        except (NotSent, Unsure) as error:
            self._refused = isinstance(error, NotSent)
            return False
        self._refused = False
        refusal = refusal_of(answer)
        if refusal is not None and refusal.kind == "credentials":
            self._renew()
            return False
        # Any other clear refusal means that there is nothing to destroy any more.
        gone = refusal is None or refusal.handled
        if gone:
            self._journal().drop_context(self._setup["session"], context_id)
        return gone

    def _renew(self) -> None:
        """The session's credentials have expired since: this process looks for its own."""
        from dbk_session._connect import door_of_environment

        try:
            door = door_of_environment(self._setup["host"], self._setup["profile"], self._setup["config_file"])
            self._headers = dict(door.headers())
        except SessionError:
            return


def main() -> None:
    """Runs as `python -m dbk_session._guard`, its own session leader, deaf to what is typed in a terminal."""
    for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    Guard(sys.stdin.fileno(), sys.stdout).serve()


if __name__ == "__main__":
    main()
