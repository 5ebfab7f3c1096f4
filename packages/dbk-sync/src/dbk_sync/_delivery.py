"""How a pack gets to the receiver: in a command when it is small, else through the first store that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dbk_sync._far_side import FarSide
from dbk_sync._parts import Parts
from dbk_sync._upload import Uploader, removed_afterwards
from dbk_sync.errors import UploadError

INLINE_BYTES: Final = 600_000
"""Largest pack that travels in a command of its own, 800,000 characters in base64."""


class Delivery:
    """Brings packs to the far side, by the stores of `uploader`."""

    def __init__(self, far: FarSide, uploader: Uploader) -> None:
        self._far = far
        self._uploader = uploader

    def send(self, parts: Parts, secret: bool, progress: Callable[[int], None]) -> tuple[str, dict[str, Any]]:
        """How the pack travelled, and what the receiver says to it; what is secret is in no command text.

        The driver is asked what it can read while the pack is still being made.

        Raises:
            UploadError: No store takes it.
        """
        if not secret and parts.fits(INLINE_BYTES):
            return "inline", self._far.ask("apply", parts.open().read(INLINE_BYTES), source={"kind": "inline"})
        if not self._far.has_dbfs():
            self._uploader.refuse("dbfs", "The driver cannot read DBFS: this cluster has no /dbfs.")
        for name in list(self._uploader.usable(secret)):
            uploaded = self._uploader.put(name, parts, self._far.required(), self._far.session, progress)
            if uploaded is None:
                continue
            with removed_afterwards(uploaded) as gone:
                answer = self._far.ask("apply", source=uploaded.source)
                if answer.get("pack_removed"):
                    gone.append(True)
            if answer.get("error", {}).get("code") != "no-pack":
                return name, answer
            self._uploader.refuse(name, answer["error"]["message"])
        hint = "Verify DBFS write access to /tmp/, or set sync.volume or sync.store."
        raise UploadError(self._no_store(secret), hint)

    def _no_store(self, secret: bool) -> str:
        reasons = self._uploader.reasons
        if secret:
            reasons.append("Files that look like secrets, and all with sync.inline = false, never travel in commands.")
        return "No store takes the files. " + " ".join(reasons)
