"""What a scan selects and what it refuses."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from dbk_sync._rule_file import RuleFile
from dbk_sync._selection import Selection

if TYPE_CHECKING:
    from dbk_config import SyncSettings

LinkPolicy = Literal["inside", "skip", "error"]
SecretPolicy = Literal["warn", "error", "off"]


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to select and what to refuse; the settings of `[tool.jupyter-databricks-kernel.sync]` of the same names.

    What is no setting: `rule_files` are more rules, those of the first one first, which rank between `exclude` and the
    ignore files. `tracked_only` leaves out what git does not track, and so directories without files. `skip_unreadable`
    makes remarks of files and directories that cannot be read, not an error.
    """

    exclude: tuple[str, ...] = ()
    use_gitignore: bool = True
    max_size_mb: float | None = None
    max_file_size_mb: float | None = None
    links: LinkPolicy = "inside"
    secrets: SecretPolicy = "warn"
    keep_empty_dirs: bool = False
    preserve_times: bool = False
    skip_unreadable: bool = False
    rule_files: tuple[RuleFile, ...] = ()
    tracked_only: bool = False

    @property
    def keeps_directories(self) -> bool:
        """Whether directories without files are in the tree; git tracks none."""
        return self.keep_empty_dirs and not self.tracked_only

    def selection(self, source: str | os.PathLike[str]) -> Selection:
        """The rules of `source` together with these.

        Raises:
            SourceError: `source` is not a directory, or one of git's own.
        """
        return Selection(source, self.exclude, self.rule_files, use_gitignore=self.use_gitignore)

    @classmethod
    def from_settings(cls, settings: SyncSettings) -> ScanOptions:
        """The options that the settings give."""
        return cls(
            exclude=tuple(settings.exclude),
            use_gitignore=settings.use_gitignore,
            max_size_mb=settings.max_size_mb,
            max_file_size_mb=settings.max_file_size_mb,
            links=cast("LinkPolicy", settings.links),
            secrets=cast("SecretPolicy", settings.secrets),
            keep_empty_dirs=settings.keep_empty_dirs,
            preserve_times=settings.preserve_times,
        )
