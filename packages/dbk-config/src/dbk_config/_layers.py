"""One pure reader for each layer: from its text or mapping to raw values with origins, and the problems it found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbk_config import _toml
from dbk_config._former import FORMER, FORMER_ENV
from dbk_config._origin import Layer, Origin
from dbk_config._settings import SETTINGS
from dbk_config._unknown import unknown
from dbk_config.errors import MisplacedSetting, ProfileNotFound, SettingsError, UnknownSetting, UnreadableFile

__all__ = [
    "TABLE",
    "Found",
    "Values",
    "from_arguments",
    "from_environment",
    "from_profile",
    "from_pyproject",
    "profile_names",
    "sdk_skips_profiles",
    "table_of",
]

TABLE = ("tool", "jupyter-databricks-kernel")

# A variable of one of these names means to the SDK that it need not look into the configuration file for credentials
# (databricks/sdk/config.py: every attribute with an `auth`).
_SDK_AUTH = (
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_TENANT_ID",
    "ARM_USE_MSI",
    "DATABRICKS_AZURE_RESOURCE_ID",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_GOOGLE_SERVICE_ACCOUNT",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN_ENV",
    "DATABRICKS_OIDC_TOKEN_FILE",
    "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_TOKEN",
    "DATABRICKS_USERNAME",
    "GOOGLE_CREDENTIALS",
)


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


def from_arguments(arguments: Mapping[str, object]) -> Values:
    """Setting name -> value, typed or as text; None means "not given"."""
    values = Values()
    for name, value in arguments.items():
        if name not in SETTINGS:
            values.problems.append(unknown(f"There is no setting {name!r}", name, SETTINGS))
        elif value is not None:
            as_text = isinstance(value, str) and SETTINGS[name].kind not in ("text", "secret", "path")
            values.found[name] = Found(value, Origin("argument", key=name), as_text)
    return values


def from_environment(env: Mapping[str, str]) -> Values:
    """The variables that name settings; an empty one counts as not set, as it does for the SDK."""
    values = Values()
    variables = {setting.env: name for name, setting in SETTINGS.items()}
    for variable, name in {**variables, **FORMER_ENV}.items():
        if env.get(variable, "").strip():
            values.found.setdefault(name, Found(env[variable], Origin("environment", key=variable), is_text=True))
    return values


def sdk_skips_profiles(env: Mapping[str, str], arguments: Mapping[str, object]) -> str:
    """What makes the SDK leave the configuration file alone while no profile is named, or ""."""
    for name in ("host", "token"):
        if arguments.get(name):
            return f"the argument {name}"
    return next((name for name in ("DATABRICKS_HOST", *_SDK_AUTH) if env.get(name, "").strip()), "")


def table_of(document: Mapping[str, Any]) -> Any:
    """Our table in a parsed pyproject.toml, or None when it has none."""
    value: Any = document
    for part in TABLE:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def from_pyproject(text: str, document: Mapping[str, Any], file: Path) -> Values:
    """The settings in our table of a `pyproject.toml`, if it has one: its text (for the lines), its parsed document."""
    values = Values()
    table = table_of(document)
    if table is not None:
        _read_table(values, table, (), file, _toml.key_lines(text))
    return values


def _read_table(values: Values, table: Any, path: _toml.Key, file: Path, lines: Mapping[_toml.Key, int]) -> None:
    where = Origin("pyproject", file, _line(lines, TABLE + path), ".".join(TABLE + path))
    if not isinstance(table, Mapping):
        message = f"{where}: {where.key}: must be a table"
        values.problems.append(UnknownSetting(message, name=".".join(path), file=file, line=where.line))
        return
    for key, value in table.items():
        here = (*path, key)
        name = ".".join(here)
        origin = Origin("pyproject", file, _line(lines, TABLE + here), ".".join(TABLE + here))
        if name == "sync":
            _read_table(values, value, here, file, lines)
        elif path and key in FORMER:
            if FORMER[key]:
                values.found.setdefault(FORMER[key], Found(value, origin))  # the name of today wins
        elif name not in SETTINGS:
            known = ["sync", *(known for known in SETTINGS if _allowed(known, "pyproject"))]
            message = f"{origin}: unknown setting {name!r}"
            values.problems.append(unknown(message, name, known, file=file, line=origin.line))
        elif "pyproject" not in SETTINGS[name].layers:
            values.problems.append(_misplaced(name, origin))
        else:
            values.found[name] = Found(value, origin)


def _misplaced(name: str, origin: Origin) -> MisplacedSetting:
    setting = SETTINGS[name]
    why = {
        "token": "a token does not belong in pyproject.toml, which is shared with the project",
        "host": "the host does not belong in pyproject.toml: a project could send your token to another server",
    }.get(name, f"{name} is not read from pyproject.toml")
    way = f"Set {setting.env} environment variable"
    way += ", or name a profile of ~/.databrickscfg with the key `profile`" if name != "config_file" else ""
    revoke = " If this file was ever shared, revoke the token." if setting.is_secret else ""
    hint = f"Remove the line. {way}.{revoke}"
    return MisplacedSetting(f"{origin}: {name}: {why}", hint, name=name, file=origin.file, line=origin.line)


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
        if value and _allowed(key, "profile")
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


def _allowed(name: str, layer: Layer) -> bool:
    return name in SETTINGS and layer in SETTINGS[name].layers


def _line(lines: Mapping[_toml.Key, int], path: _toml.Key) -> int | None:
    """The line of a key, or of the nearest table around it: keys of inline tables have none of their own."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)
