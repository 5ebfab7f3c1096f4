"""What can go wrong with settings, one class for each remedy; `DbkError` is the root for all five packages.

DbkError
└── SettingsError         one problem, or several at once (`problems`)
    ├── UnknownSetting    no setting has this name
    ├── InvalidValue      wrong type, range or choice
    ├── MisplacedSetting  a good setting in a file that must not hold it (a token in pyproject.toml)
    ├── UnreadableFile    a settings file that cannot be read or parsed
    ├── ProfileNotFound   a profile was named that the file does not have
    └── SettingNotSet     a value that the caller needs and nobody gave
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DbkError",
    "InvalidValue",
    "MisplacedSetting",
    "ProfileNotFound",
    "SettingNotSet",
    "SettingsError",
    "UnknownSetting",
    "UnreadableFile",
]


class DbkError(Exception):
    """A foreseeable failure.

    Attributes:
        message: what failed and with which value.
        hint: what to do next; "" when there is nothing to add.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class SettingsError(DbkError):
    """Settings that cannot be used.

    Attributes:
        problems: every problem of the input, each a `SettingsError` of its own class; `(self,)` for a single one.
        name: the setting, such as `sync.source`; "" where no single setting is to blame.
        file: the file to correct, or None (environment, arguments).
        line: 1-based line in `file`, or None.
    """

    def __init__(
        self, message: str, hint: str = "", *, name: str = "", file: Path | None = None, line: int | None = None
    ) -> None:
        super().__init__(message, hint)
        self.name = name
        self.file = file
        self.line = line
        self.problems: tuple[SettingsError, ...] = (self,)

    @staticmethod
    def of(problems: list[SettingsError]) -> SettingsError:
        """The one error to raise for `problems` (at least one): itself when single, else one that lists them all."""
        if len(problems) == 1:
            return problems[0]
        items = (str(problem).replace("\n", "\n    ") for problem in problems)
        error = SettingsError("\n".join([f"{len(problems)} problems in the settings:", *(f"  - {i}" for i in items)]))
        error.problems = tuple(problems)
        return error


class UnknownSetting(SettingsError):
    """No setting has this name; the hint has the nearest one that exists."""


class InvalidValue(SettingsError):
    """A value of the wrong type, out of range, or not among the choices."""


class MisplacedSetting(SettingsError):
    """A setting in a file that must not hold it: a token, or the host that a token is sent to, in `pyproject.toml`."""


class UnreadableFile(SettingsError):
    """A settings file that cannot be read, or is not what its name says (TOML, INI)."""


class ProfileNotFound(SettingsError):
    """A profile was named that the configuration file does not have; the hint lists those it has."""


class SettingNotSet(SettingsError):
    """A value the caller needs was given nowhere: `Settings.require`."""
