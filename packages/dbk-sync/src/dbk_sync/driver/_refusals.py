"""Why the receiver says no. Each becomes `{"error": {"code", "message", "hint"}}` in an answer."""

from __future__ import annotations

import os


class Refusal(Exception):
    """A request that is not carried out; the tree is unchanged.

    `code` is for programs, `message` says what failed and `hint` what to do next.
    """

    code = "refused"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NeedFull(Refusal):
    """The tree here is not the one the delta starts from: send everything."""

    code = "need-full"


class BadPack(Refusal):
    """The pack is damaged, lies about its contents, or holds a name that must not be written."""

    code = "bad-pack"


class NoCodec(Refusal):
    """The pack is compressed in a way that this Python cannot undo after all: it can be sent in another."""

    code = "no-codec"


class NoPack(Refusal):
    """The pack cannot be read from where it was put: another store may do."""

    code = "no-pack"


class UnsafeTarget(Refusal):
    """The directory asked for must not be taken over."""

    code = "unsafe-target"


class Occupied(Refusal):
    """Files that are not ours stand where ours should go."""

    code = "occupied"


class Locked(Refusal):
    """Another interpreter holds the tree."""

    code = "locked"


def described(error: Exception) -> str:
    """What went wrong, in one line: an error of the system by its own words and its file."""
    if isinstance(error, OSError) and error.strerror:
        where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else ""
        return f"{error.strerror}{where}"
    return f"{type(error).__name__}: {error}"
