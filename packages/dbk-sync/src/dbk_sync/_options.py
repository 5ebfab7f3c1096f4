"""The options of the command line that several commands share."""

from __future__ import annotations

import argparse
import signal
from typing import Final

from dbk_config import cli

from dbk_sync._rule_file import RuleFile

_SCAN_NAMES: Final = (
    "exclude",
    "use_gitignore",
    "keep_empty_dirs",
    "max_size_mb",
    "max_file_size_mb",
    "links",
    "secrets",
)
_SCAN: Final = tuple(f"sync.{name}" for name in _SCAN_NAMES)
_BRIEF: Final = {
    "sync.exclude": ("leave out, as a line in .gitignore would", "PATTERN"),
    "sync.use_gitignore": ("whether .gitignore files count", None),
    "sync.preserve_times": ("give files the times they have here", None),
    "sync.keep_empty_dirs": ("keep folders without files, which git drops", None),
    "sync.links": ("links: inside, skip or error", "HOW"),
    "sync.secrets": ("what looks like one: warn, error or off", "HOW"),
}
"""Help and metavar of options of settings, to fit on one line."""
_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LEAST_RATE: Final = 1 << 12


def add_places(parser: argparse.ArgumentParser, *, target: bool) -> None:
    """`[SRC] [TARGET]`; what looks like a target is one. The two are told of in the description, to save lines."""
    helped = argparse.SUPPRESS if target else "the directory (default: the project)"
    parser.add_argument("places", nargs="*", metavar="SRC|TARGET" if target else "SRC", help=helped)


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """What is selected: the settings, in fewer words since the screen is full, and what is no setting."""
    _add_settings(parser, *_SCAN)
    parser.add_argument("--exclude-from", action="append", type=read_excludes, default=[], metavar="FILE",
                        help="leave out what FILE names, likewise")  # fmt: skip
    parser.add_argument("--include", action="append", type=parse_include, default=[], metavar="PATTERN",
                        help="select it, whatever .gitignore says")  # fmt: skip
    parser.add_argument("--include-from", action="append", type=read_includes, default=[], metavar="FILE",
                        help="select what FILE names, likewise")  # fmt: skip
    parser.add_argument("--tracked-only", action="store_true", help="of all that, only what git tracks")


def _add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    cli.add_setting_options(parser, *names)
    for action in parser._actions:
        if action.dest in names and action.dest in _BRIEF:
            action.help, metavar = _BRIEF[action.dest]
            action.metavar = metavar or action.metavar


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="events as JSON, one object a line, on stdout")


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """What decides about a plan, beside what is selected."""
    _add_settings(parser, "sync.preserve_times")
    parser.add_argument("--layout", choices=("files", "packs"), default="",
                        help="plain files, or packs (default for dbfs:)")  # fmt: skip
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
                        help="leave out what cannot be read")  # fmt: skip


def add_lock_option(parser: argparse.ArgumentParser) -> None:
    """`--break-lock`."""
    parser.add_argument("--break-lock", action="store_true", help="take over from a run that is dead")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """`--concurrency` and `--bwlimit`: how much of the workspace and of the line a push may take."""
    parser.add_argument("--concurrency", type=parse_count, metavar="N", help="most requests at a time, 1 to 20")
    parser.add_argument("--bwlimit", type=parse_rate, metavar="RATE", help="most bytes a second: 500k, 10M")


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """`--timeout`, where the system can wake up a program."""
    if hasattr(signal, "setitimer"):
        parser.add_argument("--timeout", type=parse_seconds, metavar="S", help="end after S seconds (exit code 75)")


def read_excludes(path: str) -> RuleFile:
    """The rules in a file."""
    try:
        with open(path, "rb") as file:
            return RuleFile(path, file.read())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path!r} cannot be read: {error.strerror}") from error


def read_includes(path: str) -> RuleFile:
    """The rules in a file, each turned around."""
    return read_excludes(path).turned()


def parse_include(text: str) -> str:
    """A pattern, turned around."""
    return text[1:] if text.startswith("!") else f"!{text}"


def parse_count(text: str) -> int:
    """A number of requests that our pool of connections can keep up."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 20")
    return int(text)


def parse_seconds(text: str) -> float:
    """More than nothing, and less than a year."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 3e7:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def parse_rate(text: str) -> float:
    """Bytes a second: `500k`, `1.5M`. A unit is needed, since for rsync a bare number is kB, and for others bytes."""
    try:
        rate = float(text[:-1]) * _UNITS[text[-1:].lower()]
    except (ValueError, KeyError):
        rate = 0.0
    if not _LEAST_RATE <= rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as 500k or 10M, of 4k at least")
    return rate


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
