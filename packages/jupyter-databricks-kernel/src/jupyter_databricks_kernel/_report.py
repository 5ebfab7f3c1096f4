"""What `%dbk` answers: a few lines, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from dbk_config.compute import access_mode

if TYPE_CHECKING:
    from dbk_sync import Reply

__all__ = ["Facts", "plain", "sent", "status"]


@dataclass(frozen=True)
class Facts:
    """What is known about the session at the moment; an empty text for what is not.

    Attributes:
        host: The workspace.
        cluster_id: The cluster.
        cluster: Its `name`, `state`, `runtime` and `access_mode`, when a session is there to ask for them.
        state: What the session does.
        context_id: The interpreter's context.
        channel: How output arrives.
        python: The version of the interpreter.
        files: What was sent last.
        files_enabled: False when files are not sent at all.
    """

    host: str
    cluster_id: str
    state: str
    cluster: Mapping[str, str] = field(default_factory=dict)
    context_id: str = ""
    channel: str = ""
    python: str = ""
    files: Reply | None = None
    files_enabled: bool = True


# The session's own words for its state and its channel, for a person who has not read about them.
_STATES = {
    "new": "not started: the first cell starts it",
    "idle": "ready",
    "busy": "running a cell",
    "wedged": "waiting for an interrupted cell that still runs; %dbk restart ends it",
    "lost": "lost: the next cell starts a fresh interpreter",
}
_CHANNELS = {
    "spool": "live, while a cell runs (channel spool)",
    "result": "when a cell ends (channel result)",
    "plain": "when a cell ends, text and tables alone (channel plain)",
}


def plain(text: str) -> dict[str, str]:
    """A sentence."""
    return {"text/plain": text}


def status(facts: Facts) -> dict[str, str]:
    """One line for each fact, with links to the cluster's pages in the HTML."""
    rows = [(name, value) for name, value in _rows(facts) if value]
    width = max(len(name) for name, _ in rows)
    text = "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    links = " · ".join(f'<a href="{escape(url)}" target="_blank">{name}</a>' for name, url in _links(facts))
    return {"text/plain": text, "text/html": f"<table>{cells}</table>{links}"}


def sent(reply: Reply | None) -> dict[str, str]:
    """What a sync has done."""
    return plain("Nothing has changed since the last sync." if reply is None else f"Sent {_summary(reply)}.")


def _rows(facts: Facts) -> list[tuple[str, str]]:
    cluster = " ".join(filter(None, (facts.cluster.get("name"), facts.cluster_id)))
    files = "switched off" if not facts.files_enabled else "nothing sent yet"
    if facts.files_enabled and facts.files is not None:
        files = _summary(facts.files)
    return [
        ("workspace", facts.host or "DATABRICKS_HOST not set"),
        ("cluster", cluster or "DATABRICKS_CLUSTER_ID not set"),
        ("cluster state", facts.cluster.get("state", "")),
        ("runtime", facts.cluster.get("runtime", "")),
        ("access mode", _mode(facts.cluster.get("access_mode", ""))),
        ("session", _STATES.get(facts.state, facts.state)),
        ("context", facts.context_id),
        ("output", _CHANNELS.get(facts.channel, facts.channel)),
        ("python", facts.python),
        ("last sync", files),
    ]


def _links(facts: Facts) -> list[tuple[str, str]]:
    if not facts.host or not facts.cluster_id:
        return []
    page = f"{facts.host}/compute/clusters/{facts.cluster_id}"
    return [("cluster", page), ("Spark UI", f"{page}/spark-ui"), ("driver logs", f"{page}/driver-logs")]


def _mode(word: str) -> str:
    return access_mode({"data_security_mode": word}) if word else ""


def _summary(reply: Reply) -> str:
    files = "1 file" if reply.written == 1 else f"{reply.written} files"
    deleted = f", {reply.deleted} deleted" if reply.deleted else ""
    return f"{files}, {_size(reply.size_bytes)}{deleted}, to {reply.path}"


def _size(size_bytes: int) -> str:
    if size_bytes < 1000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1e3:.1f} kB" if size_bytes < 1e6 else f"{size_bytes / 1e6:.1f} MB"
