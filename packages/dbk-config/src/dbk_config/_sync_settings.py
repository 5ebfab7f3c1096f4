"""The settings of the synchronisation, each declared once, as in `_settings`."""

from __future__ import annotations

from dataclasses import dataclass

from dbk_config import _rules
from dbk_config._origin import PROJECT
from dbk_config._setting import setting

__all__ = ["SyncSettings"]


@dataclass(frozen=True)
class SyncSettings:
    """Which project files follow to the cluster, and how: the table `[tool.jupyter-databricks-kernel.sync]`."""

    enabled: bool = setting(
        "flag", True, layers=PROJECT, example="true", help="Copy the project's files to the cluster before each cell."
    )
    source: str = setting(
        "text",
        ".",
        layers=PROJECT,
        example='"."',
        help="Folder to copy, relative to the folder of pyproject.toml.",
    )
    exclude: tuple[str, ...] = setting(
        "list",
        (),
        layers=PROJECT,
        example='["*.log", "data/", "*.tmp"]',
        help="Patterns to leave out besides those of .gitignore, in the same language.",
    )
    use_gitignore: bool = setting(
        "flag", True, layers=PROJECT, example="true", help="Leave out what the project's .gitignore files leave out."
    )
    keep_empty_dirs: bool = setting(
        "flag", False, layers=PROJECT, example="true", help="Keep folders that have no file to copy, which git drops."
    )
    preserve_times: bool = setting(
        "flag", False, layers=PROJECT, example="true", help="Give copied files the modification time they have here."
    )
    max_size_mb: float | None = setting(
        "number",
        None,
        layers=PROJECT,
        unit="MB",
        above=0,
        example="100.0",
        help="Largest total size of the project; beyond it nothing is copied.",
    )
    max_file_size_mb: float | None = setting(
        "number",
        None,
        layers=PROJECT,
        unit="MB",
        above=0,
        example="10.0",
        help="Largest size of a single file; beyond it nothing is copied.",
    )
    store: str = setting(
        "text",
        "dbfs",
        layers=PROJECT,
        choices=("dbfs", "volume", "workspace", "command"),
        example='"dbfs"',
        help="Where large changes travel through; those after it in this list are tried next.",
    )
    volume: str | None = setting(
        "text",
        None,
        layers=PROJECT,
        rule=_rules.volume,
        form="/Volumes/<catalog>/<schema>/<volume>[/<folder>]",
        example='"/Volumes/main/default/files"',
        help="Unity Catalog volume for the store `volume`.",
    )
    extract_to: str = setting(
        "text",
        "workspace",
        layers=PROJECT,
        rule=_rules.absolute_or("workspace", "driver"),
        form='"workspace", "driver" or an absolute path on the driver',
        example='"workspace"',
        help="Where the files are put: your folder in the workspace, the driver's own disk, or a path.",
    )
    inline: bool = setting(
        "flag", True, layers=PROJECT, example="true", help="Let a small change travel inside the next command."
    )
    on_error: str = setting(
        "text",
        "stop",
        layers=PROJECT,
        choices=("stop", "continue"),
        example='"stop"',
        help="When copying fails: stop the cell, or run it on the files as they are.",
    )
    links: str = setting(
        "text",
        "inside",
        layers=PROJECT,
        choices=("inside", "skip", "error"),
        example='"inside"',
        help="Symbolic links: copy those that stay inside the project, leave out all, or refuse those that do not.",
    )
    secrets: str = setting(
        "text",
        "warn",
        layers=PROJECT,
        choices=("warn", "error", "off"),
        example='"warn"',
        help="Files that look like keys or passwords: copy with a warning, refuse, or say nothing.",
    )
