"""`dbk-config init`: from nothing to a project that has its cluster, by asking or by options."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dbk_config import _profiles, _pyproject
from dbk_config._check import Finding, find_user
from dbk_config._clusters import Choice, choices
from dbk_config._edit import value_from_words
from dbk_config._files import change, chosen_file
from dbk_config._load import load, read_text
from dbk_config._options import arguments_of
from dbk_config._rest import connect
from dbk_config._settings import Settings
from dbk_config._show import columns
from dbk_config._toml import parse
from dbk_config.errors import DbkError, SettingNotSet, UnreadableFile

__all__ = ["init"]


def init(arguments: argparse.Namespace) -> int | None:
    """Writes `cluster_id`, and `profile` when one is given or chosen, into the project's `pyproject.toml`."""
    given = arguments_of(arguments)
    file = chosen_file(arguments.file)
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    wanted: dict[str, Any] = {
        name: value_from_words(name, [str(value)]) for name, value in given.items() if name in ("cluster_id", "profile")
    }
    if "cluster_id" not in wanted:
        if not asks and not arguments.yes:
            raise SettingNotSet(
                "init needs to know the cluster: there is no terminal to ask on",
                "Give it: dbk-config init --cluster-id ID. Or --yes, to take the only suitable one.",
            )
        wanted |= _found(given, asks=asks)
    if asks and not arguments.yes and not _agreed(file, wanted):
        print("Nothing was changed.")
        return 1
    for line in change(file, wanted):
        print(line)
    print("Now see whether it works: dbk-config check")
    return None


def _found(given: dict[str, object], *, asks: bool) -> dict[str, Any]:
    """The settings that lead to a cluster of the workspace: asked for, or the only one that will do."""
    chosen: dict[str, Any] = {}
    settings = load(arguments=given)
    if settings.host is None and asks:
        profile = _ask_profile(settings)
        if profile:
            chosen["profile"] = profile
            settings = load(arguments=given | chosen)
    workspace = connect(settings)
    user = find_user(workspace.call("GET", "/api/2.0/preview/scim/v2/Me"), settings)
    if isinstance(user, Finding):
        raise DbkError(user.message, user.hint)
    print(f"{settings.host}, as {user.name}")
    found = choices(workspace, user.name, user.groups)
    suitable = [choice for choice in found if not choice.against]
    if not suitable:
        why = "".join(f"\n{choice.name} ({choice.cluster_id}): {choice.against}" for choice in found)
        raise DbkError(f"No cluster that you may use{why}", "Make an all-purpose cluster, or ask for access to one.")
    chosen["cluster_id"] = _ask_cluster(found, len(suitable)) if asks else _only(suitable)
    return chosen


def _only(suitable: list[Choice]) -> str:
    if len(suitable) > 1:
        names = "".join(f"\n{choice.cluster_id}  {choice.name}" for choice in suitable)
        raise SettingNotSet(f"Several clusters would do:{names}", "Choose one: dbk-config init --cluster-id ID")
    return suitable[0].cluster_id


def _ask_profile(settings: Settings) -> str | None:
    """A profile of the configuration file; None when there is none to choose from."""
    file = settings.config_file or Path.home() / ".databrickscfg"
    try:
        names = _profiles.profile_names(read_text(file), file)
    except UnreadableFile:
        return None
    if not names:
        return None
    print(f"Profiles in {file}:")
    print(columns([(f"{number:>3}", name) for number, name in enumerate(names, 1)]), end="")
    return names[_ask_number("Which profile?", len(names)) - 1]


def _ask_cluster(found: list[Choice], suitable: int) -> str:
    rows = [
        (f"{number:>3}" if number <= suitable else "  -", c.name, c.cluster_id, c.runtime, c.against or c.state)
        for number, c in enumerate(found, 1)
    ]
    print(columns([("  #", "cluster", "ID", "runtime", "state"), *rows]), end="")
    return found[_ask_number("Which cluster?", suitable) - 1].cluster_id


def _ask_number(question: str, highest: int) -> int:
    while True:
        try:
            answer = input(f"{question} [1-{highest}] ").strip()
        except EOFError:
            raise DbkError("No answer", "Nothing was changed.") from None
        if answer.isdecimal() and 1 <= int(answer) <= highest:
            return int(answer)
        print(f"Give a number from 1 to {highest}; Ctrl-C leaves everything as it is.")


def _agreed(file: Path, wanted: dict[str, Any]) -> bool:
    """Whether what the file already has may be replaced; asked only when something would be."""
    text = read_text(file) if file.exists() else ""
    there = _pyproject.from_pyproject(text, parse(text, file), file).found
    for name, value in wanted.items():
        if name in there and there[name].value != value:
            print(f"{there[name].origin} has {name} = {there[name].value}.")
            try:
                answer = input(f"Replace it by {value}? [y/N] ")
            except EOFError:
                answer = ""
            if answer.strip().lower() not in ("y", "yes"):
                return False
    return True
