"""One HTTP request through the driver proxy: bodies stream in both directions."""

from __future__ import annotations

from typing import Any

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate, RequestStartLine
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import Finish, stream_request_body

from . import _trouble
from ._proxy import CONNECT_S, HOP_BY_HOP, NOBODY, ProxyEdge, Target, passed_on
from ._site import Site

_LIMITS = HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=100 * 2**30)


@stream_request_body
class HttpProxy(ProxyEdge):
    """The workspace's side of it."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def initialize(self, site: Site) -> None:
        super().initialize(site)
        self.bytes_in = self.bytes_out = 0
        self.far: HTTP1Connection | None = None
        self.stream: IOStream | None = None
        self.noted = False

    async def prepare(self) -> None:
        target = self.arrive()
        if target is None:
            raise Finish
        try:
            await _trouble.before(self)
            self.stream = await TCPClient().connect(target.host, target.port, timeout=CONNECT_S)
        except _trouble.Dropped:
            _trouble.cut(self)
            raise Finish from None
        except (OSError, StreamClosedError, TimeoutError):
            self.refuse(NOBODY)
            raise Finish from None
        self.stream.set_nodelay(True)
        self.far = HTTP1Connection(self.stream, True, _LIMITS)
        await self.far.write_headers(
            RequestStartLine(str(self.request.method), target.rest, ""), self._far_headers(target)
        )

    def _far_headers(self, target: Target) -> HTTPHeaders:
        headers = passed_on(self.request.headers, frozenset({"content-length", "expect"}))
        headers["Host"] = target.place
        headers["Connection"] = "close"
        if (length := self.request.headers.get("Content-Length")) is not None:
            headers["Content-Length"] = length
        elif "Transfer-Encoding" not in self.request.headers and self.request.method in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = "0"
        return headers

    async def data_received(self, chunk: bytes) -> None:
        self.bytes_in += len(chunk)
        if self.far is not None:
            await self.far.write(chunk)

    async def _pass_on(self) -> None:
        assert self.far is not None
        answer = _Answer(self)
        try:
            self.far.finish()
            whole = await self.far.read_response(answer)
        except (StreamClosedError, HTTPInputError):
            whole = False
        if not answer.began:
            self.refuse(NOBODY)
        elif not (whole and answer.ended) or _trouble.of_kind(self, "drop-after", "half-response"):
            _trouble.cut(self)
        elif not self._finished:
            await self.finish()

    get = head = post = put = patch = delete = options = _pass_on

    def on_connection_close(self) -> None:
        self._over(0)

    def on_finish(self) -> None:
        self._over(self.get_status())

    def _over(self, status: int) -> None:
        if self.stream is not None:
            self.stream.close()
        if not self.noted and hasattr(self, "faults"):
            self.noted = True
            self.note(self.bytes_in, self.bytes_out, status)


class _Answer(HTTPMessageDelegate):
    """Passes the driver's answer on while it arrives."""

    def __init__(self, handler: HttpProxy) -> None:
        self._handler = handler
        self.began = self.ended = False

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self.began = True
        self._handler.set_status(start_line.code, start_line.reason)
        self._handler.clear_header("Content-Type")
        for name, value in headers.get_all():
            # No cookie is ever set on the workspace's own origin.
            if name.lower() not in HOP_BY_HOP | {"set-cookie"}:
                self._handler.add_header(name, value)

    async def data_received(self, chunk: bytes) -> None:
        self._handler.bytes_out += len(chunk)
        self._handler.write(chunk)
        await self._handler.flush()

    def finish(self) -> None:
        self.ended = True

    def on_connection_close(self) -> None:
        """The driver's server went away in the middle."""
