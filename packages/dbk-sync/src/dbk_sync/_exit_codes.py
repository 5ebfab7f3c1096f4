"""What the exit codes of `dbk-sync` mean."""

from __future__ import annotations

from typing import Final

from dbk_config import DbkError
from dbk_config.errors import SettingsError

from dbk_sync import errors

EXIT_CODES: Final = (
    "Exit: 0 done or nothing to do, 1 failed, 2 usage or settings, 3 source cannot be read, 4 size limit, "
    "5 sign-in or permission, 6 target differs from its manifest, 7 too many deletions, 8 target in use, "
    "10 differences found, 75 try again later, 130 and 143 interrupted."
)
"""What people are told of them."""
DIFFERS: Final = 10
"""Source and target differ, where a command was asked whether they do."""

_CODES: Final[tuple[tuple[type[DbkError], int], ...]] = (
    (errors.FileSizeError, 4),
    (errors.UnreadableFilesError, 3),
    (errors.ChangedWhileReadingError, 3),
    (errors.SecretsError, 3),
    (errors.LinkError, 3),
    (errors.RulesError, 3),
    (errors.SourceError, 2),
    (errors.TargetError, 2),
    (errors.NameCollisionError, 2),
    (SettingsError, 2),
    (errors.AccessError, 5),
    (errors.VerificationError, 6),
    (errors.FormatError, 6),
    (errors.DeleteGuardError, 7),
    (errors.LockedError, 8),
    (errors.TransientError, 75),
)


def exit_code(error: DbkError) -> int:
    """The exit code for an error; 1 for all without one of their own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), 1)
