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
    ├── NameCollisionError       names the target may not keep apart
    ├── FormatError              bytes that are not a manifest or pack of ours
    ├── RequestError             the workspace refused a request or does not answer it
    │   ├── AccessError          ... because of who asks (sign-in, permission)
    │   └── TransientError       ... for now: the same command may work in a while
    ├── UploadError              no store takes the pack, or none that the driver can read
    ├── ReceiverError            the driver refused, or could not carry out, a change
    ├── TargetError              this target cannot be pushed to
    ├── DeleteGuardError         more would be deleted than is allowed
    ├── LockedError              another run is at work on the target
    └── VerificationError        the target does not hold what its manifest says
```

Every error of the source lists all offending files, and is raised before any request is sent.
Paths are bytes relative to the source, `/`-separated; messages show them with `os.fsdecode`.
"""

from __future__ import annotations

from dbk_config.errors import DbkError

__all__ = [
    "AccessError",
    "ChangedWhileReadingError",
    "DeleteGuardError",
    "FileSizeError",
    "FormatError",
    "LinkError",
    "LockedError",
    "NameCollisionError",
    "ReceiverError",
    "RequestError",
    "RulesError",
    "SecretsError",
    "SourceError",
    "SyncError",
    "TargetError",
    "TransientError",
    "UnreadableFilesError",
    "UploadError",
    "VerificationError",
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
    """Files became something else while they were read, or were rewritten between the scan and the upload.

    The remedy is to sync again, which commands and cells do twice by themselves; the remote is untouched. Files that
    only grow, such as logs, are sent as they were.
    """


class LinkError(_PathsError):
    """`links = "error"` and some links point outside the source or are absolute."""


class SecretsError(_PathsError):
    """`secrets = "error"` and some selected files look like secrets. Values are never shown."""


class NameCollisionError(_PathsError):
    """Names that differ only by case or Unicode form, on a target that may not keep them apart."""


class FormatError(SyncError):
    """Bytes that should be a manifest or a pack are damaged, or of another version."""


class RequestError(SyncError):
    """A request that did not do what it should.

    Attributes:
        status: The HTTP status; 0 when there was no answer.
        code: The `error_code` of the answer, or `""`.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 0, code: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class AccessError(RequestError):
    """Whoever asks is not known (401), or must not do this (403)."""


class TransientError(RequestError):
    """The workspace is too busy or cannot be reached, also after several attempts; try again later."""


class UploadError(SyncError):
    """None of the stores takes the pack, or the driver can read none of them; the tree there is unchanged."""


class ReceiverError(SyncError):
    """The driver did not carry out a change; the tree there is as it was.

    Attributes:
        code: Which kind of refusal: `occupied`, `locked`, `unsafe-target`, `disk`, `bad-pack`, `internal`.
    """

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message, hint)
        self.code = code


class TargetError(SyncError):
    """The target is not a place that can be pushed to, or cannot hold these names."""


class DeleteGuardError(SyncError):
    """A push would delete more than `--max-delete` allows, or only because rules changed; nothing was sent."""


class LockedError(SyncError):
    """Another run holds the target, and is not old enough to be given up."""


class VerificationError(SyncError):
    """The target does not hold the files that its manifest lists."""
