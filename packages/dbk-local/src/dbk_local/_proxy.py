"""`/driver-proxy-api/o/<workspace>/<cluster>/<port>/...`: what HTTP and WebSocket through the driver proxy share."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.routing import Matcher

from . import _trouble
from ._api_commands import check_access
from ._body import Body
from ._guard import Guarded
from ._log import Request
from ._replies import ApiError, Reply, permission_denied
from ._site import Site

PATH = re.compile(r"/driver-proxy-(?:api|http)/o/(?P<workspace>\d+)/(?P<cluster>[^/]+)/(?P<port>\d+)(?P<rest>/.*)?")
CONNECT_S = 10.0
NOBODY = Reply(502, b"Bad Gateway: nothing answers on that port of the driver\n", {"Content-Type": "text/plain"})
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers between two neighbours, never passed on (RFC 9110 §7.6.1)."""


class ProxyPath(Matcher):
    """Requests for the driver proxy, WebSocket or not."""

    def __init__(self, socket: bool) -> None:
        self._socket = socket

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """No arguments when it is one; None when it is not."""
        is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
        path = urlsplit(request.uri or "/").path
        return {} if is_socket == self._socket and path.startswith("/driver-proxy") else None


@dataclass(frozen=True)
class Target:
    """Where a request of the proxy goes."""

    host: str
    port: int
    rest: str
    """Path and query as the driver's server sees them."""

    @property
    def place(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"


def target_of(site: Site, method: str, uri: str) -> Target:
    """Where a request goes.

    Raises:
        ApiError: no such cluster, not running, not allowed, or the proxy is disabled.
    """
    parts = urlsplit(uri)
    found = PATH.fullmatch(parts.path)
    if found is None or int(found["port"]) > 65535:
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {parts.path}'")
    cluster = site.clusters.get(found["cluster"])
    if cluster is None:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", f"Cluster {found['cluster']} does not exist")
    if site.options.driver_proxy == "disabled":
        raise permission_denied("The driver proxy is disabled in this workspace.")
    check_access(site, cluster)
    if not cluster.is_ready:
        raise cluster.unexpected()
    query = f"?{parts.query}" if parts.query else ""
    return Target(driver_address(site), int(found["port"]), (found["rest"] or "/") + query)


def driver_address(site: Site) -> str:
    """An address of this machine that a server bound to `127.0.0.1` alone does not answer on.

    On a real cluster the proxy comes from another machine, so such a server cannot be reached. On Linux the whole of
    127/8 is this machine; elsewhere only 127.0.0.1 is, and this workspace is kinder than a real one.
    """
    far = site.options.proxy_reaches == "any-address" and sys.platform == "linux"
    return "127.0.0.2" if far else "127.0.0.1"


def passed_on(headers: HTTPHeaders, kept_back: frozenset[str]) -> HTTPHeaders:
    """The headers without those that belong to one hop, and without the workspace's token."""
    fewer = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in HOP_BY_HOP | kept_back | {"authorization", "host"}:
            fewer.add(name, value)
    return fewer


class ProxyEdge(Guarded):
    """The first steps of every proxied request, and its entry in the log."""

    def arrive(self) -> Target | None:
        """Where the request goes; None when it was refused and answered."""
        self.is_own = False
        self.number, self.started_s = self.site.log.next_number(), self.site.clock.unix_s()
        self.check_host()
        uri, method = self.request.uri or "/", str(self.request.method)
        self.target, self.query = urlsplit(uri).path, dict(parse_qsl(urlsplit(uri).query))
        self.body, self.faults = Body(self.site.folders.root), self.site.faults.strike(method, self.target, "")
        try:
            if not (self.is_authorized() and self.site.token_is_valid):
                self.refuse(_trouble.wrong_token("401"))
                return None
            if early := _trouble.instead(self):
                self.refuse(early)
                return None
            return target_of(self.site, method, uri)
        except ApiError as error:
            self.refuse(error.reply())
            return None

    def refuse(self, reply: Reply) -> None:
        """Answer with an error of the workspace's own."""
        self.set_status(reply.status)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        assert isinstance(reply.body, bytes)
        self.finish(reply.body)

    def note(self, bytes_in: int, bytes_out: int, status: int) -> None:
        """Put the request into the log."""
        self.site.log.add(
            Request(
                n=self.number,
                method=str(self.request.method),
                path=self.target,
                query=self.query,
                status=status,
                bytes_in=bytes_in,
                bytes_out=bytes_out,
                started_s=self.started_s,
                ended_s=self.site.clock.unix_s(),
                body_json=None,
                faults=tuple(fault.kind for fault in self.faults),
            )
        )
