"""Finds the files, reads the layers, and merges them into one `Settings`. The only module here that reads anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dbk_config import _layers, _toml, _values
from dbk_config._layers import Found, Values
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS, Settings, SyncSettings
from dbk_config.errors import InvalidValue, ProfileNotFound, SettingsError, UnreadableFile

__all__ = ["Project", "load", "projects", "read_text"]


@dataclass(frozen=True)
class Project:
    """A `pyproject.toml`: where, its text, its parsed document."""

    file: Path
    text: str
    document: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return _layers.table_of(self.document) is not None


def load(
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    arguments: Mapping[str, object] | None = None,
) -> Settings:
    """The settings in force: each from the strongest layer that gives it.

    Layers, strongest first: `arguments`, environment, the project's `pyproject.toml` (nearest upward that has the table
    `[tool.jupyter-databricks-kernel]`), a profile of `~/.databrickscfg` by the SDK's own rules, defaults. A missing
    host, token or cluster is no error here: see `Settings.require`.

    Args:
        cwd: where to start looking for `pyproject.toml`; the current folder when None.
        env: variable -> text; the process's own environment when None.
        arguments: setting name (`cluster_id`, `sync.source`) -> value, typed or as text; None means "not given".

    Raises:
        SettingsError: at least one value cannot be used, or a file cannot be read; lists every problem at once, each
            with its file, key and line.
    """
    cwd = (Path.cwd() if cwd is None else Path(cwd)).absolute()
    env = os.environ if env is None else env
    arguments = arguments or {}
    given = [_layers.from_arguments(arguments), _layers.from_environment(env)]
    project_dir, project = _project(cwd)
    given.append(project)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    problems: list[SettingsError] = []
    for layer in given:
        _merge(layer, values, origins, problems)
    if "config_file" in values:
        values["config_file"] = _expanded(values["config_file"], cwd, env)
    profile, note = _profile(values, origins, env, arguments)
    _merge(profile, values, origins, problems)
    problems += _contradictions(values, origins)
    if problems:
        raise SettingsError.of(sorted(problems, key=lambda problem: (str(problem.file or ""), problem.line or 0)))
    return _settings(values, origins, project_dir, (note,) if note else ())


def projects(cwd: Path) -> Iterator[Project | UnreadableFile]:
    """Every `pyproject.toml` from `cwd` upward, nearest first; one that cannot be read is given as its error."""
    for folder in (cwd, *cwd.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                text = read_text(file)
                yield Project(file, text, _toml.parse(text, file))
            except UnreadableFile as error:
                yield error


def read_text(file: Path) -> str:
    """The text of a settings file, line ends as they are, without a byte order mark.

    Raises:
        UnreadableFile: it cannot be opened, or is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"{file} cannot be read: {error.strerror}", file=file) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"{file}:{line}: not UTF-8 text"
        raise UnreadableFile(message, "Save the file as UTF-8.", file=file, line=line) from None


def _project(cwd: Path) -> tuple[Path, Values]:
    """The folder of the project and what its file sets: the nearest with our table, else the nearest of all."""
    first: Path | None = None
    for found in projects(cwd):
        if isinstance(found, UnreadableFile):
            # It may hold our table: to read another one instead would be a guess.
            return first or cwd, Values(problems=[found])
        if found.is_ours:
            return found.file.parent, _layers.from_pyproject(found.text, found.document, found.file)
        first = first or found.file.parent
    return first or cwd, Values()


def _profile(
    values: Mapping[str, Any], origins: Mapping[str, Origin], env: Mapping[str, str], arguments: Mapping[str, object]
) -> tuple[Values, str]:
    """What the profile gives, and a note when a configuration file was left unread by the SDK's rule."""
    file: Path = values.get("config_file") or _expanded(Path("~/.databrickscfg"), Path.cwd(), env)
    named: str | None = values.get("profile")
    by = str(origins["profile"]) if named else ""
    if not file.exists():
        if not named:
            return Values(), ""
        hint = "Make the profile with: databricks configure"
        return Values(problems=[ProfileNotFound(f"{file} does not exist, so no profile {named!r} ({by})", hint)]), ""
    skipped_for = "" if named else _layers.sdk_skips_profiles(env, arguments)
    if skipped_for:
        return Values(), f"({file} was not read: {skipped_for} is set and no profile is named.)"
    try:
        read, name = _layers.from_profile(read_text(file), file, named, by)
    except UnreadableFile as error:
        return Values(problems=[error]), ""
    if name and not named:
        read.found["profile"] = Found(name, Origin("profile", file, key=f"[{name}]"))
    return read, ""


def _merge(layer: Values, values: dict[str, Any], origins: dict[str, Origin], problems: list[SettingsError]) -> None:
    """Adds a weaker layer; its values are checked even where a stronger one hides them: they are wrong all the same."""
    problems += layer.problems
    for name, found in layer.found.items():
        setting = SETTINGS[name]
        try:
            raw = _values.from_text(setting, found.value) if found.is_text else found.value
            value = _values.convert(setting, raw)
        except _values.Refused as refused:
            origin = found.origin
            at = {"argument": f"argument {setting.option}", "environment": origin.key}.get(origin.layer)
            label = at or f"{origin}: {name}"
            problems.append(InvalidValue(f"{label}: {refused}", name=name, file=origin.file, line=origin.line))
        else:
            values.setdefault(name, value)
            origins.setdefault(name, found.origin)


def _contradictions(values: Mapping[str, Any], origins: Mapping[str, Origin]) -> list[SettingsError]:
    """Values that are good alone but not together."""
    if values.get("sync.store") == "volume" and "sync.volume" not in values:
        origin = origins["sync.store"]
        message = f'{origin}: sync.store is "volume" but sync.volume is not set'
        hint = "Say which: dbk-config set sync.volume /Volumes/<catalog>/<schema>/<volume>"
        return [InvalidValue(message, hint, name="sync.volume", file=origin.file, line=origin.line)]
    return []


def _settings(
    values: Mapping[str, Any], origins: Mapping[str, Origin], project_dir: Path, notes: tuple[str, ...]
) -> Settings:
    sync = {name.removeprefix("sync."): value for name, value in values.items() if name.startswith("sync.")}
    own = {name: value for name, value in values.items() if not name.startswith("sync.")}
    defaults = {name: Origin("default", key=name) for name in SETTINGS}
    settings = Settings(
        project_dir=project_dir, sync=SyncSettings(**sync), origins={**defaults, **origins}, notes=notes
    )
    return replace(settings, **own)


def _expanded(file: Path, cwd: Path, env: Mapping[str, str]) -> Path:
    if file.parts[:1] == ("~",):
        return Path(env.get("HOME") or Path.home(), *file.parts[1:])
    return cwd / file
