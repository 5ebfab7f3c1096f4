"""Creating a context so that what came of it is on disk: its id, or that nobody knows."""

from __future__ import annotations

from collections.abc import Callable

from dbk_session import _calls as calls
from dbk_session._answers import Answer, refusal_of
from dbk_session._journal import Journal
from dbk_session._transport import NotSent
from dbk_session.errors import ProtocolError

__all__ = ["create_noted"]


def create_noted(journal: Journal, session: str, send: Callable[[], Answer]) -> tuple[Answer, str | None]:
    """Sends the request; gives its answer, and the id of the context when there is one, which is noted already.

    Raises:
        NotSent: there is no context.
        Unsure: there may be one; that stays noted.
    """
    note = journal.begin_create(session)
    try:
        answer = send()
    except NotSent:
        journal.end_create(session, note)
        raise
    refusal = refusal_of(answer)
    if refusal is not None:
        if refusal.handled or refusal.kind == "too_many":
            journal.end_create(session, note)
        return answer, None
    try:
        context_id = calls.id_of(answer.json())
    except ProtocolError:
        return answer, None  # whoever asked meets the same error and reports it
    journal.add_context(session, context_id)
    journal.end_create(session, note)
    return answer, context_id
