"""Requests that get through: repeats what may be repeated, and turns refusals into errors with a remedy."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from dbk_session._answers import Answer, Refusal, refusal_of
from dbk_session._calls import Call
from dbk_session._clock import Clock
from dbk_session._events import Outage
from dbk_session._schedule import Patience, retry_delay_s
from dbk_session._transport import NotSent, Transport, Unsure
from dbk_session.errors import (
    AuthenticationError,
    ClusterNotFound,
    ClusterUnsupported,
    ConnectionLost,
    PermissionDenied,
    ProtocolError,
    SessionError,
    WorkspaceError,
)

__all__ = ["Doubtful", "Remote", "Stopped"]


LOG = logging.getLogger("dbk.session.http")


class Doubtful(Exception):
    """A request that must not be repeated got no clear answer; it may have taken effect."""


class Stopped(Exception):
    """The caller asked to stop while the request was being repeated."""


class Remote:
    """Sends requests until they get an answer. May be used from any thread.

    Args:
        transport: sends one request, once.
        clock: time and waiting.
        tell: called when the workspace has not answered for a while, and again when it does.
        renew: makes a transport with fresh credentials, None when there are no others; tried once for each request
            that was refused.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        tell: Callable[[Outage], None],
        renew: Callable[[], Transport | None] | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._outages = _Outages(tell)
        self._renew = renew
        self._renewing = threading.Lock()

    def close(self) -> None:
        """Lets go of connections."""
        self._transport.close()

    def call(self, call: Call, patience: Patience, stop: threading.Event | None = None) -> dict[str, Any]:
        """The body of a good answer.

        Args:
            call: what to send.
            patience: how long to repeat it while there is no answer.
            stop: when set, waiting ends.

        Raises:
            Doubtful: it is not repeatable, and may have arrived.
            Stopped: `stop` was set.
            SessionError: refused, or no answer for too long.
        """
        waiting = _Waiting(self._clock, patience, self._outages)
        try:
            body = self._answered(call, waiting, stop)
        finally:
            waiting.end()
        # Also after one that was given up: somebody who was told that there is an outage hears of its end.
        self._outages.answered()
        return body

    def _answered(self, call: Call, waiting: _Waiting, stop: threading.Event | None) -> dict[str, Any]:
        renewed = False
        while True:
            transport = self._transport
            try:
                answer = transport.send(call)
            except (NotSent, Unsure) as error:
                LOG.debug("%s %s: no answer: %s", call.method, call.path, error)
                if isinstance(error, Unsure) and not call.repeatable:
                    raise Doubtful(str(error)) from error
                self._pause(waiting.after(str(error)), stop)
                continue
            LOG.debug("%s %s: %s", call.method, call.path, answer.status)
            refusal = refusal_of(answer)
            if refusal is None and (body := _body(answer, call)) is not None:
                return body
            if refusal is None:
                self._pause(waiting.after("an unreadable answer"), stop)
                continue
            if refusal.kind == "credentials" and not renewed and self._is_renewed(transport):
                renewed = True
                continue
            self._judge(call, refusal)
            self._pause(waiting.after(refusal.message, answer.retry_after_s), stop)

    def _judge(self, call: Call, refusal: Refusal) -> None:
        """Raises unless the refusal passes by itself."""
        if refusal.kind == "too_many":
            return  # turned away at the door: it had no effect
        if refusal.kind == "unavailable":
            if not call.repeatable:
                raise Doubtful(refusal.message)
            return
        raise error_of(refusal, call)

    def _is_renewed(self, refused: Transport) -> bool:
        """Whether there are other credentials than those that were refused; several threads may ask at once."""
        with self._renewing:
            if self._transport is not refused:
                return True
            fresh = self._renew() if self._renew else None
            if fresh is not None:
                self._transport = fresh
            return fresh is not None

    def _pause(self, delay_s: float, stop: threading.Event | None) -> None:
        if self._clock.wait(stop or threading.Event(), delay_s):
            raise Stopped


class _Outages:
    """Told once when requests have to wait for the workspace, and once when one is answered and no other waits."""

    def __init__(self, tell: Callable[[Outage], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting = 0
        self._told = False

    def enter(self, cause: str) -> None:
        """One more waits."""
        with self._lock:
            self._waiting += 1
            first, self._told = not self._told, True
        if first:
            self._tell(Outage(cause))

    def leave(self) -> None:
        """One waits no more."""
        with self._lock:
            self._waiting -= 1

    def answered(self) -> None:
        """One was answered."""
        with self._lock:
            over = self._told and self._waiting == 0
            self._told = self._told and not over
        if over:
            self._tell(Outage("", is_over=True))


class _Waiting:
    """Counts how long a request has been without an answer, and says so once."""

    def __init__(self, clock: Clock, patience: Patience, outages: _Outages) -> None:
        self._clock = clock
        self._patience = patience
        self._outages = outages
        self._since: float | None = None
        self._attempt = 0
        self._told = False

    def after(self, cause: str, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure.

        Raises:
            ConnectionLost: it has been too long.
        """
        now = self._clock.now()
        self._since = now if self._since is None else self._since
        waited = now - self._since
        if waited >= self._patience.total_s:
            raise ConnectionLost(
                f"Connection lost: the workspace has not answered for {waited:.0f} s ({cause}).",
                "Check the network and DATABRICKS_HOST. What already runs on the cluster goes on there.",
            )
        if waited >= self._patience.notice_s and not self._told:
            self._told = True
            self._outages.enter(cause)
        self._attempt += 1
        return retry_delay_s(self._attempt, retry_after_s, random.random())

    def end(self) -> None:
        """The request is over."""
        if self._told:
            self._outages.leave()


def _body(answer: Answer, call: Call) -> dict[str, Any] | None:
    """What a good answer says; None when it cannot be read and the command is to be sent again."""
    try:
        return answer.json()
    except ProtocolError as error:
        if not call.repeatable:
            raise Doubtful(str(error)) from error
        if call.method == "GET":
            raise
        return None


def error_of(refusal: Refusal, call: Call) -> SessionError:
    """The error that tells a person what to do about a refusal."""
    cluster = _cluster_in(call.fields)
    if refusal.kind == "credentials":
        return AuthenticationError(
            f"Invalid token: the workspace answered {_phrase(refusal.status)} ({refusal.message}).",
            "Regenerate your Personal Access Token and set DATABRICKS_TOKEN, or log in to the profile again.",
        )
    if refusal.kind == "no_cluster":
        return ClusterNotFound(
            f"Cluster not found: {cluster} ({refusal.message})",
            "Verify the cluster ID (DATABRICKS_CLUSTER_ID or pyproject.toml) and your access permissions.",
        )
    if refusal.kind == "permission" and "Single-user check failed" in refusal.message:
        return ClusterUnsupported(refusal.message, "Use a cluster that is dedicated to you, or one in standard mode.")
    if refusal.kind == "permission":
        return PermissionDenied(
            f"Permission denied: {refusal.message}",
            f'Ask for the permission "Can Attach To" ("Can Restart" to start it) on cluster {cluster}.',
        )
    return WorkspaceError(
        f"The workspace refused {call.path}: {refusal.message}", status=refusal.status, code=refusal.code
    )


def _cluster_in(fields: Mapping[str, str]) -> str:
    return fields.get("clusterId") or fields.get("cluster_id") or "?"


def _phrase(status: int) -> str:
    return {401: "401 Unauthorized", 403: "403 Forbidden"}.get(status, str(status))
