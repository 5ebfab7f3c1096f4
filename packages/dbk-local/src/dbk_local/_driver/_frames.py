"""Messages between the processes of a driver: a 4-byte big-endian length, then JSON in UTF-8.

Everything travels over socket pairs, so there is no address a stranger could connect to.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct(">I")


def pack(message: dict[str, Any]) -> bytes:
    """The bytes of one message."""
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def send(sock: socket.socket, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Send one message over a blocking socket; `fds` are duplicated into the receiver."""
    data = pack(message)
    sent = socket.send_fds(sock, [data], list(fds)) if fds else 0
    sock.sendall(data[sent:])


def receive(sock: socket.socket, max_fds: int = 0) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message of a blocking socket and the file descriptors that came with it; None at the end."""
    # Descriptors belong to the first byte of a message, so only its length is read in the way that takes them.
    header, fds, _flags, _address = socket.recv_fds(sock, _LENGTH.size, max_fds)
    if len(header) < _LENGTH.size:
        rest = _exactly(sock, _LENGTH.size - len(header)) if header else None
        if rest is None:
            return None, fds
        header += rest
    body = _exactly(sock, _LENGTH.unpack(header)[0])
    return (None if body is None else json.loads(body)), fds


def _exactly(sock: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = sock.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


async def read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message of an asyncio stream, None at its end."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message: dict[str, Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return message


async def read_socket(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> dict[str, Any] | None:
    """The next message of a non-blocking socket, None at its end."""
    header = await _read_exactly(loop, sock, _LENGTH.size)
    body = None if header is None else await _read_exactly(loop, sock, _LENGTH.unpack(header)[0])
    if body is None:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


async def _read_exactly(loop: asyncio.AbstractEventLoop, sock: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = await loop.sock_recv(sock, min(count - len(parts), 1 << 20))
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)
