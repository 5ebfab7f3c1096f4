"""The HTTP edge: what arrived, which endpoint answers, and how the answer leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from . import _trouble
from ._body import Body
from ._call import Call, arguments_of
from ._guard import Guarded
from ._log import Request
from ._replies import ApiError, Reply
from ._routes import Route, Table
from ._site import Site

PIECE_BYTES = 256 * 1024


@stream_request_body
class Gateway(Guarded):
    """Every path that is not the start page or the driver proxy."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def initialize(self, site: Site, table: Table) -> None:  # type: ignore[override]  # Tornado passes keywords
        super().initialize(site)
        self.table = table
        self.body = Body(site.folders.root)
        self.bytes_in = self.bytes_out = 0
        self.logged = False
        self.arguments_in_body: dict[str, Any] | None = None

    async def prepare(self) -> None:
        self.started_s = self.site.clock.unix_s()
        self.check_host()
        # An absolute-form target is what a client sends that takes the workspace for its HTTP proxy.
        target = urlsplit(self.request.uri or "/")
        self.target = target.path or "/"
        self.query = dict(parse_qsl(target.query, keep_blank_values=True))
        method = str(self.request.method)
        self.found = self.table.find(method, self.target)
        self.route = self.found[0] if self.found else None
        # Log and faults are for the API alone: whoever staged them must be able to take them back.
        self.is_own = self.target.startswith("/_local/")
        self.number = 0 if self.is_own else self.site.log.next_number()
        name = self.route.name if self.route else ""
        self.faults = [] if self.is_own else self.site.faults.strike(method, unquote(self.target), name)
        self.lines = _trouble.lines_of(self)

    async def data_received(self, chunk: bytes) -> None:
        self.bytes_in += len(chunk)
        await _trouble.throttle(self, len(chunk), self.lines.inward)
        await self.body.add(chunk)

    async def _respond(self) -> None:
        try:
            await _trouble.before(self)
            reply = await self._reply()
            reply = await _trouble.after(self, reply)
            await self._send(reply)
        except _trouble.Dropped:
            self._drop()
        except StreamClosedError:
            self._drop()

    get = head = post = put = patch = delete = options = _respond

    async def _reply(self) -> Reply:
        try:
            if early := _trouble.instead(self):
                return early
            if self.found is None:
                return self._no_such_route()
            route, variables = self.found
            if not route.open and not (self.is_authorized() and (self.site.token_is_valid or self.is_own)):
                return self._refused()
            return await route.endpoint(self.site, self._call(route, variables))
        except ApiError as error:
            return error.reply()
        except Exception as error:  # the outermost edge: the client sees a 500, the operator the traceback
            self.log_exception(type(error), error, error.__traceback__)
            return ApiError(500, "INTERNAL_ERROR", f"{type(error).__name__}: {error}").reply()

    def _call(self, route: Route, variables: dict[str, str]) -> Call:
        body = self.body.kept() if route.raw else self.body.whole()
        named: dict[str, Any] = {}
        if not route.raw and isinstance(body, bytes):
            named = self.arguments_in_body = arguments_of(self.request.headers.get("Content-Type", ""), body)
        headers = {name.lower(): value for name, value in self.request.headers.get_all() if name != "Authorization"}
        path = unquote(self.target)
        return Call(str(self.request.method), path, self.query, {**self.query, **named}, variables, headers, body)

    def _no_such_route(self) -> Reply:
        method = self.request.method
        if self.is_authorized() or not self.target.startswith("/api/"):
            return ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {self.target}'").reply()
        return self._refused()

    def _refused(self) -> Reply:
        sent = "Authorization" in self.request.headers
        return _trouble.wrong_token(self.site.options.wrong_token if sent else "401")

    async def _send(self, reply: Reply) -> None:
        size = reply.length if reply.length is not None else _size(reply.body)
        self.set_status(reply.status)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        if reply.status != 204:
            self.set_header("Content-Length", str(size))
        if self.request.method == "HEAD":
            self.note_end(reply.status)
            await self.finish()
            return
        half = any(fault.kind == "half-response" for fault in self.faults)
        await self._write_body(reply, size // 2 if half else size)
        if half:
            raise _trouble.Dropped
        self.note_end(reply.status)
        await self.finish()

    async def _write_body(self, reply: Reply, size: int) -> None:
        if isinstance(reply.body, bytes):
            pace = _trouble.bytes_per_s(self)
            for start in range(0, size, pace or max(size, 1)):
                piece = reply.body[start : min(size, start + (pace or size))]
                self.write(piece)
                self.bytes_out += len(piece)
                if pace or size != len(reply.body):
                    await self.flush()
                    await _trouble.throttle(self, len(piece), self.lines.outward)
            if size != len(reply.body):
                await self.flush()
            return
        with reply.body.open("rb") as file:
            file.seek(reply.start)
            while size > 0 and (piece := await asyncio.to_thread(file.read, min(size, PIECE_BYTES))):
                self.write(piece)
                await self.flush()
                await _trouble.throttle(self, len(piece), self.lines.outward)
                size -= len(piece)
                self.bytes_out += len(piece)

    def _drop(self) -> None:
        """Close the connection under the client, without an answer or in the middle of one."""
        self.note_end(0)
        _trouble.cut(self)
        self.on_finish()

    def on_connection_close(self) -> None:
        self.note_end(0)
        self.on_finish()

    def on_finish(self) -> None:
        self.note_end(self.get_status())
        self.body.close()

    def note_end(self, status: int) -> None:
        # Before the last byte leaves: who has the answer finds the request in the log.
        if self.logged or not hasattr(self, "faults") or self.is_own:
            return
        self.logged = True
        kinds = tuple(fault.kind for fault in self.faults)
        arguments = self.arguments_in_body if self.bytes_in <= 8_000_000 else None
        self.site.log.add(
            Request(
                n=self.number,
                method=str(self.request.method),
                path=unquote(self.target),
                query=self.query,
                status=status,
                bytes_in=self.bytes_in,
                bytes_out=self.bytes_out,
                started_s=self.started_s,
                ended_s=self.site.clock.unix_s(),
                body_json=_printable(arguments),
                route=self.route.name if self.route else "",
                faults=kinds,
            )
        )


def _size(body: bytes | Path) -> int:
    return len(body) if isinstance(body, bytes) else body.stat().st_size


def _printable(arguments: dict[str, Any] | None) -> dict[str, Any] | None:
    """File parts by their size, secrets not at all."""
    if not arguments:
        return arguments
    return {name: _shown(name, value) for name, value in arguments.items()}


def _shown(name: str, value: Any) -> Any:
    if name in ("string_value", "bytes_value"):
        return "***"
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else value
