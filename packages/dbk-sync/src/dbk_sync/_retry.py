"""Which requests are sent again, after which pause, and what is said of those that are given up."""

from __future__ import annotations

from dbk_sync._answer import Answer
from dbk_sync.errors import TransientError

_BUSY = frozenset({429, 503})
"""Refused without being carried out: always safe to repeat."""
_UNCLEAR = frozenset({502, 504})
"""A gateway lost sight of it: safe to repeat what may be done twice."""


def pause_after(answer: Answer, attempt: int, repeatable: bool) -> float | None:
    """How long to wait before the request is sent again; None when its answer is final."""
    if answer.status not in _BUSY and not (repeatable and answer.status in _UNCLEAR):
        return None
    try:
        return max(0.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return pause_at(attempt)


def pause_at(attempt: int) -> float:
    """How long to wait after so many attempts, where nobody says how long."""
    return float(min(0.2 * 2**attempt, 10.0))


def too_busy(answer: Answer) -> TransientError:
    """What is raised when an answer stays that it is too busy."""
    text = f"The workspace is too busy: {answer.method} {answer.path}: {answer.message}"
    return TransientError(text, "Try again later.", status=answer.status, code=answer.code)


def is_final(error: OSError) -> bool:
    """Whether another attempt cannot help: an address that is none, a certificate that is not trusted."""
    return isinstance(error, ValueError) or "CERTIFICATE_VERIFY_FAILED" in str(error)


def reason_of(error: BaseException) -> str:
    """The innermost cause in a few words: the outer ones repeat the address."""
    while isinstance(error.__context__, OSError) or (error.args and isinstance(error.args[0], BaseException)):
        inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error.__context__
        assert inner is not None
        error = inner
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException) and reason is not error:
        return reason_of(reason)
    return str(getattr(error, "strerror", None) or error)[:200]
