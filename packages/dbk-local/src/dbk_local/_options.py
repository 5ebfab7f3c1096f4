"""Everything about a real workspace that is unknown, differs by runtime or can be chosen: one named option each.

A preset sets several together; what a caller names wins over the preset. `databricks-api.md`-style evidence for each
choice is in the docs (`docs/reference/local-routes.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ._seam import AccessMode, Truth
from .errors import BadOption


@dataclass(frozen=True)
class Options:
    """The truths of one workspace. Durations in seconds."""

    runtime: Literal["15.4", "16.4", "17.3"] = "17.3"
    access_mode: AccessMode = "dedicated"
    spark: Literal["auto", "off"] = "auto"

    # What the interpreter shows (see `_seam.Truth`).
    out_prefix: bool = False
    figures: Literal["images", "image", "none"] = "image"
    truncation: Literal["middle", "end"] = "end"
    text_cap_chars: int = 10_000_000
    table_rows: int = 10_000
    table_bytes: int = 2_000_000
    shared_tmp: bool = True
    dbfs_fuse: bool = True
    restart_error_once: bool = False

    # Contexts and commands.
    context_pending_s: float = 0.0
    """How long a new context stays `Pending` at the least."""
    context_limit: int = 145
    context_idle_s: float = 0.0
    """A context counts as idle, and can be evicted, this long after its last command."""
    context_lost: Literal["error", "status-error"] = "error"
    """How `contexts/status` answers for an id that is unknown or lost: an error body, or 200 with status `Error`."""
    results_while_running: Literal["null", "absent"] = "null"
    cancel_final: Literal["Finished", "Cancelled"] = "Finished"
    cancel_summary: Literal["null", "empty", "text"] = "null"
    result_reads: int = 0
    """After this many reads a finished result is forgotten; 0: kept."""
    error_status_12: int = 500
    """HTTP status of the `{"error": ...}` bodies of API 1.2 other than those that have their own option."""
    stopped_text: str = "IllegalStateException: Cluster {cluster_id} is in state {state}"
    """What `contexts/create` says on a cluster that is not running; braces are filled in."""
    unknown_cluster_text: str = "IllegalArgumentException: Cluster {cluster_id} does not exist"
    unknown_context_text: str = "ContextNotFound: Context {context_id} does not exist"
    unknown_command_text: str = "CommandNotFound: Command {command_id} does not exist"
    context_limit_text: str = (
        "ContextLimitExceeded: Can't attach this notebook because the cluster has reached the attached notebook limit. "
        "Detach a notebook and retry."
    )

    # The cluster over time.
    start_s: float = 0.0
    """PENDING lasts this long at the least."""
    restart_s: float = 0.0
    terminate_s: float = 0.0
    driver_restart_s: float = 0.0
    """After a driver crash the cluster is RUNNING but gives no contexts for this long."""
    autotermination_minutes: int = 120
    single_user_name: str = ""
    """Owner of a dedicated cluster; empty: the caller."""
    permission: Literal["CAN_MANAGE", "CAN_RESTART", "CAN_ATTACH_TO", "NONE"] = "CAN_MANAGE"

    # The rest of the workspace.
    user_name: str = "dev@example.com"
    dbfs: Literal["enabled", "disabled"] = "enabled"
    dbfs_disabled_status: int = 403
    wrong_token: Literal["401", "403", "html"] = "403"
    """JSON 401, JSON 403, or the legacy HTML page with 403."""
    driver_proxy: Literal["enabled", "disabled"] = "enabled"
    latency_s: float = 0.0
    """Added to every API request, half before and half after it takes effect."""
    bandwidth_bytes_per_s: int = 0
    """Limit in each direction for every request; 0: none."""

    def changed(self, changes: Mapping[str, Any]) -> Options:
        """The same options with some changed.

        Raises:
            BadOption: a name that does not exist or a value it cannot have; all of them at once.
        """
        named = {_ALIASES.get(name, name): value for name, value in changes.items()}
        problems = [problem for name, value in named.items() if (problem := _problem(name, value))]
        if problems:
            raise BadOption(problems, "Options: " + ", ".join(sorted(_TYPES)))
        return replace(self, **{name: _as_type(_TYPES[name], value) for name, value in named.items()})

    def as_json(self) -> dict[str, Any]:
        """Every option by name."""
        return asdict(self)

    def truth(self, folders: Folders, **identity: Any) -> Truth:
        """What the driver is told; `identity` is the cluster's and the workspace's own (`host`, `cluster_id`, ...)."""
        shared = {field.name for field in fields(Truth)} & set(_TYPES)
        return Truth(
            **{name: getattr(self, name) for name in shared},
            dbfs_enabled=self.dbfs == "enabled",
            dbfs_root=folders.dbfs,
            workspace_root=folders.workspace,
            volumes_root=folders.volumes,
            secrets_file=folders.secrets,
            **identity,
        )


@dataclass(frozen=True)
class Folders:
    """Where a workspace keeps its files on this machine; all of it survives when `root` is the user's own."""

    root: Path

    @property
    def dbfs(self) -> Path:
        """What `dbfs:/` is."""
        return self.root / "dbfs"

    @property
    def workspace(self) -> Path:
        """What `/Workspace` is."""
        return self.root / "workspace"

    @property
    def volumes(self) -> Path:
        """What `/Volumes` is."""
        return self.root / "volumes"

    @property
    def secrets(self) -> Path:
        """The secret scopes: JSON, `{"scope": {"key": "value"}}`."""
        return self.root / "secrets.json"

    @property
    def clusters(self) -> Path:
        """One folder per cluster; nothing in it survives the cluster."""
        return self.root / "clusters"

    def create(self) -> Folders:
        """Make what is missing."""
        for folder in (self.dbfs, self.workspace, self.volumes, self.clusters):
            folder.mkdir(parents=True, exist_ok=True)
        return self


