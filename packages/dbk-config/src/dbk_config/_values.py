"""From what a layer holds (text, or a TOML value) to the checked, typed value of a setting. The only such place."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from dbk_config._rules import normal_host
from dbk_config._secret import Secret
from dbk_config._setting import Setting

__all__ = ["UNITS", "Refused", "as_text", "convert", "expected", "from_text"]

UNITS = {"s": "seconds"}
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class Refused(Exception):
    """A value that the setting cannot have; the message goes on from the setting's name ("must be ...")."""


def expected(setting: Setting) -> str:
    """What a value of `setting` must be, to follow "must be"."""
    if setting.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in setting.choices)
    unit = f" of {UNITS.get(setting.unit, setting.unit)}" if setting.unit else ""
    words = {
        "text": "a text",
        "secret": "a text",
        "path": "a path",
        "flag": "true or false",
        "integer": f"a whole number{unit}",
        "number": f"a number{unit}",
        "list": "a list of texts",
    }[setting.kind]
    if setting.minimum is not None:
        words += f", {setting.minimum:g} or more"
    if setting.above is not None:
        words += f", more than {setting.above:g}"
    return words


def from_text(setting: Setting, text: str) -> Any:
    """The untyped value that `text`, from the environment or a command line, stands for.

    A list is written with commas (`*.log,data/`), or as a JSON array where an item has a comma.

    Raises:
        Refused: the text is no such value.
    """
    import json  # costs more to import than the rest of this module

    text = text.strip()
    try:
        if setting.kind == "flag":
            return _FLAGS[text.lower()]
        if setting.kind == "integer":
            return int(text)
        if setting.kind == "number":
            return float(text)
        if setting.kind == "list":
            return (
                json.loads(text) if text.startswith("[") else [part.strip() for part in text.split(",") if part.strip()]
            )
    except (KeyError, ValueError):
        raise Refused(_not(setting, text)) from None
    return text


def convert(setting: Setting, value: Any) -> Any:
    """`value`, as TOML types it, as the setting has it: checked, and a tuple, path or `Secret` where it is one.

    Raises:
        Refused: wrong type, out of range, or not among the choices.
    """
    if isinstance(value, (Secret, Path)):
        value = value.reveal() if isinstance(value, Secret) else str(value)
    if setting.kind == "flag":
        return _check(setting, value, isinstance(value, bool))
    if setting.kind in ("integer", "number"):
        return _number(setting, value)
    if setting.kind == "list":
        good = isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)
        return tuple(_check(setting, value, good))
    return _text(setting, _check(setting, value, isinstance(value, str)))


def as_text(value: Any) -> str:
    """A value as a person reads it in a table: `true`, `100`, `*.log, data/`, `***`, and `-` for "not set"."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(value) if isinstance(value, (tuple, list)) else str(value)


def _text(setting: Setting, text: str) -> Any:
    text = text.strip()
    _check(setting, text, bool(text) and text.isprintable() and (not setting.choices or text in setting.choices))
    if setting.is_secret:
        if not text.isascii() or " " in text:
            raise Refused("must be a token: plain characters, no space or line break inside (the value is not shown)")
        return Secret(text)
    wrong = setting.rule(text) if setting.rule else ""
    if wrong:
        # An address may carry a password.
        raise Refused(wrong if "@" in text else f"{wrong}, not {_shown(text)}")
    if setting.name == "host":
        return normal_host(text)
    return Path(text) if setting.kind == "path" else text


def _number(setting: Setting, value: Any) -> int | float:
    # bool is an int to Python, and TOML knows inf and nan: neither is a size or a count.
    wanted = int if setting.kind == "integer" else (int, float)
    good = isinstance(value, wanted) and not isinstance(value, bool) and math.isfinite(value)
    good = good and (setting.minimum is None or value >= setting.minimum)
    good = good and (setting.above is None or value > setting.above)
    _check(setting, value, good)
    return int(value) if setting.kind == "integer" else float(value)


def _check(setting: Setting, value: Any, good: bool) -> Any:
    if not good:
        raise Refused(_not(setting, value))
    return value


def _not(setting: Setting, value: object) -> str:
    if setting.is_secret:
        return f"must be {expected(setting)} (the value is not shown)"
    return f"must be {expected(setting)}, not {_shown(value)}"


def _shown(value: object) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
