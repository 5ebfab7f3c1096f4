"""Who may ask: requests that were addressed to this machine, with the token in a header."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from tornado.web import HTTPError, RequestHandler

from ._site import Site

NEVER_A_NAME = "dbk-local.invalid"
"""RFC 2606 says this name resolves nowhere, so no web page can be served under it; clients that drop the port from
their host reach the workspace as their HTTP proxy under this name."""


def allowed_hosts(port: int) -> frozenset[str]:
    """The Host headers that are this machine; others are a web page that made a name point here."""
    names = ("127.0.0.1", "localhost", "[::1]")
    plain = {*names} if port == 80 else set()
    return frozenset({*(f"{name}:{port}" for name in names), *plain, NEVER_A_NAME, f"{NEVER_A_NAME}:80"})


def token_in(authorization: str) -> str:
    """The token of an Authorization header: bearer, or basic with the user `token`; empty when there is none."""
    kind, _, value = authorization.strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return ""
        return password if user == "token" else ""
    return ""


class Guarded(RequestHandler):
    """What every handler of this server does first: check the host, never set a cookie or a CORS header."""

    def initialize(self, site: Site) -> None:
        self.site = site

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    def check_host(self) -> None:
        """Refuse a request that was not addressed to this machine.

        Raises:
            HTTPError: 421, the request is for somebody else.
        """
        if self.request.host.lower() not in self.site.hosts:
            raise HTTPError(421, reason="Misdirected Request")

    def is_authorized(self) -> bool:
        """True when the request carries the token, in a header."""
        given = token_in(self.request.headers.get("Authorization", ""))
        return hmac.compare_digest(given.encode(), self.site.token.encode())

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002 - Tornado's signature
        self.finish(f"{status_code} {self._reason}\n")

    def compute_etag(self) -> None:
        """An answer is never said to be the same as before."""

    def check_xsrf_cookie(self) -> None:
        """There are no cookies."""
