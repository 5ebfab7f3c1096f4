"""Requests to the workspace: authenticated, counted, and repeated only where that is safe."""

from __future__ import annotations

import contextlib
import itertools
import json as jsons
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body, Bytes, Counted
from dbk_sync._retry import is_final, pause_after, pause_at, reason_of, too_busy
from dbk_sync.errors import AccessError, TransientError

if TYPE_CHECKING:
    import requests

LOG = logging.getLogger("dbk.sync.http")

TIMEOUT_S: Final = (10.0, 120.0)
"""To connect; between two bytes of an answer. A large upload is answered only when its last byte has arrived."""
PATIENCE_S: Final = 120.0
"""How long is waited between the attempts of one request, in all."""
ATTEMPTS: Final = 12
HURRIED_S: Final = (3.0, 5.0)
"""The same as `TIMEOUT_S`, for somebody who is about to leave."""
CONNECTIONS: Final = 20


@dataclass
class Traffic:
    """What went over the wire: every attempt of a request counts; bytes are those of the bodies."""

    requests: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class Http:
    """The workspace at `host`.

    Args:
        host: `https://...`, without a slash at the end.
        authenticate: Gives the headers that sign a request; called for each, since tokens expire.
        sleep: Waits between attempts.
    """

    def __init__(
        self, host: str, authenticate: Callable[[], Mapping[str, str]], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.host = host.rstrip("/")
        self.traffic = Traffic()
        self.attempts = ATTEMPTS
        """How often a request is sent at most."""
        self._timeout_s = TIMEOUT_S
        self._authenticate = authenticate
        self._sleep = sleep
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Http {self.host}>"

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        body: Body | None = None,
        content_type: str = "application/octet-stream",
        repeatable: bool = True,
        progress: Callable[[int], None] | None = None,
    ) -> Answer:
        """Sends one request, with a JSON value or a body, and gives the answer, whatever its status.

        Args:
            method: The HTTP method.
            path: The path, already quoted.
            query: The query; values as the API wants them (`true`, not `True`).
            json: A value to send as JSON.
            body: Bytes to send.
            content_type: What `body` is.
            repeatable: Whether it may happen twice, so that it is sent again when its fate is unknown.
            progress: Hears how many bytes of the body went out so far, from 0 again at another attempt.

        Raises:
            TransientError: No answer, or only refusals for now, until patience ran out.
        """
        if json is not None:
            body, content_type = Bytes(jsons.dumps(json).encode()), "application/json"
        waited_s = 0.0
        for attempt in itertools.count(1):
            failure: TransientError | None = None
            try:
                answer = self._once(method, path, query, body, content_type, progress)
                pause_s = pause_after(answer, attempt, repeatable)
                if pause_s is None:
                    return answer
                failure = too_busy(answer)
            except OSError as error:  # all that `requests` raises about connections is one
                failure = self._lost(method, path, error)
                pause_s = pause_at(attempt)
                if not repeatable or is_final(error):
                    raise failure from error
            waited_s += pause_s
            if waited_s > PATIENCE_S or attempt >= self.attempts:
                raise failure
            LOG.info("%s Attempt %d in %.1f s.", failure.message, attempt + 1, pause_s)
            self._sleep(pause_s)
        raise AssertionError("an endless loop has ended")

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Within, a request is sent once and soon given up: for what is only tidied up by somebody who leaves."""
        before = self.attempts, self._timeout_s
        self.attempts, self._timeout_s = 1, HURRIED_S
        try:
            yield
        finally:
            self.attempts, self._timeout_s = before

    def close(self) -> None:
        """Closes its connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Body | None,
        content_type: str,
        progress: Callable[[int], None] | None,
    ) -> Answer:
        headers = {**self._authenticate(), **({} if body is None else {"Content-Type": content_type})}
        sent = 0

        def count(size: int) -> None:
            nonlocal sent
            sent += size
            if progress is not None:
                progress(sent)

        with self._lock:
            self.traffic.requests += 1
        response = self._connections().request(
            method,
            self.host + path,
            params=query,
            data=None if body is None else Counted(body, count) if body.size_bytes else b"",
            headers=headers,
            timeout=self._timeout_s,
            allow_redirects=False,  # a redirect is a sign-in page, and would take the token along
        )
        with self._lock:
            self.traffic.sent_bytes += sent
            self.traffic.received_bytes += len(response.content)
        answer = Answer(method, path, response.status_code, response.headers, response.content)
        LOG.debug("%s %s: %s", method, path, answer.status)
        if 300 <= answer.status < 400:
            raise AccessError(
                f"{self.host} answers with a redirect to {response.headers.get('Location', 'nowhere')[:200]}.",
                "Check DATABRICKS_HOST, the network, VPN and private link.",
                status=answer.status,
            )
        return answer

    def _connections(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                import requests
                from requests.adapters import HTTPAdapter

                self._session = requests.Session()
                self._session.headers["User-Agent"] = "dbk-sync"
                self._session.auth = _keep_headers
                adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS)
                for scheme in ("https://", "http://"):
                    self._session.mount(scheme, adapter)
                if urlsplit(self.host).hostname in ("127.0.0.1", "localhost", "::1"):
                    self._session.trust_env = False  # no proxy, no netrc
            return self._session

    def _lost(self, method: str, path: str, error: OSError) -> TransientError:
        with contextlib.suppress(Exception):
            self.close()
        hint = "Check network connectivity and DATABRICKS_HOST, then try again."
        if is_final(error):
            hint = "Check DATABRICKS_HOST; if your network has its own certificates, point REQUESTS_CA_BUNDLE to them."
        return TransientError(f"Connection lost: {method} {self.host}{path}: {reason_of(error)}", hint)


def _keep_headers(request: Any) -> Any:
    """Keeps `requests` from replacing our Authorization header by what `~/.netrc` has for the host."""
    return request
