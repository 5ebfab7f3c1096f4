"""The options of the command line that several commands share."""

from __future__ import annotations

import argparse
from typing import Final

from dbk_config import cli

_SCAN: Final = tuple(
    f"sync.{name}" for name in ("exclude", "use_gitignore", "max_size_mb", "max_file_size_mb", "links", "secrets")
)


def add_places(parser: argparse.ArgumentParser, *, target: bool) -> None:
    """`[SRC] [TARGET]`; what looks like a target is one."""
    helped = "what to push (default: the project), and where to" if target else "the directory (default: the project)"
    parser.add_argument("places", nargs="*", metavar="SRC|TARGET" if target else "SRC", help=helped)


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """The settings that say what is selected."""
    cli.add_setting_options(parser, *_SCAN, without="sync.")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="events as JSON, one object a line, on stdout")


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """What decides about a plan, beside what is selected."""
    parser.add_argument("--layout", choices=("files", "packs"), default="",
                        help="plain files, or one object for each push (default for dbfs:)")  # fmt: skip
    parser.add_argument("--no-delete", dest="delete", action="store_false", help="keep there what is gone here")
    parser.add_argument("--max-delete", type=parse_share, default=0.5, metavar="N|P%",
                        help="most files that may be deleted (default: 50%%)")  # fmt: skip
    parser.add_argument("--allow-filter-deletes", action="store_true",
                        help="delete files that are only not selected any more")  # fmt: skip
    parser.add_argument("--full", action="store_true", help="send everything, whatever is there")
    parser.add_argument("--checksum", action="store_true", help="read every file, whatever its time says")


def add_skip_option(parser: argparse.ArgumentParser) -> None:
    """`--skip-unreadable`."""
    parser.add_argument("--skip-unreadable", action="store_true",
                        help="leave out what cannot be read; else nothing is sent")  # fmt: skip


def add_lock_option(parser: argparse.ArgumentParser) -> None:
    """`--break-lock`."""
    parser.add_argument("--break-lock", action="store_true", help="take over from a run that is dead")


def parse_share(text: str) -> float:
    """`10` as 10.0, `25%` as 0.25; 100% is as many as there are."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if number < 0 or (text.endswith("%") and number > 100):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of files nor a part such as 25%")
    if not text.endswith("%"):
        if number < 1 and number != 0:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of files")
        return number or 0.0
    return float("inf") if number == 100 else number / 100
