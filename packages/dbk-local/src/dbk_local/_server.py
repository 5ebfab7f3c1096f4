"""The workspace as a running server on this machine's loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.routing import Rule
from tornado.web import Application

from . import (
    _api_catalog,
    _api_clusters,
    _api_commands,
    _api_dbfs,
    _api_files,
    _api_identity,
    _api_local,
    _api_secrets,
    _api_workspace,
)
from ._cluster_driver import OpenDriver
from ._driver import open_driver
from ._folders import Folders
from ._gateway import Gateway
from ._guard import allowed_hosts
from ._options import Options
from ._page import PARTS as PAGES
from ._page import Page
from ._proxy import ProxyPath
from ._proxy_http import HttpProxy
from ._proxy_socket import SocketProxy
from ._root_folder import kept_folder, kept_token, own_folder
from ._routes import Table
from ._site import DEFAULT_CLUSTER_ID, Site
from .errors import CannotListen, NotLoopback

PARTS = (
    _api_commands,
    _api_clusters,
    _api_dbfs,
    _api_workspace,
    _api_files,
    _api_catalog,
    _api_secrets,
    _api_identity,
    _api_local,
)
TABLE = Table(route for part in PARTS for route in part.ROUTES)
LARGEST_BODY_BYTES = 6 * 2**30


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket on the loopback.

    Raises:
        NotLoopback: the address is one that other machines can reach.
        CannotListen: the port is not to be had.
    """
    address = "127.0.0.1" if host == "localhost" else host
    if not _is_loopback(address):
        hint = "Listen on 127.0.0.1 and use an SSH tunnel to reach it from elsewhere."
        raise NotLoopback(f"{host} is not a loopback address.", hint)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol is named, or asyncio would leave Nagle's algorithm on: 44 ms for every answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    try:
        listener.bind((address, port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        hint = "Choose another --port, or 0 for one that is free."
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise CannotListen(f"Port {port} of {host} cannot be had: {reason}.", hint) from None
    return listener


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@contextlib.asynccontextmanager
async def serving(
    options: Options,
    folder: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    running: bool = True,
    driver: OpenDriver = open_driver,
) -> AsyncIterator[Site]:
    """A workspace that serves until the block ends; with no `folder`, its files are gone then.

    Raises:
        NotLoopback, CannotListen, FolderUnusable: see there.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listening_socket(host, port))
        root = stack.enter_context(kept_folder(folder) if folder else own_folder())
        if folder and not token:
            token = kept_token(folder)
        async with _serving(listener, options, root, token, running, driver) as site:
            yield site


@contextlib.asynccontextmanager
async def _serving(
    listener: socket.socket, options: Options, root: Path, token: str | None, running: bool, driver: OpenDriver
) -> AsyncIterator[Site]:
    site = Site(options, Folders(root.resolve()), driver, token)
    address, number = listener.getsockname()[:2]
    site.host = f"http://[{address}]:{number}" if ":" in address else f"http://{address}:{number}"
    site.hosts = allowed_hosts(number)
    about = {"site": site}
    rules: Any = [
        Rule(ProxyPath(socket=True), SocketProxy, about),
        Rule(ProxyPath(socket=False), HttpProxy, about),
        *((path, Page, about) for path in PAGES),
        (".*", Gateway, {**about, "table": TABLE}),
    ]
    server = HTTPServer(Application(rules, log_function=_no_log), max_body_size=LARGEST_BODY_BYTES)
    server.add_socket(listener)
    try:
        site.starts_running = running
        cluster = site.add_cluster({}, DEFAULT_CLUSTER_ID)
        if running:
            cluster.run_at_once()
        yield site
    finally:
        server.stop()
        await site.close()
        await server.close_all_connections()


@contextlib.asynccontextmanager
async def told_to_stop(until_eof: bool) -> AsyncIterator[asyncio.Event]:
    """An event that is set by SIGTERM, SIGINT, SIGHUP, or when the parent goes away."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    watch = loop.create_task(_parent_gone(stop)) if until_eof else None
    yield stop
    if watch:
        watch.cancel()


async def _parent_gone(stop: asyncio.Event) -> None:
    """Stdin ends when the parent is gone; its process id changes even where a sibling inherited our pipe."""
    parent = os.getppid()
    asyncio.get_running_loop().add_reader(0, _stop_at_end, stop)
    while os.getppid() == parent:
        await asyncio.sleep(1.0)
    stop.set()


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(0, 4096):
        stop.set()


def _no_log(_: object) -> None:
    """The request log is the workspace's own."""
