"""The body of a request while it arrives: in memory, a large one in a file."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

IN_MEMORY_BYTES = 32_000_000
"""A larger body goes to a file."""


class Body:
    """Files are made in `folder`, and are gone when it is closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes = bytearray()
        self._file: Any = None

    async def add(self, piece: bytes) -> None:
        """What has arrived next."""
        if self._file is None and len(self._bytes) + len(piece) <= IN_MEMORY_BYTES:
            self._bytes += piece
            return
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(dir=self._folder, prefix=".upload-", delete=False)  # noqa: SIM115 - see close
            await asyncio.to_thread(self._file.write, bytes(self._bytes))
            self._bytes.clear()
        await asyncio.to_thread(self._file.write, piece)

    def kept(self) -> bytes | Path:
        """All of it, or the file that it is in."""
        if self._file is None:
            return bytes(self._bytes)
        self._file.flush()
        return Path(self._file.name)

    def whole(self) -> bytes:
        """All of it."""
        kept = self.kept()
        return kept if isinstance(kept, bytes) else kept.read_bytes()

    def close(self) -> None:
        """Remove the file, unless somebody has moved it away. Idempotent."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None