_ALIASES = {"text_cap_bytes": "text_cap_chars"}
_TYPES: dict[str, Any] = get_type_hints(Options)

# DBR 17.0 raised the text cap from 50,000 characters to 10 MB (limits page); runtimes before Spark 4 show `Out[n]: `
# and were reported to deliver figures as `images` or not at all.
_RUNTIMES: dict[str, dict[str, Any]] = {
    "15.4": {"out_prefix": True, "figures": "none", "truncation": "middle", "text_cap_chars": 50_000},
    "16.4": {"out_prefix": True, "figures": "images", "truncation": "middle", "text_cap_chars": 50_000},
    "17.3": {"out_prefix": False, "figures": "image", "truncation": "end", "text_cap_chars": 10_000_000},
}
_ACCESS_MODES: dict[str, dict[str, Any]] = {
    "dedicated": {"dbfs_fuse": True, "shared_tmp": True},
    "no-isolation": {"dbfs_fuse": True, "shared_tmp": True},
    "standard": {"dbfs_fuse": False, "shared_tmp": True},
}


def preset(runtime: str = "17.3", access_mode: str = "dedicated", changes: Mapping[str, Any] | None = None) -> Options:
    """The options of a runtime and an access mode, then `changes` on top.

    Raises:
        BadOption: an unknown runtime, access mode or option.
    """
    chosen = {"runtime": runtime, "access_mode": access_mode}
    together = {**_RUNTIMES.get(runtime, {}), **_ACCESS_MODES.get(access_mode, {}), **chosen, **(changes or {})}
    return Options().changed(together)


def _problem(name: str, value: Any) -> str | None:
    if name not in _TYPES:
        return f"there is no option {name!r}"
    kind = _TYPES[name]
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return None if value in choices else f"{name} is one of {', '.join(choices)}, not {value!r}"
    try:
        _as_type(kind, value)
    except (TypeError, ValueError):
        return f"{name} is {kind.__name__}, not {value!r}"
    return None


def _as_type(kind: Any, value: Any) -> Any:
    """The value as its option's type; text is what a command line has."""
    if get_origin(kind) is Literal:
        return value
    if kind is bool:
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        if isinstance(value, bool):
            return value
        raise TypeError
    if kind is str and not isinstance(value, str):
        raise TypeError
    number = kind(value)
    if kind in (int, float) and (isinstance(value, bool) or number < 0):
        raise ValueError
    return number
