"""Finds the files, reads the layers, and merges them into one `Settings`. The only module here that reads anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbk_config import _layers, _profiles, _pyproject, _toml
from dbk_config._found import Found, Values
from dbk_config._merge import Merged, merge
from dbk_config._origin import Origin
from dbk_config._settings import SETTINGS, Settings, SyncSettings
from dbk_config.errors import ProfileNotFound, SettingsError, UnreadableFile

__all__ = ["Project", "load", "projects", "read_text"]


@dataclass(frozen=True)
class Project:
    """A `pyproject.toml`: where, its text, its parsed document."""

    file: Path
    text: str
    document: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return _pyproject.table_of(self.document) is not None


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
    merged = merge(given)
    file = _expanded(merged.values.get("config_file", Path("~/.databrickscfg")), cwd, env)
    if "config_file" in merged.values:
        merged.values["config_file"] = file
    profile, note = _profile(file, merged, _layers.sdk_skips_profiles(env, arguments))
    merged.add(profile)
    problems = merged.problems + merged.contradictions()
    if problems:
        raise SettingsError.of(sorted(problems, key=lambda problem: (str(problem.file or ""), problem.line or 0)))
    return _settings(merged, project_dir, (note,) if note else ())


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
    """The folder of the project and what its file sets: the nearest with our table, else the working folder itself.

    A `pyproject.toml` without the table says nothing of us: to take its folder for the project could send a whole
    repository along with a notebook somewhere in it.
    """
    for found in projects(cwd):
        if isinstance(found, UnreadableFile):
            # It may hold our table: to read another one instead would be a guess.
            return cwd, Values(problems=[found])
        if found.is_ours:
            return found.file.parent, _pyproject.from_pyproject(found.text, found.document, found.file)
    return cwd, Values()


def _profile(file: Path, merged: Merged, skipped_for: str) -> tuple[Values, str]:
    """What the profile gives, and a note when the configuration file was left unread by the SDK's rule."""
    named: str | None = merged.values.get("profile")
    by = str(merged.origins["profile"]) if named else ""
    if not file.exists():
        if not named:
            return Values(), ""
        hint = "Make the profile with: databricks configure"
        return Values(problems=[ProfileNotFound(f"{file} does not exist, so no profile {named!r} ({by})", hint)]), ""
    if skipped_for and not named:
        return Values(), f"({file} was not read: {skipped_for} is set and no profile is named.)"
    try:
        read, name = _profiles.from_profile(read_text(file), file, named, by)
    except UnreadableFile as error:
        return Values(problems=[error]), ""
    if name and not named:
        read.found["profile"] = Found(name, Origin("profile", file, key=f"[{name}]"))
    return read, ""


def _settings(merged: Merged, project_dir: Path, notes: tuple[str, ...]) -> Settings:
    values = merged.values
    sync = {name.removeprefix("sync."): value for name, value in values.items() if name.startswith("sync.")}
    own = {name: value for name, value in values.items() if not name.startswith("sync.")}
    origins = {**{name: Origin("default", key=name) for name in SETTINGS}, **merged.origins}
    return Settings(project_dir=project_dir, sync=SyncSettings(**sync), origins=origins, notes=notes, **own)


def _expanded(file: Path, cwd: Path, env: Mapping[str, str]) -> Path:
    if file.parts[:1] == ("~",):
        return Path(env.get("HOME") or Path.home(), *file.parts[1:])
    return cwd / file
