"""Where the two halves of the workspace meet: the HTTP side drives, the driver side runs code.

The HTTP side owns ids, queues, statuses and eviction; the driver side owns processes, interpreters and Spark. All of
this lives in the server process, on its event loop. Nothing here blocks: work that would runs in an executor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

AccessMode = Literal["dedicated", "standard", "no-isolation"]
Language = Literal["python", "sql", "scala", "r"]


class DriverDied(Exception):
    """The whole driver is gone (crash, kill): every context of the cluster is lost with it."""


class ContextDied(Exception):
    """The one context's interpreter is gone (crash, `os._exit`, kill), the driver lives."""


class ReplStartFailed(Exception):
    """No interpreter could be started for a new context; the text is shown in the way Databricks shows it."""


@dataclass(frozen=True)
class Truth:
    """What is true of this workspace as far as an interpreter can notice.

    Folders are real paths on this machine. Read at `open_driver` (access mode, Spark, folders) and at every
    `ContextHandle.run` (the rest), so an option changed by a test holds from the next command on.
    """

    runtime: str = "17.3"
    """DBR version, `15.4`, `16.4`, `17.3`."""
    access_mode: AccessMode = "dedicated"
    spark: Literal["auto", "off"] = "auto"
    """`auto`: start Apache Spark at the first use of `spark`, when pyspark and Java are there."""
    standard_spark: Literal["connect", "classic"] = "connect"
    """What `spark` is in standard access mode, where the Spark that runs has both."""
    dbfs_root: Path = Path("dbfs")
    workspace_root: Path = Path("workspace")
    volumes_root: Path = Path("volumes")
    local_disk: Path = Path("local_disk")
    """What `/local_disk0` is; gone with the driver."""
    secrets_file: Path | None = None
    """JSON, `{"scope": {"key": "value"}}`."""
    user_name: str = "dev@example.com"
    cluster_id: str = ""
    workspace_id: str = ""
    host: str = ""
    """URL of this workspace, for the login-free SDK inside a command."""
    api_token: str = field(default="", repr=False)
    spark_env_vars: tuple[tuple[str, str], ...] = ()
    """Environment of the driver, from the cluster's own settings."""
    out_prefix: bool = False
    """The value of a last expression is preceded by `Out[n]: `."""
    figures: Literal["images", "image", "none"] = "image"
    """`image`: one figure gives `image`, several give `images`; `images`: always that; `none`: the repr only."""
    truncation: Literal["middle", "end"] = "end"
    """Which of the two markers replaces what is cut from a long text."""
    text_cap_chars: int = 10_000_000
    table_rows: int = 10_000
    table_bytes: int = 2_000_000
    shared_tmp: bool = True
    """Contexts see one `/tmp`."""
    dbfs_fuse: bool = True
    """`/dbfs` is there for plain file functions."""
    dbfs_enabled: bool = True
    """The DBFS root is not disabled (`DBFS_DISABLED`)."""
    restart_error_once: bool = False
    """The first command after a restart of Python fails with `jupyter client is not available ...`."""


@dataclass(frozen=True)
class Outcome:
    """How one command ended.

    `results` is the API's own object: `resultType` `text|table|image|images|error` and the fields that go with it
    (`data`, `schema`, `isJsonSchema`, `truncated`, `fileName`, `fileNames`, `summary`, `cause`).
    """

    results: dict[str, Any]
    background: bool = False
    """A structured stream started by this command is still running: a status call answers 500 while it does."""
    exit_value: str | None = None
    """What `dbutils.notebook.exit` was called with."""


class ContextHandle(Protocol):
    """One interpreter. `run` is never called twice at once."""

    pid: int
    on_death: Callable[[str], None] | None
    """Called once on the loop, with a reason, when the interpreter dies without `destroy` having been asked."""

    async def run(self, command_id: str, language: str, text: str, truth: Truth) -> Outcome:
        """Run `text`; errors of the user's code are an `Outcome`.

        Raises:
            ContextDied: the interpreter died while it ran.
            DriverDied: the driver died while it ran.
        """
        ...

    async def cancel(self) -> None:
        """Stop what runs (Spark job group, then SIGINT); `run` answers with whatever came of it. No-op when idle."""
        ...

    async def destroy(self) -> None:
        """Kill the interpreter and all it started; a pending `run` raises `ContextDied`. Idempotent."""
        ...


class DriverProcess(Protocol):
    """One cluster's driver: the process contexts come from, and the Spark JVM they share."""

    on_death: Callable[[str], None] | None
    """Called once on the loop, with a reason, when the driver dies without `stop` having been asked."""

    async def start(self) -> None:
        """Start what every context needs; the Spark JVM waits for first use."""
        ...

    async def stop(self) -> None:
        """End every process of the cluster, strays that left the process group included. Idempotent."""
        ...

    async def create_context(self, context_id: str, language: str) -> ContextHandle:
        """Start an interpreter.

        Raises:
            ReplStartFailed: it did not come up.
            DriverDied: there is no driver any more.
        """
        ...

    async def show_volume(self, name: str) -> None:
        """Have contexts see a new volume, `catalog.schema.volume`."""
        ...

    async def stream_active(self, context_id: str) -> bool:
        """True while a structured stream of this context runs in the background."""
        ...
