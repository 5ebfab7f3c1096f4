"""What a push to a driver comes back with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What the driver has after a push.

    Attributes:
        tree: Hash of the tree there now; the plan's `manifest.tree`.
        path: Where it is on the driver: the interpreter's working directory and first entry of `sys.path`.
        where: `workspace`, `driver` (its disk) or `path` (as `sync.extract_to` says).
        written: Files and links written.
        deleted: Files and links removed.
        size_bytes: Content written.
        changed_modules: Loaded modules whose source changed; up to 100 names.
        sent_bytes: Bytes of the pack.
        requests: Requests made beside the commands on the driver.
        store: How the pack travelled: `inline`, `dbfs`, `volume`, `workspace`, `command`, or `""` when there was none.
    """

    tree: str
    path: str = ""
    where: str = ""
    written: int = 0
    deleted: int = 0
    size_bytes: int = 0
    changed_modules: tuple[str, ...] = ()
    sent_bytes: int = 0
    requests: int = 0
    store: str = ""


def reply_of(answer: Mapping[str, Any]) -> Reply:
    """The receiver's answer to a pack, as a reply."""
    return Reply(
        tree=answer["tree"],
        path=answer["path"],
        where=answer["where"],
        written=answer["written"],
        deleted=answer["deleted"],
        size_bytes=answer["bytes"],
        changed_modules=tuple(answer["changed_modules"]),
    )
