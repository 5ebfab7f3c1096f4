"""The second context on the cluster: it reads what the busy interpreter writes, and passes answers and signals on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from dbk_session._context import Context, frame_in
from dbk_session._plain import text_of
from dbk_session._remote import Stopped
from dbk_session._room import Room
from dbk_session._schedule import CONTROL
from dbk_session.driver import wire
from dbk_session.errors import CommandFailed

__all__ = ["Control"]


class Control:
    """A control context. May be used from any thread.

    A context runs one command at a time, so a long poll gives way when something else is to be asked.

    Args:
        context: with the control module installed.
        room: how much it may answer.
    """

    def __init__(self, context: Context, room: Room) -> None:
        self.context = context
        self.room = room
        self._turn = threading.Lock()
        self._state = threading.Lock()
        self._urgent = 0
        self._give_way = threading.Event()
        self._look = threading.Event()

    def ask(self, op: str, arguments: Mapping[str, Any]) -> Any:
        """Runs one operation, ahead of a long poll, and gives its value.

        Raises:
            Gone, NoAgent, CommandFailed, SessionError: see `Context.ask`.
        """
        with self._state:
            self._urgent += 1
        try:
            self.give_way()
            with self._turn:
                return self.context.ask(wire.control_text(op, dict(arguments)))
        finally:
            with self._state:
                self._urgent -= 1

    def give_way(self) -> None:
        """Ends the present long poll, if there is one."""
        self._give_way.set()
        self._look.set()

    def look(self) -> None:
        """Has the present long poll asked for at once: there is reason to believe that it has found something."""
        self._look.set()

    def poll(self, op: str, arguments: Mapping[str, Any], waited: float | None) -> Any:
        """Runs one long-polling operation; None when it gave way, or when its answer was cut for want of room.

        One that was lost on its way is sent again, for it changes nothing; in between it gives way, too.

        Args:
            op: the operation.
            arguments: of it; `max_chars` says how much it may answer.
            waited: how long the last question was waited for, None to ask quickly at first.

        Raises:
            Gone, NoAgent, CommandFailed, SessionError: see `Context.ask`.
        """
        with self._turn:
            self._give_way.clear()
            self._look.clear()
            if self._urgent:
                return None
            try:
                text = wire.control_text(op, dict(arguments))
                command_id = self.context.execute(text, self._give_way, repeatable=True)
            except Stopped:
                return None
            results = self._await(command_id, waited)
            frame = frame_in(results)
        if frame is None:
            if text_of(results) is not None:
                self.room.was_cut(int(arguments["max_chars"]))
            return None
        if not frame.get("ok"):
            error = frame.get("error") or {}
            raise CommandFailed(str(error.get("ename")), str(error.get("evalue")))
        return frame.get("value")

    def _await(self, command_id: str, waited: float | None) -> Mapping[str, Any] | None:
        """The results; None after giving way. Nothing found for long means that the next look can wait, too."""
        if waited is not None:
            self.context.clock.wait(self._look, waited)
        while True:
            if self._give_way.is_set():
                self.context.cancel(command_id)
                return None
            status = self.context.status(command_id)
            if status.is_final:
                return status.results
            waited = CONTROL.after(waited)
            if self.context.clock.wait(self._look, waited):
                self._look.clear()
                waited = None
