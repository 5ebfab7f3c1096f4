"""From settings, or a client of the SDK, to an authenticated connection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from dbk_config.errors import SettingNotSet

from dbk_sync._http import Http
from dbk_sync.errors import AccessError

if TYPE_CHECKING:
    from dbk_config import Settings


class _Config(Protocol):
    host: str

    def authenticate(self) -> dict[str, str]: ...


class Client(Protocol):
    """The part of a `databricks.sdk.WorkspaceClient` that is used here."""

    @property
    def config(self) -> Any: ...


def connect(settings: Settings, client: Client | None = None) -> Http:
    """A connection with the client's credentials, or those of the settings, or what the SDK finds.

    A plain token needs no SDK, whose import alone takes a second.

    Raises:
        SettingNotSet: `DATABRICKS_HOST not set`, `DATABRICKS_TOKEN not set`.
        AccessError: The SDK cannot sign in with what there is.
    """
    if client is not None:
        return _with(cast("_Config", client.config))
    settings.require("host")
    if settings.token is not None and os.environ.get("DATABRICKS_AUTH_TYPE", "pat") == "pat":
        headers = {"Authorization": f"Bearer {settings.token.reveal()}"}
        return Http(settings.host or "", lambda: headers)
    return _with(_sdk_config(settings))


def _with(config: _Config) -> Http:
    def authenticate() -> Mapping[str, str]:
        try:
            return config.authenticate()
        except (ValueError, OSError) as error:
            raise _sign_in_failed(error) from error

    return Http(config.host, authenticate)


def _sdk_config(settings: Settings) -> _Config:
    from databricks.sdk.core import Config

    try:
        # The constructor asks the host about itself; a dead one would hold it for five minutes.
        return cast("_Config", Config(**settings.sdk_arguments(), retry_timeout_seconds=10, http_timeout_seconds=10))
    except (ValueError, OSError) as error:
        raise _sign_in_failed(error) from error


def _sign_in_failed(error: Exception) -> AccessError | SettingNotSet:
    said = str(error).split(". Config:")[0]
    if "cannot configure default credentials" in said:
        return SettingNotSet(
            "DATABRICKS_TOKEN not set",
            "Set DATABRICKS_TOKEN environment variable or configure Databricks CLI.",
            name="token",
        )
    return AccessError(f"The SDK cannot sign in: {said}", "Sign in again: databricks auth login")
