"""What a layer of settings holds, before it is merged with the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dbk_config._origin import Origin
from dbk_config.errors import SettingsError

__all__ = ["Found", "Values"]


@dataclass(frozen=True)
class Found:
    """A raw value: as TOML types it, or text still to be converted."""

    value: Any
    origin: Origin
    is_text: bool = False


@dataclass
class Values:
    """What one layer holds: setting name -> raw value, and what was wrong with it."""

    found: dict[str, Found] = field(default_factory=dict)
    problems: list[SettingsError] = field(default_factory=list)
