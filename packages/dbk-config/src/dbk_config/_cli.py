"""The command line of `dbk-config`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dbk_config import _commands, _init, cli
from dbk_config._settings import SETTINGS

__all__ = ["main", "make_parser"]

PACKAGE = "dbk-config"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit code: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted."""
    return cli.run_parser(make_parser(), argv)


def make_parser() -> argparse.ArgumentParser:
    """The whole command line of `dbk-config`."""
    parser = cli.make_parser(
        PACKAGE,
        "See, check and change the settings of Databricks sessions. Exit: 0 done, 1 failed, 2 usage.",
        example="dbk-config init && dbk-config check",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_readers(commands)
    _add_editors(commands)
    for name, run, help in (
        ("schema", _commands.schema, "print the JSON schema of the table in pyproject.toml"),
        ("reference", _commands.reference, "print the reference of all settings (Markdown)"),
    ):
        cli.add_command(commands, name, run, package=PACKAGE, help=help, example=f"dbk-config {name}")
    cli.add_completion(commands, parser, package=PACKAGE)
    return parser


def _add_readers(commands: object) -> None:
    show = cli.add_command(
        commands,
        "show",
        _commands.show,
        package=PACKAGE,
        help="list all settings and where each one comes from",
        example="dbk-config show\ndbk-config show --json | jq .settings.cluster_id",
        settings=cli.CONNECTION,
    )
    get = cli.add_command(
        commands,
        "get",
        _commands.get,
        package=PACKAGE,
        help="print one value",
        description="Prints the value in force, a list with one item a line. Exit code 1 when it is not set.",
        example="dbk-config get cluster_id\ndbk-config get sync.exclude --json",
    )
    cli.complete_with(get.add_argument("name", metavar="NAME", help="a setting, such as sync.source"), _helps())
    check = cli.add_command(
        commands,
        "check",
        _commands.check,
        package=PACKAGE,
        help="ask the workspace whether the settings work",
        description="Asks the workspace: host, credentials, cluster (kind, access mode, runtime, right to attach), and "
        "the rights to write where project files go. Says what to do about each failure. "
        "Exit code 1 when something cannot work.",
        example="dbk-config check\ndbk-config check --cluster-id 0123-456789-abcdef12 --json",
        settings=cli.CONNECTION,
    )
    for parser in (show, get, check):
        parser.add_argument("--json", action="store_true", help="print JSON")


def _add_editors(commands: object) -> None:
    set_ = cli.add_command(
        commands,
        "set",
        _commands.set_,
        package=PACKAGE,
        help="set a value in pyproject.toml",
        description="Sets a value in the project's pyproject.toml; comments and order stay. Each further word is one "
        "item of a list. Nothing is written when the result would not be valid.",
        example="dbk-config set cluster_id 0123-456789-abcdef12\ndbk-config set sync.exclude '*.log' data/",
    )
    editable = _helps("pyproject")
    cli.complete_with(set_.add_argument("name", metavar="NAME", help="a setting, such as sync.source"), editable)
    set_.add_argument("value", metavar="VALUE", nargs="*", help="its value; several, or none, for a list")
    unset = cli.add_command(
        commands,
        "unset",
        _commands.unset,
        package=PACKAGE,
        help="remove a value from pyproject.toml",
        example="dbk-config unset sync.max_size_mb",
    )
    names = unset.add_argument("names", metavar="NAME", nargs="+", help="a setting, or a wrong key to remove")
    cli.complete_with(names, editable)
    init = cli.add_command(
        commands,
        "init",
        _init.init,
        package=PACKAGE,
        help="choose the project's cluster",
        description="Writes the cluster into the project's pyproject.toml. On a terminal it lists the clusters to "
        "choose from; without one it needs --cluster-id, or --yes.",
        example="dbk-config init\ndbk-config init --cluster-id 0123-456789-abcdef12",
        settings=cli.CONNECTION,
    )
    init.add_argument("--yes", action="store_true", help="do not ask; take the only suitable cluster")
    for parser in (set_, unset, init):
        parser.add_argument("--file", metavar="PATH", type=Path, help="change this file or folder's file instead")


def _helps(layer: str = "") -> dict[str, str]:
    """The names of the settings, those of one layer only where it is given, with what each one means."""
    return {name: setting.help for name, setting in SETTINGS.items() if not layer or layer in setting.layers}
