"""Names of places to push to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from dbk_sync.errors import TargetError

Kind = Literal["dbfs", "volume", "workspace", "cluster"]

_HINT: Final = "Targets: dbfs:/DIR, /Volumes/CATALOG/SCHEMA/VOLUME/DIR, /Workspace/Users/NAME/DIR, cluster:ID."


@dataclass(frozen=True, slots=True)
class Target:
    """A place to push to.

    Attributes:
        kind: Which of the four.
        path: The directory, absolute, without a slash at its end (`/tmp/x` for `dbfs:/tmp/x`); the id of a cluster.
    """

    kind: Kind
    path: str

    def __str__(self) -> str:
        if self.kind == "cluster":
            return f"cluster:{self.path}"
        return f"dbfs:{self.path}" if self.kind == "dbfs" else self.path


def parse_target(text: str) -> Target:
    """The target that a person wrote.

    Raises:
        TargetError: It is none, or a directory that many share, such as the root or a user's home.
    """
    if text.startswith("cluster:"):
        if not re.fullmatch(r"cluster:[A-Za-z0-9-]+", text):
            raise TargetError(f"{text!r} does not name a cluster.", _HINT)
        return Target("cluster", text.removeprefix("cluster:"))
    path = text.removeprefix("dbfs:").rstrip("/")
    parts = path.split("/")[1:]
    if not path.startswith("/") or any(part in ("", ".", "..", ".databricks", ".git") for part in parts):
        raise TargetError(f"{text!r} is not a place to push to.", _HINT)
    if any(ord(char) < 32 or ord(char) == 127 for char in path):
        raise TargetError(f"{text!r} has control characters in it.", _HINT)
    return _placed(text, path, parts)


def _placed(text: str, path: str, parts: list[str]) -> Target:
    if parts[0] == "Volumes":
        kind, least = "volume", 4
    elif parts[0] in ("Workspace", "Users", "Shared", "Repos") and not text.startswith("dbfs:"):
        path = path if parts[0] == "Workspace" else f"/Workspace{path}"
        kind, least = "workspace", 4 if "/Workspace/Users" in path or "/Workspace/Repos" in path else 3
        parts = path.split("/")[1:]
    elif text.startswith("dbfs:"):
        kind, least = "dbfs", 1
    else:
        raise TargetError(f"{text!r} is not a place to push to.", _HINT)
    if len(parts) < least:
        raise TargetError(f"{text!r} is shared by others; name a directory in it.", _HINT)
    return Target(kind, path)  # type: ignore[arg-type]
