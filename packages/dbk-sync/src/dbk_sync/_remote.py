"""What the two layouts of a target have in common: reading, fitting a plan, changing, checking, removing."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dbk_sync._bodies import Bytes
from dbk_sync._delta import difference
from dbk_sync._findings import Finding
from dbk_sync._held import STATE, Held, damaged, decode, encode
from dbk_sync._manifest import Manifest
from dbk_sync._plan import Plan
from dbk_sync._scan import Scan
from dbk_sync._stores import Store
from dbk_sync.driver._names import all_parents
from dbk_sync.errors import DeleteGuardError, FormatError, TargetError


class Report(Protocol):
    """Hears what is being done."""

    def did(self, action: str, path: bytes) -> None:
        """One file was sent (`put`) or removed (`delete`)."""

    def sent(self, sent_bytes: int, total_bytes: int) -> None:
        """So much of a pack has gone out."""

    def warn(self, message: str) -> None:
        """A sentence for the user."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A plan as the target can take it, and what had to be left out for that."""

    plan: Plan
    warnings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Checked:
    """What reading a target again has shown."""

    files: int = 0
    missing: list[bytes] = field(default_factory=list)
    changed: list[bytes] = field(default_factory=list)
    uncompared: list[bytes] = field(default_factory=list)
    """Notebooks: the workspace keeps them in a form of its own."""


class Remote(Protocol):
    """A target in one of the layouts."""

    layout: str

    def check(self, scanned: Scan) -> None:
        """Refuses names that it cannot keep. Asks nobody."""

    def read(self, *, damaged_too: bool = False) -> Held:
        """What the target says it holds; with `damaged_too`, nothing known where that is damaged."""

    def settle(self, held: Held) -> Held:
        """The same, less what an interrupted push may have changed."""

    def fit(self, plan: Plan) -> Fitted:
        """The plan, as far as the target can keep its files."""

    def push(self, plan: Plan, held: Held, report: Report) -> int:
        """Carries out a fitted plan; gives the bytes of content sent."""

    def verify(self, held: Held, report: Report) -> Checked:
        """Reads everything again and compares."""

    def stale(self, held: Held, older_than_s: float) -> list[str]:
        """Objects of ours that nothing refers to any more."""

    def remove(self, names: list[str]) -> None:
        """Removes such objects."""

    def clean(self, held: Held, report: Report) -> None:
        """Removes all that was pushed, and everything of ours."""


class Interrupted(Exception):
    """An earlier push did not come to its end; `doubts` and `names` are what it was about to change."""

    def __init__(self, doubts: frozenset[bytes], names: frozenset[bytes]) -> None:
        super().__init__()
        self.doubts = doubts
        self.names = names


@dataclass(frozen=True, slots=True)
class Root:
    """A target's directory in its store."""

    store: Store
    path: str
    clock: Callable[[], float] = time.time

    def at(self, name: str) -> str:
        """The whole path of a name below it."""
        return f"{self.path}/{name}"

    def read(self, layout: str, damaged_too: bool) -> Held:
        """What the state object says; nothing when there is none.

        Raises:
            FormatError: It is damaged.
            TargetError: The target has the other layout.
        """
        blob = self.store.get(self.at(STATE))
        if blob is None:
            return Held(layout=layout)
        try:
            held = decode(blob)
        except FormatError:
            if not damaged_too:
                raise
            return damaged(blob, layout, self.clock())
        if held.layout != layout:
            raise TargetError(
                f"The target holds {held.layout}, not {layout}.",
                f"Push with --layout {held.layout}, or remove what is there by dbk-sync clean.",
            )
        return held

    def write(self, held: Held) -> None:
        """Makes the state object say `held`: the moment at which a push has happened."""
        self.store.put(self.at(STATE), Bytes(encode(held, self.about())))

    def about(self) -> dict[str, Any]:
        """Who is at work, for a person who finds the object."""
        return {"by": who(), "at": self.clock()}


def who() -> str:
    """The machine and user at work, or the run of a CI service."""
    run = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_JOB_ID") or os.environ.get("BUILD_BUILDID")
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "unknown"
    return f"{user}@{socket.gethostname()} pid {os.getpid()}" + (f" run {run}" if run else "")


def keeping_deletes(plan: Plan) -> Plan:
    """The plan without its deletions: what would go stays, and stays listed, unless a folder takes the place of a file.

    Raises:
        DeleteGuardError: A file would take the place of a folder that has files; lists all.
    """
    if plan.base is None or not plan.deletes:
        return plan
    full = all_parents(entry.path for entry in plan.manifest)
    kept = [plan.base.by_path[path] for path in plan.deletes if path not in full]
    taken = all_parents(one.path for one in kept).intersection(plan.manifest.by_path)
    if taken:
        listed = "\n".join(f"  {os.fsdecode(path)}" for path in sorted(taken))
        raise DeleteGuardError(
            f"What is a file here is a folder there, with files that are to be kept:\n{listed}",
            "Rename it, or push without --no-delete.",
        )
    manifest = Manifest.of([*plan.manifest, *kept])
    return with_manifest(replace(plan, filter_deletes=()), manifest)


def with_manifest(plan: Plan, manifest: Manifest) -> Plan:
    """The plan, leading to another manifest from the same base."""
    return replace(plan, manifest=manifest, delta=difference(plan.base, manifest))
