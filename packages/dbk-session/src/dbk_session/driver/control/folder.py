"""What is in the spool folder: names of runs, sizes and contents of files."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver


def owner_of(spool: str) -> dict[str, Any]:
    """The process that made the folder, by what it left there."""
    with open(os.path.join(spool, "owner.json"), encoding="utf-8") as file:
        return dict(json.load(file))


def name_of(text: Any) -> str:
    """`text`, which a path may be made of.

    Raises:
        ValueError: It is not the name of a run.
    """
    if not wire.RUN_ID.fullmatch(str(text)) or set(str(text)) == {"."}:
        raise ValueError(f"{text!r} is not the name of a run")
    return str(text)


def size_of(path: str) -> int:
    """How long a file is; 0 when it is not there."""
    with contextlib.suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


def read_bytes(path: str, offset: int, max_chars: int) -> bytes:
    """What a file has from `offset` on, as much as may fit in an answer of `max_chars`; nothing without a file."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        file.seek(offset)
        # More than this never fits, however well it compresses.
        return file.read(max_chars * 64)
    return b""
