"""A push from start to end, for a target that keeps files: scan, read, plan, guard, carry out."""

from __future__ import annotations

from dataclasses import replace

from dbk_sync import _plan, _state
from dbk_sync._cache import HashCache
from dbk_sync._delta import difference
from dbk_sync._held import Held
from dbk_sync._http import Http
from dbk_sync._intent import LOCK_S
from dbk_sync._packed import PackedTarget
from dbk_sync._plain import PlainTarget
from dbk_sync._prepared import Prepared, Wish
from dbk_sync._remote import Interrupted, Remote, Report, Root, keeping_deletes
from dbk_sync._scan import Scan
from dbk_sync._stores import store_of
from dbk_sync._target import Target


def remote_of(target: Target, http: Http, layout: str = "", *, take_over: bool = False) -> Remote:
    """The target, in the layout that is asked for, or its usual one: packs in DBFS, files elsewhere."""
    root = Root(store_of(target.path, http), target.path)
    if (layout or ("packs" if target.kind == "dbfs" else "files")) == "packs":
        return PackedTarget(root)
    return PlainTarget(root, 0.0 if take_over else LOCK_S)


def prepare(scanned: Scan, remote: Remote, wish: Wish, held: Held | None = None) -> Prepared:
    """What to do, given what the target holds now (read when it is None).

    Raises:
        DeleteGuardError: More would go than may.
        NameCollisionError: Names differ too little for the target; raised before it is asked for anything.
        TargetError: It cannot keep a name for another reason; also before.
    """
    if held is None:
        remote.check(scanned)
        held = remote.read(damaged_too=wish.full)
        prepared = _fitted(scanned, remote, wish, held)
        if not prepared.plan.is_empty:
            return prepared
        held = remote.settle(held)
    return _fitted(scanned, remote, wish, held)


def push(scanned: Scan, remote: Remote, wish: Wish, prepared: Prepared, report: Report) -> tuple[Prepared, int]:
    """Carries out what was prepared; gives what was done in the end, and the bytes sent."""
    while not _nothing_to_do(prepared):
        try:
            return prepared, remote.push(prepared.plan, prepared.held, report)
        except Interrupted as found:
            report.warn("An earlier push was interrupted; what it may have changed is sent again.")
            prepared = prepare(scanned, remote, wish, prepared.held.doubting(found.doubts, found.names))
    return prepared, 0


def _nothing_to_do(prepared: Prepared) -> bool:
    return prepared.plan.is_empty and not prepared.held.doubts


def _fitted(scanned: Scan, remote: Remote, wish: Wish, held: Held) -> Prepared:
    fitted = remote.fit(_plan.plan(scanned, held.manifest))
    plan = fitted.plan
    if not wish.delete:
        plan = keeping_deletes(plan)
    wish.guard.check(plan)
    if wish.full and plan.base is not None:
        # The deletions are still those of the difference; all contents go again.
        plan = replace(plan, delta=replace(difference(None, plan.manifest), deletes=plan.deletes))
    return Prepared(plan, held, (*plan.warnings, *fitted.warnings))


def remembered(key: _state.StateKey, use: bool) -> HashCache | None:
    """The hashes known from before, unless every file is to be read."""
    return _state.load(key).cache if use else None
