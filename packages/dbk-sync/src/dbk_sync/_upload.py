"""Brings a pack to where the driver can read it: the first store that works, from the chosen one downwards."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from dbk_sync._parts import Parts
from dbk_sync._receiver import Receiver, refusal_of
from dbk_sync._stores import Progress, Refused, Store
from dbk_sync._transfer import Transfer

ORDER: Final = ("dbfs", "volume", "workspace", "command")
"""Fastest and most widely readable first; the last needs no store at all."""
_SPOKEN: Final = {"dbfs": "DBFS", "volume": "the volume", "workspace": "workspace files", "command": "command text"}
PIECE_BYTES: Final = 640 << 10
"""A piece of a pack in one command: with base64 and the rest of the text it stays below 1 MiB."""


Place = Callable[[], tuple[Store, str]]
"""Gives a store and the directory in it for packs; called when first needed."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A pack in its place: what the receiver is told about it, and how it is removed again."""

    store: str
    source: dict[str, Any]
    remove: Callable[[], None]


class Uploader:
    """Where a pack can go to, and which of these places are known not to work.

    Args:
        first: The store to try first, one of `ORDER`; those after it follow, those before it are left alone.
        places: Where packs go, for each store but `command`.
        notify: Hears one sentence about each store that does not work, once.
    """

    def __init__(self, first: str, places: Mapping[str, Place], notify: Callable[[str], None]) -> None:
        self._names = ORDER[ORDER.index(first) :]
        self._places = places
        self._notify = notify
        self._refused: dict[str, str] = {}

    @property
    def reasons(self) -> list[str]:
        """Why stores do not work, one sentence each."""
        return list(self._refused.values())

    def refuse(self, name: str, reason: str) -> None:
        """Leaves a store alone from now on."""
        if name in self._refused or name not in self._names:
            return
        self._refused[name] = reason
        left = [other for other in self.usable(False) if other not in self._refused]
        self._notify(f"{reason} Using {_SPOKEN[left[0]]} instead." if left else reason)

    def usable(self, secret: bool) -> Iterator[str]:
        """Names of the stores to try, in order; what is secret never travels in command text."""
        for name in self._names:
            known = name == "command" or name in self._places
            if known and name not in self._refused and not (secret and name == "command"):
                yield name

    def put(self, name: str, parts: Parts, receiver: Receiver, session: str, progress: Progress) -> Uploaded | None:
        """The pack in the store `name`; None when the store refuses it, which is then said."""
        if name == "command":
            return _send_pieces(parts, receiver, session, progress)
        try:
            transfer = Transfer(*self._places[name](), progress)
            transfer.send(parts)
        except Refused as refusal:
            self.refuse(name, str(refusal))
            return None
        kind = "dbfs" if name == "dbfs" else "file"
        return Uploaded(name, {"kind": kind, "paths": transfer.paths}, transfer.remove)


@contextmanager
def removed_afterwards(uploaded: Uploaded) -> Iterator[list[bool]]:
    """Removes the pack at the end, whatever happens; not when the driver has put True in the list."""
    gone: list[bool] = []
    try:
        yield gone
    finally:
        if not gone:
            uploaded.remove()


def _send_pieces(parts: Parts, receiver: Receiver, session: str, progress: Progress) -> Uploaded:
    upload = secrets.token_hex(16)
    offset = 0
    file = parts.open()
    while piece := file.read(PIECE_BYTES):
        request = {"op": "piece", "session": session, "upload": upload, "offset": offset}
        answer = receiver.ask({**request, "sha256": hashlib.sha256(piece).hexdigest()}, piece)
        if "error" in answer:
            raise refusal_of(answer)
        offset += len(piece)
        progress(offset)
    return Uploaded("command", {"kind": "pieces", "upload": upload}, lambda: None)
