"""Request bodies that can be sent again: each knows its length and is read from the start for every attempt."""

from __future__ import annotations

import hashlib
import io
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self

SPOOL_BYTES = 8 << 20
"""Packs up to this size stay in memory."""


class Reader(Protocol):
    """Something that gives bytes, in pieces of a size that is asked for, and none at its end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Body(Protocol):
    """Bytes to send. `open` gives them from the start, each time anew."""

    size_bytes: int

    def open(self) -> Reader: ...


class Bytes:
    """A body in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)

    def open(self) -> Reader:
        return io.BytesIO(self.content)


class Spooled:
    """A stream, kept in memory while it is small and in a temporary file when not. Use it as a context manager.

    It is read to its end before the first byte is sent: the services want to be told the length of a body first.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 -- closed by __exit__
        self.size_bytes = 0
        digest = hashlib.sha256()
        try:
            for piece in pieces:
                digest.update(piece)
                self.size_bytes += self._file.write(piece)
        except BaseException:
            self._file.close()
            raise
        self.sha256 = digest.hexdigest()

    def open(self) -> Reader:
        return _Rewound(self._file)

    def read_all(self) -> bytes:
        """All of it; for packs known to be small."""
        self._file.seek(0)
        return self._file.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Multipart:
    """A form (RFC 7578) with text fields and one file, which is not read into memory."""

    def __init__(self, fields: dict[str, str], name: str, file_name: str, file: Body) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head = "".join(parts).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self.size_bytes = len(self._head) + file.size_bytes + len(self._tail)

    def open(self) -> Reader:
        return _Chained([io.BytesIO(self._head), self._file.open(), io.BytesIO(self._tail)])


class Counted:
    """A body on its way, of known length; `sent(bytes)` hears how much went out in each read.

    Not one of `io`'s own classes: `requests` asks those for a position and takes the lack of one for an empty body.
    """

    def __init__(self, body: Body, sent: Callable[[int], None]) -> None:
        self._file = body.open()
        self._size_bytes = body.size_bytes
        self._sent = sent

    def __len__(self) -> int:
        return self._size_bytes

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(1 << 18):
            yield piece

    def read(self, size: int = -1) -> bytes:
        # The standard client asks for 16 KiB at a time, which is a lot of calls for a large pack.
        piece = self._file.read(max(size, 1 << 18) if size >= 0 else size)
        self._sent(len(piece))
        return piece


class _Rewound:
    """The spool from its start."""

    def __init__(self, file: tempfile.SpooledTemporaryFile[bytes]) -> None:
        file.seek(0)
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class _Chained:
    """Several files, one after the other."""

    def __init__(self, files: list[Reader]) -> None:
        self._files = files

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(file.read() for file in self._files)
        while self._files:
            piece = self._files[0].read(size)
            if piece:
                return piece
            self._files.pop(0)
        return b""
