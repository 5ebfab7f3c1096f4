"""Errors of dbk-sync, one class per remedy.

```
DbkError (dbk_config)
└── SyncError
    ├── SourceError              the source is not a readable directory
    ├── RulesError               an ignore file exists but cannot be read
    ├── FileSizeError            a size limit is exceeded
    ├── UnreadableFilesError     files or directories that cannot be read
    ├── ChangedWhileReadingError files that changed each time they were read
    ├── LinkError                links that cannot be sent (links = "error")
    ├── SecretsError             files that look like secrets (secrets = "error")
    ├── NameCollisionError       names the target cannot keep apart
    └── FormatError              bytes that are not a manifest or pack of ours
```

Every error of the source lists all offending files, and is raised before any request is sent.
Paths are bytes relative to the source, `/`-separated; messages show them with `os.fsdecode`.
"""

from __future__ import annotations

from dbk_config.errors import DbkError

__all__ = [
    "ChangedWhileReadingError",
    "FileSizeError",
    "FormatError",
    "LinkError",
    "NameCollisionError",
    "RulesError",
    "SecretsError",
    "SourceError",
    "SyncError",
    "UnreadableFilesError",
]


class SyncError(DbkError):
    """Base of every error of dbk-sync."""


class SourceError(SyncError):
    """The source does not exist, is not a directory, or cannot be listed."""


class RulesError(SyncError):
    """An ignore file exists but cannot be read, so the selection would be a guess.

    Attributes:
        paths: The ignore files, as the operating system names them.
    """

    def __init__(self, message: str, hint: str = "", *, paths: tuple[bytes, ...] = ()) -> None:
        super().__init__(message, hint)
        self.paths = paths


class FileSizeError(SyncError):
    """`max_file_size_mb` or `max_size_mb` is exceeded; nothing was sent.

    Attributes:
        offenders: `(path, size in bytes)` of every file over `max_file_size_mb`, largest first.
        total_bytes: Size of all selected files when `max_size_mb` is exceeded, else None.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        offenders: tuple[tuple[bytes, int], ...] = (),
        total_bytes: int | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.offenders = offenders
        self.total_bytes = total_bytes


class _PathsError(SyncError):
    """An error about several paths, each with its reason.

    Attributes:
        files: `(path, reason)` of every offender, in path order.
    """

    def __init__(self, message: str, hint: str = "", *, files: tuple[tuple[bytes, str], ...] = ()) -> None:
        super().__init__(message, hint)
        self.files = files


class UnreadableFilesError(_PathsError):
    """Selected files or directories cannot be read (permission, I/O error)."""


class ChangedWhileReadingError(_PathsError):
    """Files changed each time they were read, or changed between the scan and the upload.

    The remedy is to sync again; the remote is untouched.
    """


class LinkError(_PathsError):
    """`links = "error"` and some links point outside the source or are absolute."""


class SecretsError(_PathsError):
    """`secrets = "error"` and some selected files look like secrets. Values are never shown."""


class NameCollisionError(_PathsError):
    """Names that differ only by case or Unicode form, on a target that cannot keep them apart."""


class FormatError(SyncError):
    """Bytes that should be a manifest or a pack are damaged, or of another version."""
