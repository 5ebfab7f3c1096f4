"""What came in and went out, in order, for tests and for the start page."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

LOG = logging.getLogger("dbk.local")
KEPT = 20_000
KEPT_BODY_BYTES = 64_000_000


@dataclass(frozen=True)
class Request:
    """One request as the workspace saw it. Never holds a header, so never a token."""

    n: int
    """Counts from 1 in order of arrival."""
    method: str
    path: str
    """Decoded, without the query."""
    query: dict[str, str]
    status: int
    """0 when no answer went out (a dropped connection)."""
    bytes_in: int
    """Bytes of the body."""
    bytes_out: int
    started_s: float
    """Seconds since the epoch."""
    ended_s: float
    body_json: dict[str, Any] | None
    """The named arguments of the body when it was JSON or a form; None for raw content and for very large bodies."""
    route: str = ""
    """`METHOD /path` of the route that answered; empty when there was none."""
    faults: tuple[str, ...] = ()
    """Kinds of the faults that hit it."""

    def as_json(self) -> dict[str, Any]:
        """By field."""
        return asdict(self)


class RequestLog:
    """The last requests, bounded in number and in bytes of bodies."""

    def __init__(self) -> None:
        self._requests: deque[Request] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._body_bytes = 0

    def next_number(self) -> int:
        """The number of a request that has just arrived."""
        return next(self._numbers)

    def add(self, request: Request) -> None:
        """Keep a request that is over."""
        if self._body_bytes + request.bytes_in > KEPT_BODY_BYTES:
            self._drop_bodies()
        if request.body_json is not None:
            self._body_bytes += request.bytes_in
        self._requests.append(request)
        sizes = f"{request.bytes_in} bytes in, {request.bytes_out} out"
        LOG.info("%s %s: %d, %s", request.method, request.path, request.status, sizes)

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._requests.clear()
        self._body_bytes = 0

    def since(self, n: int = 0) -> Iterable[Request]:
        """Requests that arrived after number `n`, in order of arrival."""
        return sorted((request for request in self._requests if request.n > n), key=lambda request: request.n)

    def _drop_bodies(self) -> None:
        from dataclasses import replace

        bare = [replace(request, body_json=None) for request in self._requests]
        self._requests = deque(bare, maxlen=KEPT)
        self._body_bytes = 0
