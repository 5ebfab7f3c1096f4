"""What the client can ask of the control context while the user's interpreter is busy.

All of it works on the spool folder and on the process, so it also works when the user's code holds Python's lock for
minutes.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from ..agent.spool import interrupts, is_alive, sweep  # noqa: TID252 - the package has another name on the driver
from . import spark
from .folder import name_of, owner_of, read_bytes
from .reading import PIECE_CHARS, read


def probe(given: dict[str, Any]) -> dict[str, Any]:
    """Whether this context sees the agent's folder and its process."""
    try:
        owner = owner_of(given["spool"])
    except (OSError, ValueError) as error:
        return {"shared": False, "pid_visible": False, "reason": str(error)}
    return {"shared": owner["nonce"] == given["nonce"], "pid_visible": is_alive(owner) is True}


def answer(given: dict[str, Any]) -> dict[str, Any]:
    """Give the waiting cell its sealed answer."""
    name = f"{name_of(given['run'])}.{name_of(given['id'])}"
    _write(given["spool"], os.path.join("answers", name), given["sealed"].encode("ascii"))
    return {}


def post(given: dict[str, Any]) -> dict[str, Any]:
    """Leave a sealed message for an agent that is busy."""
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    _write(given["spool"], os.path.join("inbox", name), given["sealed"].encode("ascii"))
    return {}


def interrupt(given: dict[str, Any]) -> dict[str, Any]:
    """SIGINT to the user's interpreter, if it is still the one that made the folder.

    With `presses` only when fewer interrupts than that have reached the run.
    """
    owner = owner_of(given["spool"])
    presses = given.get("presses")
    if presses is not None and interrupts(given["spool"]) >= presses:
        return {"how": "delivered"}
    alive = is_alive(owner)
    if alive:
        try:
            os.kill(int(owner["pid"]), signal.SIGINT)
        except (PermissionError, ProcessLookupError):
            alive = None
        else:
            return {"how": "signal"}
    if alive is None and given.get("sealed"):
        # The agent looks into its inbox while a cell runs, and signals itself.
        post(given)
        return {"how": "inbox"}
    return {"how": "gone"}


def snapshot(given: dict[str, Any]) -> dict[str, Any]:
    """A piece of the namespace snapshot, or only its stamp when the client has that one."""
    path = os.path.join(given["spool"], "snapshot.json")
    try:
        state = os.stat(path)
    except FileNotFoundError:
        return {"stamp": "", "unchanged": not given.get("stamp"), "offset": 0, "bytes": 0, "data": None, "size": 0}
    stamp = f"{state.st_mtime_ns}-{state.st_ino}"
    offset = int(given.get("offset", 0))
    if stamp == given.get("stamp") and offset == 0:
        return {"stamp": stamp, "unchanged": True, "offset": 0, "bytes": 0, "data": None, "size": state.st_size}
    max_chars = int(given.get("max_chars", PIECE_CHARS))
    piece, used = wire.pack_piece(read_bytes(path, offset, max_chars), max_chars)
    return {"stamp": stamp, "unchanged": False, "offset": offset, "bytes": used, "data": piece, "size": state.st_size}


def cleanup(given: dict[str, Any]) -> dict[str, Any]:
    """Delete the folder, if it is one of ours."""
    owner_of(given["spool"])
    shutil.rmtree(given["spool"], ignore_errors=True)
    return {"removed": not os.path.exists(given["spool"])}


def _write(spool: str, name: str, data: bytes) -> None:
    """Make a file that appears whole."""
    new = os.path.join(spool, f".{secrets.token_hex(8)}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    os.replace(new, os.path.join(spool, name))


OPERATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "answer": answer,
    "cancel_spark": lambda given: spark.cancel(given.get("group"), given.get("tag")),
    "cleanup": cleanup,
    "post": post,
    "probe": probe,
    "progress": lambda given: spark.progress(given.get("group"), given.get("tag")),
    "read": read,
    "signal": interrupt,
    "snapshot": snapshot,
    "sweep": lambda given: {"removed": sweep(given.get("root"))},
}
