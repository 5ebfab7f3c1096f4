"""Every setting, declared once: name, type, default, unit, range, variable, help. All else derives from here."""

# ruff: noqa: RUF009 (`setting` makes a field, as `dataclasses.field` does)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbk_config import _rules
from dbk_config._origin import OUTSIDE, PROJECT, Origin
from dbk_config._secret import Secret
from dbk_config._setting import Setting, declared, setting
from dbk_config._sync_settings import SyncSettings
from dbk_config._unknown import unknown
from dbk_config.errors import SettingNotSet, SettingsError

__all__ = ["SETTINGS", "Settings", "SyncSettings"]


@dataclass(frozen=True)
class Settings:
    """What `load` gives: typed, checked values, each with its origin.

    Made directly (`Settings(host=..., cluster_id=...)`) it takes every value as given, unchecked.

    Attributes:
        project_dir: the folder of the `pyproject.toml` with our table, else the working folder.
        sync: what belongs to the files of the project.
        origins: setting name -> where its value came from; better asked by `origin`.
        notes: sentences about what was left unread, for whoever misses a value.
    """

    host: str | None = setting(
        "text",
        None,
        layers=OUTSIDE,
        env="DATABRICKS_HOST",
        rule=_rules.host,
        form="an address, https:// unless it says otherwise",
        example="https://your-workspace.cloud.databricks.com",
        help="Address of the workspace.",
    )
    token: Secret | None = setting(
        "secret",
        None,
        layers=OUTSIDE,
        env="DATABRICKS_TOKEN",
        example="your-personal-access-token",
        help="Personal access token; not needed where the SDK finds other credentials.",
    )
    profile: str | None = setting(
        "text",
        None,
        layers=PROJECT,
        env="DATABRICKS_CONFIG_PROFILE",
        example='"dev"',
        help="Profile of ~/.databrickscfg that gives host and credentials.",
    )
    config_file: Path | None = setting(
        "path",
        None,
        layers=("argument", "environment"),
        env="DATABRICKS_CONFIG_FILE",
        example="~/.databrickscfg",
        help="File with the profiles; ~/.databrickscfg when not set.",
    )
    cluster_id: str | None = setting(
        "text",
        None,
        env="DATABRICKS_CLUSTER_ID",
        rule=_rules.cluster_id,
        form="an ID, such as 0123-456789-abcdef12",
        example='"0123-456789-abcdef12"',
        help="Cluster to run on, as in the address of its page; a classic all-purpose one.",
    )
    channel: str = setting(
        "text",
        "auto",
        layers=PROJECT,
        choices=("auto", "spool", "result", "plain"),
        example='"auto"',
        help="How output comes back: live (spool), when the cell ends (result), or without an agent (plain).",
    )
    start_timeout_s: float = setting(
        "number",
        1200.0,
        layers=PROJECT,
        unit="s",
        above=0,
        example="1200.0",
        help="How long to wait for a stopped cluster to start.",
    )
    output_limit_mb: float = setting(
        "number",
        100.0,
        layers=PROJECT,
        unit="MB",
        above=0,
        example="100.0",
        help="Most output one cell may produce before the rest is dropped with a notice.",
    )
    display_rows: int = setting(
        "integer",
        1000,
        layers=PROJECT,
        unit="rows",
        minimum=1,
        example="1000",
        help="Most rows that display() shows of a DataFrame.",
    )
    log_level: str = setting(
        "text",
        "warning",
        layers=PROJECT,
        env="DBK_LOG",
        choices=("debug", "info", "warning", "error"),
        example='"warning"',
        help="How much is logged, to stderr.",
    )
    project_dir: Path = field(default_factory=Path.cwd)
    sync: SyncSettings = SyncSettings()
    origins: Mapping[str, Origin] = field(default_factory=dict, repr=False, compare=False)
    notes: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def get(self, name: str) -> Any:
        """The value of the setting with this dotted name, such as `sync.source`.

        Raises:
            UnknownSetting: no setting has this name.
        """
        if name not in SETTINGS:
            raise unknown(f"There is no setting {name!r}", name, SETTINGS)
        owner, _, leaf = name.rpartition(".")
        return getattr(self.sync if owner else self, leaf)

    def origin(self, name: str) -> Origin:
        """Where the value of the setting with this dotted name came from.

        Raises:
            UnknownSetting: no setting has this name.
        """
        value = self.get(name)
        given = value != SETTINGS[name].default
        return self.origins.get(name) or Origin("argument" if given else "default", key=name)

    def require(self, *names: str) -> None:
        """Make sure that each named setting has a value.

        Raises:
            SettingNotSet: one is missing: `DATABRICKS_HOST not set`, with the way to set it as hint.
            SettingsError: several are, all named in one message.
        """
        missing: list[SettingsError] = []
        for name in names:
            if self.get(name) is None:
                env = SETTINGS[name].env
                hint = [_HOW_TO_SET.get(name, f"Set {env} environment variable."), *(() if missing else self.notes)]
                missing.append(SettingNotSet(f"{env} not set", " ".join(hint), name=name))
        if missing:
            raise SettingsError.of(missing)

    def sdk_arguments(self) -> dict[str, Any]:
        """Keyword arguments for `databricks.sdk.WorkspaceClient` (or `Config`) that make it use just these settings.

        The token is in clear: give the mapping to the SDK and to nothing else. Without a token it names the profile, or
        leaves the SDK to look for other credentials (OAuth, Azure, Google, OIDC) in the environment.
        """
        found: dict[str, Any] = {"host": self.host} if self.host else {}
        by_profile = self.token is None or self.origin("token").layer == "profile"
        if by_profile and self.profile:
            found["profile"] = self.profile
            found |= {"config_file": str(self.config_file)} if self.config_file else {}
        if self.token is not None:
            found["token"] = self.token.reveal()
            # A token given outright is meant; else a profile's OAuth keys make the SDK refuse to choose.
            found |= {} if by_profile else {"auth_type": "pat"}
        return found


SETTINGS: Mapping[str, Setting] = {
    found.name: found for found in (*declared(Settings), *declared(SyncSettings, "sync."))
}
"""Every setting by its dotted name, in the order of the reference page."""

_HOW_TO_SET = {
    "host": "Set DATABRICKS_HOST environment variable, or name a profile of the Databricks CLI.",
    "token": "Set DATABRICKS_TOKEN environment variable or configure Databricks CLI.",
    "cluster_id": "Set DATABRICKS_CLUSTER_ID or configure in pyproject.toml: dbk-config set cluster_id YOUR-CLUSTER-ID",
}
