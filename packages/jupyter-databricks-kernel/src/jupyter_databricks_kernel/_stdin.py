"""Questions to the person at the front end: `input()` and `getpass()` of the code on the cluster."""

import asyncio
from collections.abc import Callable
from typing import Any

from zmq.eventloop.zmqstream import ZMQStream

__all__ = ["Stdin"]

# What a front end sends for the end of input (Ctrl-D), as ipykernel takes it.
END_OF_INPUT = "\x04"


class Stdin:
    """The stdin channel, used from the event loop only.

    Args:
        session: The Jupyter session that signs messages.
        socket: The channel's ROUTER socket.
        log: Takes a line about a reply that cannot be read.
    """

    def __init__(self, session: Any, socket: Any, log: Callable[[str], None]) -> None:
        self._session = session
        self._stream = ZMQStream(socket)
        self._stream.on_recv(self._receive, copy=False)
        self._log = log
        self._waiting: asyncio.Future[str] | None = None
        self._stale: set[str] = set()

    async def ask(self, prompt: str, *, password: bool, parent: dict[str, Any], ident: Any) -> str | None:
        """The line that the front end answers, None for the end of input.

        Args:
            prompt: The question.
            password: Whether the answer must not be shown.
            parent: The request whose code asks.
            ident: The address of the front end that sent it.
        """
        self._waiting = asyncio.get_running_loop().create_future()
        content = {"prompt": prompt, "password": password}
        question = self._session.send(self._stream, "input_request", content, parent, ident=ident)
        try:
            answer = await self._waiting
        finally:
            self._waiting = None
            self._stale.add(question["header"]["msg_id"])
        return None if answer == END_OF_INPUT else answer

    def _receive(self, msg: list[Any]) -> None:
        try:
            _, frames = self._session.feed_identities(msg, copy=False)
            reply = self._session.deserialize(frames, content=True, copy=False)
            value = str(reply["content"]["value"])
        except Exception as error:
            self._log(f"a reply on the stdin channel cannot be read: {error}")
            return
        # The prompt of an interrupted question stays on the screen: its answer must not reach the next one.
        stale = reply["parent_header"].get("msg_id") in self._stale
        if self._waiting is not None and not self._waiting.done() and not stale:
            self._waiting.set_result(value)
