"""One request over HTTP, sent once. What may be sent again, and when, is decided elsewhere (`_remote`).

The SDK's own client repeats every request after a dropped connection, `commands/execute` too, which runs the user's
code twice. So requests go out through `requests` directly, with the SDK's configuration for host and credentials.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from dbk_session._answers import Answer
from dbk_session._calls import Call
from dbk_session.errors import ConnectionLost

if TYPE_CHECKING:
    import requests

__all__ = ["Door", "Http", "NotSent", "Transport", "Unsure", "is_loopback"]

_CONNECT_TIMEOUT_S = 10.0
_READ_TIMEOUT_S = 60.0
_POOL_SIZE = 16


class NotSent(Exception):
    """The workspace certainly did not get the request: no name, no route, connection refused."""


class Unsure(Exception):
    """The request may have arrived: the connection broke, or no answer came in time."""


class Transport(Protocol):
    """Sends one request, once."""

    def send(self, call: Call) -> Answer:
        """The answer, good or bad.

        Raises:
            NotSent: it certainly did not arrive.
            Unsure: it may have.
        """

    def close(self) -> None:
        """Lets go of connections."""


@dataclass(frozen=True)
class Door:
    """Where the workspace is and how to be let in.

    Attributes:
        host: with scheme, without a slash at the end.
        headers: fresh request headers, credentials included; called for every request, refreshes by itself.
        verify: False accepts any certificate; a text is the path of a bundle.
    """

    host: str
    headers: Callable[[], Mapping[str, str]]
    verify: bool | str = True

    def __repr__(self) -> str:
        return f"Door({self.host!r})"


class Http:
    """A `Transport` over `requests`, which a session's threads share."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._session = _new_session(door)

    def send(self, call: Call) -> Answer:
        """See `Transport.send`."""
        import requests

        try:
            headers = self._door.headers()
        except ConnectionLost as error:
            raise NotSent(error.message) from error
        try:
            response = self._session.request(
                call.method, self._door.host + call.path, **_content(call), headers=headers
            )
        except requests.exceptions.ConnectionError as error:
            raise _sort(error) from error
        except (requests.exceptions.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise Unsure(_cause(error)) from error
        except requests.exceptions.RequestException as error:
            raise NotSent(_cause(error)) from error
        return Answer(response.status_code, response.text, _retry_after_s(response.headers.get("Retry-After")))

    def close(self) -> None:
        """See `Transport.close`."""
        self._session.close()


def _new_session(door: Door) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.verify = door.verify
    # netrc and proxies come from the environment, but a loopback address must never go through a proxy.
    session.trust_env = not is_loopback(door.host)
    session.auth = _Untouched()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_POOL_SIZE, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Untouched:
    """Keeps `requests` from replacing our Authorization header by an entry of ~/.netrc."""

    def __call__(self, request: Any) -> Any:
        return request


def _content(call: Call) -> dict[str, Any]:
    timeout = (_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S)
    if call.method == "GET":
        return {"params": dict(call.fields), "timeout": timeout, "allow_redirects": False}
    body = json.dumps(dict(call.fields)).encode()
    return {"data": body, "timeout": timeout, "allow_redirects": False}


def _sort(error: Exception) -> NotSent | Unsure:
    """Whether a failed connection can have carried the request."""
    from requests.exceptions import ConnectTimeout, ProxyError, SSLError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    never = isinstance(error, (ConnectTimeout, ProxyError, SSLError)) or isinstance(
        reason, (NewConnectionError, ConnectTimeoutError)
    )
    return NotSent(_cause(error)) if never else Unsure(_cause(error))


def _cause(error: BaseException) -> str:
    """The innermost reason in words; it never holds headers or bodies."""
    reason = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    text = str(reason)
    return text.rpartition(": ")[2] if text.startswith(("<", "HTTPConnection", "HTTPSConnection")) else text


def _retry_after_s(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    name = urlsplit(host).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
