"""What the kernel itself can fail with; the errors of its parts keep their own names.

DbkError                      every error of the family (`dbk_config.errors`)
├── InstallError              a kernelspec cannot be written, found or named like that
│   └── SecretInKernelSpec    a token was about to be written into `kernel.json`
└── MagicUsageError           a `%dbk` line that cannot be understood
"""

from dbk_config.errors import DbkError

__all__ = ["InstallError", "MagicUsageError", "SecretInKernelSpec"]


class InstallError(DbkError):
    """A kernelspec cannot be installed or removed as asked."""


class SecretInKernelSpec(InstallError):
    """A secret was given for `kernel.json`, which is a plain file that others can read."""


class MagicUsageError(DbkError):
    """A `%dbk` line names no known command, or has too few or too many words."""
