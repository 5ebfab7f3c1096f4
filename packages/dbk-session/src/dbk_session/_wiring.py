"""Puts a session's parts together from what its caller has given."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbk_session._bus import Bus
from dbk_session._clock import RealClock
from dbk_session._connect import door_of_client, door_of_settings, load_sdk, needs_no_sdk
from dbk_session._engine import Engine
from dbk_session._journal import Entry, Journal
from dbk_session._link import Link
from dbk_session._plan import Plan
from dbk_session._transport import Door

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from dbk_config import Settings

__all__ = ["Connection", "engine_for"]


@dataclass(frozen=True, slots=True)
class Connection:
    """The arguments of `Session` that say where and how to connect; `entry` is there after `Session.attach`."""

    settings: Settings | None
    client: WorkspaceClient | None
    cluster_id: str | None
    name: str
    channel: str | None
    entry: Entry | None
    widgets: bool = False
    completion: bool = False


def engine_for(connection: Connection, bus: Bus, prepare: Callable[[Callable[[str], str]], None] | None) -> Engine:
    """An engine that has not contacted anything yet.

    Raises:
        SettingsError: host or cluster are not set.
        ValueError: there is no such channel.
    """
    client = connection.client
    settings = connection.settings if connection.settings is not None else _load_settings()
    cluster_id = _cluster_id(connection, settings)
    entry = connection.entry or _entry(connection, settings, cluster_id)
    if client is None and not needs_no_sdk(settings):
        load_sdk()

    def door(refused: bool) -> Door:
        return door_of_client(client) if client is not None else door_of_settings(settings, refused=refused)

    channel = _known_channel(connection.channel or settings.channel)
    plan = Plan(
        channel,
        settings.start_timeout_s,
        settings.output_limit_mb,
        settings.display_rows,
        connection.widgets,
        connection.completion,
    )
    clock = RealClock()
    return Engine(plan, Link(entry, door, Journal(), clock), clock, bus, prepare)


def _known_channel(channel: str) -> str:
    from dbk_config import SETTINGS

    channels = SETTINGS["channel"].choices
    if channel not in channels:
        raise ValueError(f"channel must be one of {', '.join(channels)}, not {channel!r}")
    return channel


def _entry(connection: Connection, settings: Settings, cluster_id: str) -> Entry:
    return Entry(
        session=secrets.token_hex(8),
        name=connection.name,
        host=str(settings.host or ""),
        cluster_id=cluster_id,
        profile=settings.profile,
        config_file=str(settings.config_file) if settings.config_file else None,
    )


def _cluster_id(connection: Connection, settings: Settings) -> str:
    cluster = connection.cluster_id or settings.cluster_id
    if connection.client is None:
        settings.require(*(["host"] if cluster else ["host", "cluster_id"]))
    elif not cluster:
        cluster = connection.client.config.cluster_id
        if not cluster:
            settings.require("cluster_id")
    return str(cluster)


def _load_settings() -> Settings:
    from dbk_config import load

    return load()
