"""What came back from the workspace, good or bad: HTTP status and body in, meaning out, no network.

One refusal arrives in many dresses: with several statuses, as JSON of two kinds, as a page for people.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dbk_session.errors import ProtocolError

__all__ = ["Answer", "Refusal", "refusal_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status, body text, and the seconds of a `Retry-After` header."""

    status: int
    text: str
    retry_after_s: float | None = None

    def json(self) -> dict[str, Any]:
        """The body as an object; empty for an empty body.

        Raises:
            ProtocolError: it is something else, for instance a sign-in page.
        """
        try:
            value = json.loads(self.text) if self.text.strip() else {}
        except ValueError as error:
            raise ProtocolError(f"The workspace did not answer with JSON: {_readable(self.text)!r}.") from error
        if not isinstance(value, dict):
            raise ProtocolError(f"The workspace answered with a {type(value).__name__} instead of an object.")
        return value


RefusalKind = Literal[
    "credentials",
    "permission",
    "no_cluster",
    "cluster_state",
    "not_ready",
    "too_many",
    "unavailable",
    "stumble",
    "other",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with an error.

    Attributes:
        kind: what it means for the caller; `too_many` and `unavailable` pass by themselves, and a `stumble` may: the
            workspace failed at something, and does not say at what.
        status: HTTP status.
        code: the workspace's error code or exception name, "" when the body had none.
        message: its text, without markup.
        handled: True when the workspace itself answered, so that the request certainly had no effect; False when
            something on the way did, which may have passed it on before.
    """

    kind: RefusalKind
    status: int
    code: str
    message: str
    handled: bool


def refusal_of(answer: Answer) -> Refusal | None:
    """What an answer refuses, None when it is a good one.

    The error text decides before the HTTP status does: one token arrives with several statuses.
    """
    if answer.status < 400 and not _is_page(answer.text):
        return None
    code, message, handled = _error_of(answer)
    kind = _kind(answer.status, code, message, handled)
    return Refusal(kind, answer.status, code, message, handled and kind not in ("too_many", "unavailable"))


_BY_CODE: Mapping[str, RefusalKind] = {
    "UNAUTHENTICATED": "credentials",
    "PERMISSION_DENIED": "permission",
    "RESOURCE_DOES_NOT_EXIST": "no_cluster",
    "INVALID_STATE": "cluster_state",
    "REQUEST_LIMIT_EXCEEDED": "too_many",
    "RESOURCE_EXHAUSTED": "too_many",
    "TEMPORARILY_UNAVAILABLE": "unavailable",
}
_BY_STATUS: Mapping[int, RefusalKind] = {401: "credentials", 403: "permission", 429: "too_many"}
_GATEWAY = frozenset({502, 503, 504})
_STUMBLES = frozenset({"", "INTERNAL_ERROR", "UNKNOWN"})


def _kind(status: int, code: str, message: str, handled: bool) -> RefusalKind:
    if "Invalid access token" in message:
        return "credentials"
    if "Single-user check failed" in message or "'Attach' permission" in message:
        return "permission"
    if "ClusterNotReadyException" in code or "ClusterNotReadyException" in message:
        return "not_ready"
    if re.search(r"Cluster \S+ does not exist", message):
        return "no_cluster"
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _GATEWAY or not handled:
        return "unavailable"
    # What names an exception is about the request, and will be said again (a running stream, a lost context).
    return "stumble" if status == 500 and code in _STUMBLES else "other"


def _error_of(answer: Answer) -> tuple[str, str, bool]:
    """(code, message, whether the workspace itself wrote it)."""
    try:
        body = answer.json()
    except ProtocolError:
        return "", _readable(answer.text) or f"HTTP {answer.status}", False
    if "error" in body:
        text = str(body["error"])
        name, separator, rest = text.partition(": ")
        return (name, text, True) if separator and re.fullmatch(r"[\w.$]+", name) and rest else ("", text, True)
    message = body.get("message") or body.get("detail") or f"HTTP {answer.status}"
    return str(body.get("error_code") or ""), str(message), bool(body)


def _is_page(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(("<!doctype html", "<html"))


def _readable(text: str) -> str:
    """The words of an HTML error page (its `<pre>` or `<title>`), or the start of any other text."""
    for tag in ("pre", "title"):
        found = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL | re.IGNORECASE)
        if found:
            text = found.group(1)
            break
    words = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return " ".join(words.split())[:300]
