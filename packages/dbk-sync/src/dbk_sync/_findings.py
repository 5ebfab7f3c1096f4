"""What a scan has to say about single paths, apart from their entries."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Why a path is mentioned."""

    SPECIAL = "special"
    """Not a file, directory or link: skipped."""
    LINK = "link"
    """A link that would leave the source, or is absolute: skipped."""
    SECRET = "secret"
    """Looks like a secret by its name or first bytes: sent, unless `secrets = "error"`."""
    COLLISION = "collision"
    """Differs from another name only by case or Unicode form."""
    UNREADABLE = "unreadable"
    """Cannot be read: skipped, where that was asked for; else it is an error."""
    IGNORED_SOURCE = "ignored-source"
    """The source itself is ignored by a rule above it, so nothing is selected."""
    NAME = "name"
    """The name is not UTF-8."""


class Finding(NamedTuple):
    """One remark about one path (bytes, relative to the source), as a sentence for a person."""

    kind: Kind
    path: bytes
    message: str
