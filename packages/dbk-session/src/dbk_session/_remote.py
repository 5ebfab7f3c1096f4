"""Requests that get through: repeats what may be repeated, and turns refusals into errors with a remedy."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from dbk_session._answers import Answer, Refusal, refusal_of
from dbk_session._calls import Call
from dbk_session._clock import Clock
from dbk_session._events import Outage
from dbk_session._outages import Outages, Waiting
from dbk_session._remedies import error_of
from dbk_session._schedule import STUMBLES, Patience
from dbk_session._transport import NotSent, Transport, Unsure
from dbk_session.errors import ProtocolError

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
        self._outages = Outages(tell)
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
        waiting = Waiting(self._clock, patience, self._outages)
        try:
            body = self._answered(call, waiting, stop)
        finally:
            waiting.end()
        # Also after one that was given up: somebody who was told that there is an outage hears of its end.
        self._outages.answered()
        return body

    def _answered(self, call: Call, waiting: Waiting, stop: threading.Event | None) -> dict[str, Any]:
        renewed, stumbles = False, 0
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
            stumbles += refusal.kind == "stumble"
            self._judge(call, refusal, stumbles)
            self._pause(waiting.after(refusal.message, answer.retry_after_s), stop)

    def _judge(self, call: Call, refusal: Refusal, stumbles: int) -> None:
        """Raises unless the refusal passes by itself."""
        if refusal.kind == "too_many":
            return  # turned away at the door: it had no effect
        if refusal.kind == "stumble" and call.method == "GET" and stumbles <= STUMBLES:
            return  # a question may be asked again, and what it is about goes on meanwhile
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
