"""One WebSocket through the driver proxy: messages are passed on as they come, and how it was closed too."""

from __future__ import annotations

from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketHandler, websocket_connect

from ._guard import Guarded
from ._proxy import CONNECT_S, NOBODY, ProxyEdge, Target, passed_on
from ._site import Site

LARGEST_MESSAGE_BYTES = 100_000_000
_OWN = frozenset(f"sec-websocket-{name}" for name in ("key", "version", "extensions", "protocol"))
"""Headers each of the two handshakes makes for itself."""


class SocketProxy(ProxyEdge, WebSocketHandler):
    """The workspace's side of it."""

    def initialize(self, site: Site) -> None:
        Guarded.initialize(self, site)
        self.far: WebSocketClientConnection | None = None
        self.bytes_in = self.bytes_out = 0

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002 - the token is in a header, which no web page can send
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return self.far.selected_subprotocol if self.far and subprotocols else None

    async def get(self, *_: Any, **__: Any) -> None:
        if (target := self.arrive()) is None:
            return
        try:
            self.far = await self._connect(target)
        except Exception:  # refused, not a WebSocket, closed at once: the driver's server does not take it
            self.refuse(NOBODY)
            return
        await super().get()
        if self.ws_connection is None:  # a handshake that the client got wrong
            self.far.close()

    async def _connect(self, target: Target) -> WebSocketClientConnection:
        wanted = self.request.headers.get("Sec-WebSocket-Protocol", "")
        url, headers = f"ws://{target.place}{target.rest}", passed_on(self.request.headers, _OWN)
        return await websocket_connect(
            HTTPRequest(url, headers=headers, connect_timeout=CONNECT_S),
            on_message_callback=self._from_driver,
            max_message_size=LARGEST_MESSAGE_BYTES,
            subprotocols=[name.strip() for name in wanted.split(",")] if wanted else None,
        )

    async def on_message(self, message: str | bytes) -> None:
        self.bytes_in += len(message)
        if self.far:
            try:
                await self.far.write_message(message, binary=isinstance(message, bytes))
            except WebSocketClosedError:
                self.close()

    def _from_driver(self, message: str | bytes | None) -> None:
        if message is None:
            far = self.far
            self.close(far.close_code if far else None, far.close_reason if far else None)
            return
        self.bytes_out += len(message)
        if self.ws_connection is not None:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        if self.far:
            self.far.close(self.close_code, self.close_reason)
        self.note(self.bytes_in, self.bytes_out, 101)
