"""Layers into one set of checked values, each with its origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dbk_config import _values
from dbk_config._found import Found, Values
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS
from dbk_config.errors import InvalidValue, SettingsError

__all__ = ["Merged", "merge"]


@dataclass
class Merged:
    """Setting name -> value and -> origin, of all layers added so far, and everything that was wrong in them."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[SettingsError] = field(default_factory=list)

    def add(self, layer: Values) -> None:
        """Adds a weaker layer. Values that a stronger one hides are checked too: they are wrong all the same."""
        self.problems += layer.problems
        for name, found in layer.found.items():
            try:
                value = _converted(name, found)
            except _values.Refused as refused:
                self.problems.append(_invalid(name, found, refused))
            else:
                self.values.setdefault(name, value)
                self.origins.setdefault(name, found.origin)

    def contradictions(self) -> list[SettingsError]:
        """Values that are good alone but not together."""
        if self.values.get("sync.store") == "volume" and "sync.volume" not in self.values:
            origin = self.origins["sync.store"]
            message = f'{origin}: sync.store is "volume" but sync.volume is not set'
            hint = "Say which: dbk-config set sync.volume /Volumes/<catalog>/<schema>/<volume>"
            return [InvalidValue(message, hint, name="sync.volume", file=origin.file, line=origin.line)]
        return []


def merge(layers: Iterable[Values]) -> Merged:
    """The layers, strongest first, merged."""
    merged = Merged()
    for layer in layers:
        merged.add(layer)
    return merged


def _converted(name: str, found: Found) -> Any:
    setting = SETTINGS[name]
    raw = _values.from_text(setting, found.value) if found.is_text else found.value
    return _values.convert(setting, raw)


def _invalid(name: str, found: Found, refused: _values.Refused) -> InvalidValue:
    origin = found.origin
    at = {"argument": f"argument {SETTINGS[name].option}", "environment": origin.key}.get(origin.layer)
    label = at or f"{origin}: {name}"
    return InvalidValue(f"{label}: {refused}", name=name, file=origin.file, line=origin.line)
