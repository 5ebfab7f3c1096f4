"""Put exactly the files git would take on a Databricks cluster or workspace, incrementally.

`scan` finds the tree of a directory, `plan` the difference from what a target has, `pack` makes one stream of it, and
`Sync` does it all for an interpreter on a driver. Nothing here imports the Databricks SDK before a request is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dbk_sync.errors import FileSizeError, SyncError

if TYPE_CHECKING:
    from dbk_sync._cache import HashCache
    from dbk_sync._changing import again_when_changed
    from dbk_sync._content import ContentReader
    from dbk_sync._delta import Delta, apply, difference
    from dbk_sync._entry import Entry
    from dbk_sync._explain import Decision, explain
    from dbk_sync._findings import Finding, Kind
    from dbk_sync._manifest import Manifest
    from dbk_sync._pack import pack
    from dbk_sync._pathspec import GitPattern, GitSpec, SourcePattern, source_spec
    from dbk_sync._plan import Plan, plan
    from dbk_sync._receiver import Driver
    from dbk_sync._reply import Reply
    from dbk_sync._rule_file import RuleFile
    from dbk_sync._scan import Scan, scan
    from dbk_sync._scan_options import ScanOptions
    from dbk_sync._select import select
    from dbk_sync._state import State, StateKey
    from dbk_sync._sync import Sync

__all__ = [
    "ContentReader",
    "Decision",
    "Delta",
    "Driver",
    "Entry",
    "FileSizeError",
    "Finding",
    "GitPattern",
    "GitSpec",
    "HashCache",
    "Kind",
    "Manifest",
    "Plan",
    "Reply",
    "RuleFile",
    "Scan",
    "ScanOptions",
    "SourcePattern",
    "State",
    "StateKey",
    "Sync",
    "SyncError",
    "again_when_changed",
    "apply",
    "difference",
    "explain",
    "pack",
    "plan",
    "scan",
    "select",
    "source_spec",
]

_HOMES = {
    "_cache": ("HashCache",),
    "_changing": ("again_when_changed",),
    "_content": ("ContentReader",),
    "_delta": ("Delta", "apply", "difference"),
    "_entry": ("Entry",),
    "_explain": ("Decision", "explain"),
    "_findings": ("Finding", "Kind"),
    "_manifest": ("Manifest",),
    "_pack": ("pack",),
    "_pathspec": ("GitPattern", "GitSpec", "SourcePattern", "source_spec"),
    "_plan": ("Plan", "plan"),
    "_receiver": ("Driver",),
    "_reply": ("Reply",),
    "_rule_file": ("RuleFile",),
    "_scan": ("Scan", "scan"),
    "_scan_options": ("ScanOptions",),
    "_select": ("select",),
    "_state": ("State", "StateKey"),
    "_sync": ("Sync",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imports the module of a public name when the name is first used."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
