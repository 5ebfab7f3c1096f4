"""What goes to the interpreter beside commands: questions about its namespace, answers to `input()`, comm messages.

When idle it handles them itself; while it is busy they go through the control context or, for the namespace, to the
snapshot that the agent leaves after each command.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dbk_session._collect import finished_of, read_rest
from dbk_session._completeness import locally
from dbk_session._context import Gone, NoAgent
from dbk_session._control import Control
from dbk_session._engine import Engine
from dbk_session._events import InputRequest
from dbk_session._feed import Feed
from dbk_session._interpreter import Agent, Interpreter
from dbk_session._introspection import Completeness, Completion, Inspection
from dbk_session._room import SAFE_CHARS
from dbk_session._track import Track
from dbk_session.driver import wire
from dbk_session.errors import ContextLostError, SessionError, StdinNotAllowed

__all__ = ["Snapshots", "answer", "comm", "complete", "inspect", "is_complete"]

_IDLE_TIMEOUT_S = 10.0
_COMM_TIMEOUT_S = 30.0
_COMM_WAIT_S = 2.0


class Snapshots:
    """The last snapshot of the namespace that the agent left for times when it is busy."""

    def __init__(self) -> None:
        self._stamp: Any = None
        self._content: Mapping[str, Any] = {}

    def latest(self, control: Control, spool: str) -> Mapping[str, Any]:
        """Reads it, unless it is the one that is known.

        Raises:
            Gone, NoAgent, CommandFailed, SessionError: see `Context.ask`.
        """
        data = b""
        while True:
            question = {"spool": spool, "max_chars": SAFE_CHARS, "offset": len(data), "stamp": self._stamp}
            answer = control.ask("snapshot", question)
            if answer.get("unchanged"):
                return self._content
            if answer.get("data") is None:
                return {}
            data += wire.unpack_piece(answer)
            if len(data) >= int(answer["size"]):
                self._content = json.loads(data)
                self._stamp = answer.get("stamp")
                return self._content


def complete(engine: Engine, snapshots: Snapshots, code: str, pos: int) -> Completion:
    """See `Session.complete`."""
    reply = _ask(engine, snapshots, "complete", {"code": code, "cursor_pos": pos})
    matches = tuple(str(match) for match in reply.get("matches") or ())
    start, end = int(reply.get("cursor_start", pos)), int(reply.get("cursor_end", pos))
    return Completion(matches, start, end, reply.get("metadata") or {})


def inspect(engine: Engine, snapshots: Snapshots, code: str, pos: int, detail: int) -> Inspection:
    """See `Session.inspect`."""
    reply = _ask(engine, snapshots, "inspect", {"code": code, "cursor_pos": pos, "detail_level": detail})
    return Inspection(bool(reply.get("found")), reply.get("data") or {}, reply.get("metadata") or {})


def is_complete(engine: Engine, snapshots: Snapshots, code: str) -> Completeness:
    """See `Session.is_complete`."""
    reply = _ask(engine, snapshots, "is_complete", {"code": code})
    status = reply.get("status")
    if status not in ("complete", "incomplete", "invalid"):
        return locally(code)
    return Completeness(status, str(reply.get("indent") or ""))


def _ask(engine: Engine, snapshots: Snapshots, op: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
    interpreter = engine.keeper.interpreter
    if interpreter is None or interpreter.agent is None:
        return {}
    try:
        asked = engine.ask_when_idle(lambda idle: idle.ask(op, question))
        if asked is not None:
            return asked.result(_IDLE_TIMEOUT_S) or {}
        # What is a whole cell is in no snapshot.
        return _from_snapshot(interpreter, snapshots, op, question) if op != "is_complete" else {}
    except (SessionError, TimeoutError):
        return {}


def _from_snapshot(
    interpreter: Interpreter, snapshots: Snapshots, op: str, question: Mapping[str, Any]
) -> Mapping[str, Any]:
    if interpreter.control is None or interpreter.agent is None or interpreter.agent.spool is None:
        return {}
    snapshot = snapshots.latest(interpreter.control, interpreter.agent.spool)
    from dbk_session.driver import answers

    code, pos = question["code"], question["cursor_pos"]
    if op == "complete":
        return answers.complete(snapshot, code, pos)
    return answers.inspect(snapshot, code, pos, question["detail_level"])


def answer(engine: Engine, track: Track, request: InputRequest, text: str | None) -> None:
    """See `Command.answer`. The text is sealed: command text may be logged, and this may be a password."""
    interpreter = engine.keeper.interpreter
    if interpreter is None or interpreter.control is None or interpreter.agent is None:
        raise StdinNotAllowed("There is no live channel to the command, so it cannot be answered.")
    content = {"eof": True} if text is None else {"text": text}
    sealed = wire.seal(interpreter.agent.key, json.dumps(content).encode())
    place = {"spool": interpreter.agent.spool, "run": track.run_id, "id": request.id, "sealed": sealed}
    try:
        interpreter.control.ask("answer", place)
    except (Gone, NoAgent) as error:
        raise ContextLostError(f"The answer could not be delivered: {error}.") from error
    engine.pump.answered()


def comm(
    engine: Engine,
    track: Track,
    msg_type: str,
    content: Mapping[str, Any],
    buffers: Sequence[bytes],
    metadata: Mapping[str, Any],
) -> None:
    """See `Session.comm`."""
    message = {
        "run": track.run_id,
        "msg_type": msg_type,
        "content": dict(content),
        "metadata": dict(metadata),
        "buffers": [base64.b64encode(part).decode() for part in buffers],
    }
    interpreter, current = engine.keeper.interpreter, engine.jobs.sent
    if interpreter is None or interpreter.agent is None:
        return
    feed = engine.feed_of(track)
    if current is None or interpreter.control is None:
        engine.ask(lambda idle: _comm_when_idle(idle, feed, message), ensure=False).result()
    else:
        _comm_while_busy(engine, interpreter.control, interpreter.agent, feed, message)
    if feed.done is not None:
        track.finish(finished_of(feed, cancelled=False))


def _comm_while_busy(engine: Engine, control: Control, agent: Agent, feed: Feed, message: Mapping[str, Any]) -> None:
    """The agent handles it on a thread beside the command; what its handlers write is a run of its own."""
    sealed = wire.seal(agent.key, json.dumps({"type": "comm", **message}).encode())
    control.ask("post", {"spool": agent.spool, "sealed": sealed})
    deadline_s = engine.clock.now() + _COMM_TIMEOUT_S
    while feed.done is None and engine.clock.now() < deadline_s:
        if engine.jobs.sent is None:
            # The agent looks for messages while a command runs, and this one may have come a moment too late. Should
            # it have been seen, the agent refuses to handle it a second time.
            engine.ask(lambda idle: _comm_when_idle(idle, feed, message), ensure=False).result()
            return
        place = {"spool": agent.spool, "run": feed.track.run_id, "offset": feed.offset, "wait_s": _COMM_WAIT_S}
        answer = control.ask("read", {**place, "max_chars": SAFE_CHARS})
        feed.take(int(answer["offset"]), wire.unpack_piece(answer))


def _comm_when_idle(idle: Interpreter, feed: Feed, message: Mapping[str, Any]) -> None:
    frame = idle.context.frame(wire.call_text("comm", dict(message)))
    if frame.get("payload"):
        feed.take(0, str(frame["payload"]).encode())
    if feed.done is None:
        # Too much for the frame; or the message was sent twice, and handled the first time.
        read_rest(idle, feed, None, feed.track.over)
