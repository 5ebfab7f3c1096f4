"""The profiles of a `.databrickscfg`: from its text to raw values with origins, and the problems it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dbk_config._found import Found, Values
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS
from dbk_config.errors import ProfileNotFound, SettingsError, UnreadableFile

__all__ = ["from_profile", "profile_names"]


def from_profile(text: str, file: Path, profile: str | None, named_by: str = "") -> tuple[Values, str | None]:
    """The settings of one profile of a configuration file, by the SDK's rules, and the name of that profile.

    Args:
        text: the text of the file, INI.
        file: where it is, for origins and messages.
        profile: the profile asked for; None for the file's own default (`default_profile` in `[__settings__]`, or
            `[DEFAULT]`), which may not exist.
        named_by: who asked for it, for the message.
    """
    sections, problem = _sections(text, file)
    if problem:
        return Values(problems=[problem]), profile
    wanted = profile or sections.pop("__settings__", {}).get("default_profile", "").strip() or None
    sections.pop("__settings__", None)
    name = wanted or "DEFAULT"
    if name not in sections:
        if wanted is None:
            return Values(), None
        return Values(problems=[_no_profile(name, file, sections, named_by)]), name
    lines = _ini_lines(text)
    found = {
        key: Found(value, Origin("profile", file, lines.get((name, key)), f"[{name}] {key}"), is_text=True)
        for key, value in sections[name].items()
        if value and key in SETTINGS and "profile" in SETTINGS[key].layers
    }
    return Values(found), name


def profile_names(text: str, file: Path) -> list[str]:
    """The profiles of a configuration file, in order; none when it cannot be parsed."""
    return [name for name in _sections(text, file)[0] if name != "__settings__"]


def _sections(text: str, file: Path) -> tuple[dict[str, dict[str, str]], SettingsError | None]:
    # The SDK reads each section without those of [DEFAULT] mixed in, hence the private attribute, as there.
    import configparser  # only where there is a file

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # The error's own text quotes the line, which may be a token.
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        what = re.sub(r"(?<!^)([A-Z])", r" \1", type(error).__name__.removesuffix("Error")).lower()
        message = f"{file}:{line}: not a valid configuration file: {what}"
        return {}, UnreadableFile(message, "Correct the file, or run: databricks configure", file=file, line=line)
    sections: dict[str, dict[str, str]] = {k: dict(v) for k, v in parser._sections.items()}  # type: ignore[attr-defined]
    if parser.defaults():
        sections["DEFAULT"] = dict(parser.defaults())
    return sections, None


def _no_profile(name: str, file: Path, sections: Iterable[str], named_by: str) -> ProfileNotFound:
    names = ", ".join(sections)
    hint = f"It has: {names}." if names else "It has no profiles."
    by = f" (named by {named_by})" if named_by else ""
    return ProfileNotFound(
        f"{file} has no profile {name!r}{by}", f"{hint} Make one with: databricks configure", file=file
    )


def _ini_lines(text: str) -> Mapping[tuple[str, str], int]:
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\[(.+)\]", line):
            section = header[1]
        elif pair := re.match(r"([^\s#;=:][^=:]*?)\s*[=:]", line):
            lines.setdefault((section, pair[1].lower()), number)
    return lines
