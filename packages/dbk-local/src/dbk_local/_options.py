"""Everything about a real workspace that is unknown, differs by runtime or can be chosen: one named option each.

A preset sets several together; what a caller names wins over the preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from ._folders import Folders
from ._seam import AccessMode, Truth
from .errors import BadOption


@dataclass(frozen=True)
class Options:
    """The truths of one workspace. Durations in seconds; the annotation says what each means."""

    runtime: Annotated[Literal["15.4", "16.4", "17.3"], "Databricks runtime whose behaviour is shown"] = "17.3"
    access_mode: Annotated[AccessMode, "access mode of the cluster"] = "dedicated"
    spark: Annotated[Literal["auto", "off"], "start Apache Spark at the first use of `spark`, or never"] = "auto"
    standard_spark: Annotated[
        Literal["connect", "classic"],
        "`spark` in standard access mode: a Spark Connect session (from Spark 4 on), or one with a SparkContext",
    ] = "connect"

    out_prefix: Annotated[bool, "the value of a last expression is preceded by `Out[n]: `"] = False
    figures: Annotated[
        Literal["images", "image", "none"],
        "one figure gives `image` and several give `images`; always `images`; or only their text comes back",
    ] = "image"
    truncation: Annotated[Literal["middle", "end"], "where the marker of a text that was too long stands"] = "end"
    text_cap_chars: Annotated[int, "longest text result, in characters (also named `text_cap_bytes`)"] = 10_000_000
    table_rows: Annotated[int, "most rows of a table result"] = 10_000
    table_bytes: Annotated[int, "most bytes of a table result"] = 2_000_000
    shared_tmp: Annotated[bool, "the contexts of a cluster see one `/tmp`"] = True
    dbfs_fuse: Annotated[bool, "`/dbfs` is there for plain file functions"] = True
    restart_error_once: Annotated[bool, "the first command after a restart of Python fails"] = False

    context_pending_s: Annotated[float, "a new context stays `Pending` at least this long"] = 0.0
    context_limit: Annotated[int, "most contexts of a cluster; then the least recently used idle one is evicted"] = 145
    context_idle_s: Annotated[float, "a context counts as idle this long after its last command"] = 0.0
    context_lost: Annotated[
        Literal["error", "status-error"],
        "`contexts/status` of a lost or unknown id: an error body, or 200 with status `Error`",
    ] = "error"
    results_while_running: Annotated[Literal["null", "absent"], "`results` of a command that is not final"] = "null"
    cancel_final: Annotated[Literal["Finished", "Cancelled"], "status in which a cancelled command ends"] = "Finished"
    cancel_summary: Annotated[Literal["null", "empty", "text"], "`summary` of a cancelled command"] = "null"
    result_reads: Annotated[int, "a final result can be read this often; 0: without limit"] = 0
    command_limit_bytes: Annotated[int, "longest `command` text that is accepted; 0: any"] = 0
    error_status_12: Annotated[int, 'HTTP status of the `{"error"}` bodies of API 1.2'] = 500
    stopped_text: Annotated[str, "`contexts/create` on a stopped cluster"] = (
        "IllegalStateException: Cluster {cluster_id} is in state {state}"
    )
    unknown_cluster_text: Annotated[str, "API 1.2 with an unknown cluster"] = (
        "IllegalArgumentException: Cluster {cluster_id} does not exist"
    )
    unknown_context_text: Annotated[str, "API 1.2 with an unknown or lost context"] = (
        "ContextNotFound: Context {context_id} does not exist"
    )
    unknown_command_text: Annotated[str, "API 1.2 with an unknown or forgotten command"] = (
        "CommandNotFound: Command {command_id} does not exist"
    )
    context_limit_text: Annotated[str, "`contexts/create` when all contexts are busy"] = (
        "ContextLimitExceeded: Can't attach this notebook because the cluster has reached the attached notebook limit. "
        "Detach a notebook and retry."
    )

    start_s: Annotated[float, "a starting cluster is PENDING at least this long"] = 0.0
    restart_s: Annotated[float, "RESTARTING and RESIZING last at least this long"] = 0.0
    terminate_s: Annotated[float, "TERMINATING lasts at least this long"] = 0.0
    driver_restart_s: Annotated[float, "after a driver crash there are no contexts for this long"] = 0.0
    autotermination_minutes: Annotated[int, "an idle cluster terminates after so long; 0: never"] = 120
    single_user_name: Annotated[str, "owner of a dedicated cluster; empty: the caller"] = ""
    permission: Annotated[
        Literal["CAN_MANAGE", "CAN_RESTART", "CAN_ATTACH_TO", "NONE"], "what the caller may do with clusters"
    ] = "CAN_MANAGE"

    user_name: Annotated[str, "the caller"] = "dev@example.com"
    dbfs: Annotated[Literal["enabled", "disabled"], "whether there is a DBFS root"] = "enabled"
    dbfs_disabled_status: Annotated[int, "HTTP status of the DBFS API when it is disabled"] = 403
    wrong_token: Annotated[Literal["401", "403", "html"], "JSON 401, JSON 403, or the legacy HTML page with 403"] = (
        "403"
    )
    driver_proxy: Annotated[Literal["enabled", "disabled"], "whether `/driver-proxy-api/` works"] = "enabled"
    proxy_reaches: Annotated[
        Literal["any-address", "loopback"],
        "a driver's server must listen on `0.0.0.0` to be reached, or `127.0.0.1` will do",
    ] = "any-address"
    latency_s: Annotated[float, "added to every API request, half before and half after it takes effect"] = 0.0
    bandwidth_bytes_per_s: Annotated[int, "of the line all requests share, in each direction; 0: without limit"] = 0

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
        shared = {known.name for known in fields(Truth)} & set(_TYPES)
        return Truth(
            **{name: getattr(self, name) for name in shared},
            dbfs_enabled=self.dbfs == "enabled",
            dbfs_root=folders.dbfs,
            workspace_root=folders.workspace,
            volumes_root=folders.volumes,
            secrets_file=folders.secrets,
            **identity,
        )


_ALIASES = {"text_cap_bytes": "text_cap_chars"}
_TYPES: dict[str, Any] = get_type_hints(Options)
MEANINGS: dict[str, str] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Options, include_extras=True).items()
}
"""What each option means, for help texts and the reference page."""

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
