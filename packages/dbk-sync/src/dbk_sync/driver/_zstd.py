"""Unpacks a stream of zstd (RFC 8878) with what this Python has for it, in bounded memory.

That is a module of the standard library from Python 3.14, its backport, or pyarrow, which every runtime has for Spark.
These differ in what they take for an end, and in how much memory they let a stream ask for; so the bounds of the stream
are checked here, and they are given nothing but a single frame.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
from collections.abc import Iterator
from typing import Any

from ._names import is_synchronised
from ._refusals import BadPack, NoCodec, Refusal
from ._stream import SLICE_BYTES, Readable

MODULES = ("compression.zstd", "backports.zstd", "pyarrow")
"""In the order in which they are tried: lightest first."""
_MAGIC = 0xFD2FB528
_WINDOW_BYTES = 8 << 20
_BLOCK_BYTES = 128 << 10
_RESERVED, _RLE = 3, 1

_broken: set[str] = set()


def is_readable() -> bool:
    """Whether there is a module for it; none is imported to find out."""
    return any(_is_there(name) for name in MODULES)


def unpacked(raw: Readable) -> Iterator[bytes]:
    """What `raw` unpacks to, in slices; it must be one frame, and nothing else."""
    frame = Frame(raw)
    slices = _slices(frame)
    while True:
        try:
            piece = next(slices, b"")
        except Refusal:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                raise  # a file could not be read; pyarrow's own have no number
            raise BadPack(f"The pack is damaged: {error}.") from error
        if not piece:
            break
        yield piece
    if frame.read(1) or raw.read(1):
        raise BadPack("The pack goes on after its end.")


class Frame:
    """The frame at the front of `raw`, as a file; what follows it is not read."""

    closed = False

    def __init__(self, raw: Readable) -> None:
        self._raw = raw
        self._blocks = self._walk()
        self._block = b""

    def read(self, size: int, /) -> bytes:
        """1 to `size` bytes, or none at the end."""
        self._block = self._block or next(self._blocks, b"")
        piece, self._block = self._block[:size], self._block[size:]
        return piece

    def close(self) -> None:
        """Does nothing: `raw` is somebody else's."""

    def _walk(self) -> Iterator[bytes]:
        head = self._exactly(5)
        about = head[4]
        has_checksum, is_single = about >> 2 & 1, about >> 5 & 1
        if int.from_bytes(head[:4], "little") != _MAGIC or about & 0b1011:
            raise BadPack("The pack is damaged: this is no frame of zstd, or one that needs a dictionary.")
        window = self._exactly(1 - is_single)
        size = self._exactly((is_single, 2, 4, 8)[about >> 6])
        if (_window_bytes(window[0]) if window else int.from_bytes(size, "little")) > _WINDOW_BYTES:
            raise BadPack("The pack needs more memory to unpack than this receiver gives it.")
        yield head + window + size
        is_last = 0
        while not is_last:
            word = self._exactly(3)
            is_last, kind, length = word[0] & 1, word[0] >> 1 & 3, int.from_bytes(word, "little") >> 3
            if kind == _RESERVED or length > _BLOCK_BYTES:
                raise BadPack("The pack is damaged: a block of it is impossible.")
            yield word + self._exactly(1 if kind == _RLE else length)
        yield self._exactly(4 * has_checksum)

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = self._raw.read(size - len(found))
            if not piece:
                raise BadPack("The pack stops short of its end.")
            found += piece
        return found


def _slices(frame: Frame) -> Iterator[bytes]:
    for name in MODULES:
        if _is_there(name):
            try:
                module: Any = importlib.import_module(name)
            except Exception:  # such as pyarrow beside a numpy that it was not built for
                _broken.add(name)
                continue
            return _by_pyarrow(module, frame) if name == "pyarrow" else _by_module(module, frame)
    raise NoCodec("This Python has nothing that unpacks zstd.")


def _by_module(module: Any, frame: Frame) -> Iterator[bytes]:
    unpacker = module.ZstdDecompressor()
    while not unpacker.eof:
        packed = frame.read(SLICE_BYTES) if unpacker.needs_input else b""
        if piece := unpacker.decompress(packed, SLICE_BYTES):
            yield piece


def _by_pyarrow(pyarrow: Any, frame: Frame) -> Iterator[bytes]:
    with pyarrow.CompressedInputStream(pyarrow.PythonFile(frame, "r"), "zstd") as stream:
        while piece := stream.read(SLICE_BYTES):
            yield piece


def _window_bytes(descriptor: int) -> int:
    """The window that a byte of a frame's header asks for."""
    base = 1 << (10 + (descriptor >> 3))
    return base + base // 8 * (descriptor & 7)


def _is_there(name: str) -> bool:
    """Whether Python would import it, and not from a project: to look for a module must run nothing of the user's."""
    package, dot, _ = name.partition(".")
    try:
        spec = None if name in _broken else importlib.util.find_spec(package)  # which imports nothing, without a dot
        places = [] if spec is None else [*(spec.submodule_search_locations or [spec.origin or ""])]
        if not places or any(is_synchronised(place) for place in places):
            return False
        return not dot or importlib.machinery.PathFinder.find_spec(name, places) is not None
    except (ImportError, ValueError, AttributeError):  # it has been put there by hand
        return False
