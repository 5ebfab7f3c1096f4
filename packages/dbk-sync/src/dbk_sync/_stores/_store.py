"""What a place of a workspace that keeps files can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from dbk_sync._answer import Answer
from dbk_sync._bodies import Body
from dbk_sync._refused import Refused

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """One name in a directory. `modified_s` is in seconds since the epoch, 0 when not told."""

    name: str
    is_dir: bool
    size_bytes: int
    modified_s: float


class Store(Protocol):
    """A place that keeps files."""

    name: str
    """What a person calls it."""
    concurrency: int
    """Requests that it takes at a time, as its owner's own tools hold it."""
    makes_dirs: bool
    """Whether `put` makes the directories above a file by itself, so that `make_dir` is never needed."""
    case_sensitive: bool
    """Whether two names that differ only by case or Unicode form are known to be two files."""

    def put(self, path: str, body: Body, *, overwrite: bool = True, progress: Progress | None = None) -> bool:
        """Writes a whole file, and the directories above it; False when it exists and must not be overwritten."""

    def get(self, path: str) -> bytes | None:
        """The content of a file; None when there is none."""

    def make_dir(self, path: str) -> None:
        """Makes a directory and those above it; one that is there is fine."""

    def delete(self, path: str) -> None:
        """Removes a file; one that is gone already is fine."""

    def remove_dir(self, path: str) -> bool:
        """Removes a directory when it is empty; False when it is not."""

    def list(self, path: str) -> Iterator[Found]:
        """What is in a directory; nothing when there is none."""

    def hurried(self) -> AbstractContextManager[None]:
        """Within, a request is sent once and soon given up."""


def check_open(answer: Answer, path: str, name: str) -> None:
    """Raises `Refused` when the answer says that the place is closed to whoever asks."""
    if answer.signed_out:
        raise answer.error()
    if answer.status == 403 or answer.code == "PERMISSION_DENIED":
        raise Refused(f"Permission denied on {name}: no write access to {path} ({answer.message}).")
