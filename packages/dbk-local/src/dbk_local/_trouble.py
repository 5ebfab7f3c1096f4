"""How faults and latency take hold of one request in the gateway."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ._body import Body
from ._faults import Fault
from ._line import Line, Lines
from ._replies import ApiError, Reply

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from ._site import Site

GATEWAY_503 = "No webapps are available to handle your request. Please try again later."
HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign In - Databricks</title></head><body><pre>Please sign in</pre></body></html>"
)
INVALID_TOKEN_PAGE = (
    "<html><head><title>Error 403 Invalid access token.</title></head><body><h2>HTTP ERROR 403</h2>"
    "<p>Problem accessing the page. Reason:<pre>    Invalid access token.</pre></p></body></html>"
)


class Troubled(Protocol):
    """A request as faults see it."""

    site: Site
    request: HTTPServerRequest
    faults: list[Fault]
    target: str
    is_own: bool
    """The request is for `/_local/`, where there is no trouble."""
    query: dict[str, str]
    body: Body
    _auto_finish: bool


class Dropped(Exception):
    """The connection ends here."""


def wrong_token(form: str) -> Reply:
    """The answer to a wrong, expired or missing token, in the form the option names."""
    if form == "html":
        return Reply(403, INVALID_TOKEN_PAGE.encode(), {"Content-Type": "text/html;charset=utf-8"})
    if form == "401":  # what a missing token gets from every workspace
        return ApiError(
            401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."
        ).reply()
    return ApiError(403, "PERMISSION_DENIED", "Invalid access token.").reply()


def of_kind(gateway: Troubled, *kinds: str) -> list[Fault]:
    """The faults of some kinds that hit this request."""
    return [fault for fault in gateway.faults if fault.kind in kinds]


async def before(gateway: Troubled) -> None:
    """What happens on the way in.

    Raises:
        Dropped: the request is lost.
    """
    site = gateway.site
    if not gateway.is_own:
        await _wait(site.options.latency_s / 2)
    for fault in of_kind(gateway, "delay"):
        await _wait(float(fault.parameters.get("seconds", 1.0)))
    if of_kind(gateway, "drop-before"):
        raise Dropped
    if of_kind(gateway, "expired-token"):
        site.token_is_valid = False
    if of_kind(gateway, "evict-context", "restart-driver"):
        await _strike_cluster(gateway)


async def after(gateway: Troubled, reply: Reply) -> Reply:
    """What happens on the way out.

    Raises:
        Dropped: the answer is lost.
    """
    if not gateway.is_own:
        await _wait(gateway.site.options.latency_s / 2)
    if of_kind(gateway, "drop-after"):
        raise Dropped
    if spoilers := of_kind(gateway, "null-results", "truncate-text"):
        return _spoil(reply, spoilers)
    return reply


def instead(gateway: Troubled) -> Reply | None:
    """An answer in place of the endpoint's."""
    for fault in of_kind(gateway, "status", "429", "503", "html"):
        return _answer(fault)
    return None


def cut(gateway: Troubled) -> None:
    """Close the connection under the client."""
    gateway._auto_finish = False
    connection: Any = gateway.request.connection
    connection.stream.close()


def lines_of(gateway: Troubled) -> Lines:
    """The lines that carry this request: its own when a fault makes them narrow, else those of all."""
    return Lines() if of_kind(gateway, "bandwidth") else gateway.site.lines


async def throttle(gateway: Troubled, size: int, line: Line) -> None:
    """Take the time that `size` bytes need at the chosen bandwidth."""
    if pace := bytes_per_s(gateway):
        await line.carry(size, pace)


def bytes_per_s(gateway: Troubled) -> int:
    """The bandwidth of this request; 0: unlimited."""
    for fault in of_kind(gateway, "bandwidth"):
        return int(fault.parameters.get("bytes_per_s", 100_000))
    return 0 if gateway.is_own else gateway.site.options.bandwidth_bytes_per_s


async def _wait(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _answer(fault: Fault) -> Reply:
    given = fault.parameters
    headers = {} if given.get("retry_after") is None else {"Retry-After": str(given["retry_after"])}
    if fault.kind == "429":
        message = "Workspace 1234567890123456 exceeded the concurrent limit of 60 requests."
        made = ApiError(429, "REQUEST_LIMIT_EXCEEDED", message).reply()
    elif fault.kind == "503":
        made = Reply(503, GATEWAY_503.encode(), {"Content-Type": "text/plain;charset=utf-8"})
    elif fault.kind == "html" or given.get("html"):
        page = given["html"] if isinstance(given.get("html"), str) else HTML_PAGE
        made = Reply(int(given.get("status", 200)), page.encode(), {"Content-Type": "text/html;charset=utf-8"})
    elif "text" in given:
        made = Reply(int(given.get("status", 500)), str(given["text"]).encode(), {"Content-Type": "text/plain"})
    else:
        code, message = given.get("code", "INTERNAL_ERROR"), given.get("message", "Something went wrong.")
        made = ApiError(int(given.get("status", 500)), code, message).reply()
    return replace(made, headers={**made.headers, **headers})


def _spoil(reply: Reply, faults: list[Fault]) -> Reply:
    """Take away from a command's final status what the faults say."""
    if reply.status != 200 or not isinstance(reply.body, bytes):
        return reply
    body: dict[str, Any] = json.loads(reply.body)
    if body.get("status") != "Finished":
        for fault in faults:  # the result is what the fault is about: wait for it
            fault.hits -= 1
            fault.seen -= 1
        return reply
    for fault in faults:
        results = body.get("results") or {}
        if fault.kind == "null-results":
            body["results"] = None
        elif isinstance(results.get("data"), str):
            results["data"] = results["data"][: int(fault.parameters.get("chars", 50_000))]
    return replace(reply, body=json.dumps(body).encode())


async def _strike_cluster(gateway: Troubled) -> None:
    from ._call import arguments_of

    body = arguments_of(gateway.request.headers.get("Content-Type", ""), gateway.body.whole())
    named = {**gateway.query, **body}
    cluster = gateway.site.clusters.get(named.get("clusterId") or named.get("cluster_id") or "")
    if cluster is None:
        cluster = next(iter(gateway.site.clusters.values()))
    if of_kind(gateway, "restart-driver"):
        cluster.crash()
        await cluster.settle()
    elif cluster.contexts and (context_id := named.get("contextId")):
        await cluster.contexts.destroy(context_id)
