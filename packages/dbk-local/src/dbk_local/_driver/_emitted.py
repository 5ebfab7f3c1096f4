"""What one command gave besides text: the API returns a single kind of output, so everything is kept until it ends."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Emitted:
    """Outputs of the running command, filled in by the shell's seams and by `display`, `dbutils` and the like."""

    error: dict[str, Any] | None = None
    """`{"name", "message", "traceback": [str]}` of the last traceback that was shown."""
    exit_value: str | None = None
    """Argument of `dbutils.notebook.exit`."""
    table: dict[str, Any] | None = None
    """`{"schema", "data", "truncated"}` of the last frame displayed."""
    html: str | None = None
    images: list[str] = field(default_factory=list)
    """`data:` URLs in order."""
    restart: bool = False
    """Python is to be replaced by a fresh one."""

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return dict(vars(self))

    def add_bundle(self, data: dict[str, Any], figures: str) -> bool:
        """Take a MIME bundle; False when only its text is left to show."""
        for mime in ("image/png", "image/jpeg"):
            if mime in data and figures != "none":
                self.images.append(f"data:{mime};base64,{_base64(data[mime])}")
                return True
        if "text/html" in data and not any(mime.startswith("image/") for mime in data):
            self.html = str(data["text/html"])
            return True
        return False


def _base64(value: Any) -> str:
    text = base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
    return text.replace("\n", "")
