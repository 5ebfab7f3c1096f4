"""From settings to a way in: the SDK's configuration, built late, with its failures in our words."""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbk_session._transport import Door
from dbk_session.errors import AuthenticationError, ConnectionLost, SessionError, TokenNotSet

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config
    from dbk_config import Settings

__all__ = ["door_of_client", "door_of_environment", "door_of_settings", "load_sdk", "needs_no_sdk"]

_PRODUCT = "dbk-session"
_DEFAULT_PROFILE = "DEFAULT"
_SDK_VARIABLES = (
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_WORKSPACE_ID",
    "DATABRICKS_ACCOUNT_ID",
    "DATABRICKS_DISCOVERY_URL",
)
# RFC 6749, 5.2: the token endpoint has looked at the credentials and will not take them. Anything else may pass.
_FINAL_REFUSAL = re.compile(
    r"invalid_client|invalid_grant|invalid_request|invalid_scope|unauthorized_client|unsupported_grant_type|access_denied"
)
_NO_CREDENTIALS = re.compile(r"cannot configure default credentials|not configured")
# The constructor asks the host for metadata and blocks until this budget is used up when nobody answers.
_START_UP_BUDGET_S = 3
_START_UP_TIMEOUT_S = 10


def load_sdk() -> threading.Thread:
    """Starts to import the SDK, which takes about a second, beside whatever else is to be done."""
    thread = threading.Thread(target=_import_quietly, name="dbk-sdk-import", daemon=True)
    thread.start()
    return thread


def _import_quietly() -> None:
    try:
        import databricks.sdk.core  # noqa: F401 - for its effect on sys.modules
    except ImportError:
        return  # whoever needs it meets the same error and reports it


def door_of_client(client: WorkspaceClient) -> Door:
    """The way in of a client that somebody else has configured."""
    return _door(client.config)


def door_of_settings(settings: Settings, *, refused: bool = False) -> Door:
    """The way in that settings describe.

    Args:
        settings: what is known.
        refused: the credentials in them are not taken any more: a profile's token is read from its file again.

    Raises:
        TokenNotSet: no credentials anywhere.
        AuthenticationError: credentials that the SDK refuses to use.
    """
    arguments = settings.sdk_arguments()
    if refused and settings.token is not None and settings.origin("token").layer == "profile":
        del arguments["token"]
        arguments["profile"] = settings.profile or _DEFAULT_PROFILE
        arguments |= {"config_file": str(settings.config_file)} if settings.config_file else {}
    elif needs_no_sdk(settings):
        return _bearer_door(settings)
    return _door(_config(arguments))


def needs_no_sdk(settings: Settings) -> bool:
    """Whether host and personal access token are all there is to know.

    The SDK would make the same header of them, at the price of a second and of 45 MB. Whatever else is configured
    (another kind of credentials, a host that serves many workspaces) is the SDK's to understand.
    """
    arguments = settings.sdk_arguments()
    known = set(arguments) <= {"host", "token", "auth_type"} and {"host", "token"} <= set(arguments)
    return known and not any(os.environ.get(name) for name in _SDK_VARIABLES)


def _bearer_door(settings: Settings) -> Door:
    token, host = settings.token, str(settings.host).rstrip("/")
    system = f"python/{platform.python_version()} os/{platform.system().lower()}"
    agent = f"{_PRODUCT}/{_version()} {system}"

    def headers() -> dict[str, str]:
        revealed = token.reveal() if token is not None else ""
        return {"Authorization": f"Bearer {revealed}", "User-Agent": agent, "Content-Type": "application/json"}

    return Door(host if "://" in host else f"https://{host}", headers)


def door_of_environment(host: str, profile: str | None = None, config_file: str | None = None) -> Door:
    """The way into `host` with whatever credentials this process finds by itself."""
    arguments = {"profile": profile, "config_file": config_file} if profile else {"host": host}
    return _door(_config({name: value for name, value in arguments.items() if value}))


def _config(arguments: Mapping[str, Any]) -> Config:
    from databricks.sdk.core import Config

    # Without a handler of its own the SDK's warning about missing host metadata would land on the user's terminal.
    logging.getLogger("databricks.sdk").addHandler(logging.NullHandler())
    try:
        return Config(
            **arguments,
            retry_timeout_seconds=_START_UP_BUDGET_S,
            http_timeout_seconds=_START_UP_TIMEOUT_S,
            product=_PRODUCT,
            product_version=_version(),
        )
    except ValueError as error:
        raise _translated(error) from error


def _translated(error: ValueError) -> SessionError:
    text = str(error)
    if _NO_CREDENTIALS.search(text):
        return TokenNotSet(
            "DATABRICKS_TOKEN not set: no Databricks credentials were found.",
            "Set DATABRICKS_TOKEN, or configure a profile with `databricks configure --token`.",
        )
    return AuthenticationError(
        f"The Databricks credentials cannot be used: {_without_secrets(text)}",
        "Check DATABRICKS_TOKEN, DATABRICKS_CONFIG_PROFILE and ~/.databrickscfg.",
    )


def _without_secrets(text: str) -> str:
    token = os.environ.get("DATABRICKS_TOKEN")
    return text.replace(token, "***") if token else text


def _door(config: Config) -> Door:
    host = str(config.host or "").rstrip("/")
    user_agent = str(config.user_agent)
    have_worked = threading.Event()

    def headers() -> dict[str, str]:
        try:
            found = dict(config.authenticate())
            have_worked.set()
        except ValueError as error:
            if have_worked.is_set() and not _FINAL_REFUSAL.search(str(error)):
                # In a long command a token is refreshed many times, and its endpoint may be out for a moment.
                raise ConnectionLost("Connection lost: the credentials could not be refreshed.") from error
            raise _translated(error) from error
        except OSError as error:
            raise ConnectionLost(f"Connection lost: the credentials could not be refreshed ({error}).") from error
        found["User-Agent"] = user_agent
        found["Content-Type"] = "application/json"
        workspace = getattr(config, "workspace_id", None)
        return {**found, "X-Databricks-Workspace-Id": str(workspace)} if workspace else found

    return Door(host, headers, verify=not bool(getattr(config, "skip_verify", False)))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("dbk-session")
    except PackageNotFoundError:
        return "0"
