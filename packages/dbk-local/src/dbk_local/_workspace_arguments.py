"""What `serve` and `run` are told of the workspace that they start."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from .errors import BadFault


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    runtimes, modes = ["15.4", "16.4", "17.3"], ["dedicated", "standard", "no-isolation"]
    states = ["RUNNING", "TERMINATED"]
    add = parser.add_argument
    add("--folder", type=Path, metavar="PATH", help="keep files here; without it they are gone at the end")
    add("--runtime", default="17.3", choices=runtimes, metavar="DBR", help="15.4, 16.4 or 17.3 (%(default)s)")
    mode_help = "dedicated, standard or no-isolation (%(default)s)"
    add("--access-mode", default="dedicated", choices=modes, metavar="MODE", help=mode_help)
    add("--cluster-state", default="RUNNING", choices=states, help="the cluster at the start (%(default)s)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="an option, see `dbk-local options`")
    add("--fault", action="append", default=[], metavar="JSON", help="let requests go wrong, see `dbk-local options`")


def settings_of(chosen: argparse.Namespace) -> dict[str, Any]:
    """The options of `--set`: JSON values, or text as it is."""
    settings: dict[str, Any] = {}
    for pair in chosen.set:
        name, _, value = pair.partition("=")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value
    return settings


def rules_of(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """The rules of `--fault`, each tried once so that a mistake shows before anything starts."""
    from ._faults import Faults

    rules = []
    for text in chosen.fault:
        try:
            rules.append(json.loads(text))
        except ValueError:
            raise BadFault(f"{text!r} is not JSON") from None
        if not isinstance(rules[-1], dict):
            raise BadFault(f"{text!r} is not a JSON object")
        Faults().add(rules[-1])
    return rules
