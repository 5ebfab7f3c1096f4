"""Plain HTTPS to a workspace, by the standard library alone: a settings check must not need an SDK."""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from dbk_config._rules import is_loopback
from dbk_config._settings import Settings
from dbk_config.errors import DbkError, SettingNotSet

__all__ = ["Answer", "Unreachable", "Workspace", "connect"]

TIMEOUT_S = 30.0
_SET_TOKEN = "Set DATABRICKS_TOKEN environment variable or configure Databricks CLI."
LOG = logging.getLogger("dbk.config.rest")


class Unreachable(DbkError):
    """No answer from the host at all."""


@dataclass(frozen=True)
class Answer:
    """What the workspace answered.

    Attributes:
        status: HTTP status.
        body: the JSON object; empty when the answer was none.
        text: the start of the answer as text, for messages.
    """

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The `error_code`, or "": the HTTP status alone does not tell kinds of refusal apart (API 2.x)."""
        return str(self.body.get("error_code") or "")

    @property
    def message(self) -> str:
        """What the workspace says, in one line: `message` (API 2.x), `error` (1.2), `detail` (SCIM), or page text."""
        said = next((self.body[key] for key in ("message", "error", "detail") if self.body.get(key)), "")
        plain = re.sub(r"<[^>]*>", " ", self.text) if not said else str(said)
        return " ".join(plain.split())[:300] or f"HTTP status {self.status}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, not followed: the token in the header would go along to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Workspace:
    """A workspace's REST API: one call at a time, no retries."""

    def __init__(self, host: str, headers: Mapping[str, str]) -> None:
        self.host = host
        self._headers = headers
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if is_loopback(host):
            handlers.append(urllib.request.ProxyHandler({}))
        else:
            handlers.append(urllib.request.HTTPSHandler(context=_trust()))
        self._opener = urllib.request.build_opener(*handlers)

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        data: bytes | None = None,
    ) -> Answer:
        """Sends one request, a JSON `body` or raw `data` with it.

        Raises:
            Unreachable: no connection, no answer in time, or a certificate that is not trusted.
        """
        url = self.host + path + (f"?{urlencode(query)}" if query else "")
        headers = dict(self._headers)
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        answer = self._send(request)
        LOG.debug("%s %s: %s %s", method, path, answer.status, answer.code)
        return answer

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            try:
                with self._opener.open(request, timeout=TIMEOUT_S) as reply:
                    return _answer(reply.status, reply.read())
            except urllib.error.HTTPError as error:
                with error:
                    return _answer(error.code, error.read())
        except urllib.error.URLError as error:
            raise _unreachable(self.host, error.reason) from error
        except (OSError, ValueError) as error:
            raise _unreachable(self.host, error) from error


def connect(settings: Settings) -> Workspace:
    """The workspace of these settings, with their token, or with what the SDK finds when there is none.

    Raises:
        SettingNotSet: no host, or no credentials at all.
        DbkError: credentials that only the SDK can use, which is not installed or cannot use them.
    """
    settings.require("host")
    host = settings.host or ""
    if settings.token is not None:
        return Workspace(host, {"Authorization": f"Bearer {settings.token.reveal()}"})
    return Workspace(host, _sdk_headers(settings))


def _sdk_headers(settings: Settings) -> dict[str, str]:
    """The headers of whatever other credentials there are: OAuth, Azure, Google, OIDC, the CLI's own log-in."""
    try:
        from databricks.sdk.config import Config
    except ImportError:
        hint = f"{_SET_TOKEN} Other credentials than a token need the SDK: pip install databricks-sdk"
        raise SettingNotSet("DATABRICKS_TOKEN not set", hint, name="token") from None
    try:
        # A dead host would hold the constructor for minutes.
        config = Config(**settings.sdk_arguments(), retry_timeout_seconds=10, http_timeout_seconds=10)
        return dict(config.authenticate())
    except (ValueError, OSError) as error:
        said = str(error).split(". Config:")[0]
        if "cannot configure default credentials" in said:
            raise SettingNotSet("DATABRICKS_TOKEN not set", _SET_TOKEN, name="token") from error
        raise DbkError(f"The SDK cannot sign in: {said}", "Sign in again: databricks auth login") from error


def _trust() -> ssl.SSLContext:
    """The system's certificates, and those of the variables that `requests`, hence the SDK, follows."""
    context = ssl.create_default_context()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle:
        context.load_verify_locations(**{"capath" if os.path.isdir(bundle) else "cafile": bundle})
    return context


def _answer(status: int, raw: bytes) -> Answer:
    text = raw.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    return Answer(status, body if isinstance(body, dict) else {}, text[:2000])


def _unreachable(host: str, reason: object) -> Unreachable:
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = "If your network has its own certificates, point REQUESTS_CA_BUNDLE to them."
        return Unreachable(f"{host}: its certificate is not trusted ({reason.verify_message})", hint)
    said = getattr(reason, "strerror", None) or reason
    return Unreachable(f"{host} cannot be reached: {said}", "Check DATABRICKS_HOST, the network, VPN and proxy.")
