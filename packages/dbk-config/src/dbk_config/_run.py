"""The outermost frame of every command: errors become a message and an exit code."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TextIO

from dbk_config._completion import answer_shell
from dbk_config._logging import configure_logging
from dbk_config._secret import redact
from dbk_config.errors import DbkError, SettingsError

__all__ = ["run_command", "run_parser"]

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def run_parser(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> int:
    """Parses the command line and runs the chosen subcommand; gives the exit code.

    The chosen subcommand is the function that `add_command` stored. Without one the help is shown, and the code is 2.
    Where a shell asks for completions, it is answered in place of all this.
    """
    answer_shell(parser)

    def main(argv: Sequence[str]) -> int | None:
        namespace = parser.parse_args(argv)
        configure_logging(getattr(namespace, "log_level", ""))
        if not hasattr(namespace, "run"):
            parser.print_help(sys.stderr)
            return USAGE
        run: Callable[[argparse.Namespace], int | None] = namespace.run
        return run(namespace)

    return run_command(main, argv)


def run_command(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Calls `main(argv)` and gives the exit code of the process: what it returned, 0 for None.

    A `DbkError` becomes `error: ...` and `hint: ...` on stderr and 1 (2 for settings), an `OSError` (a full disk, a
    file that is not there) `error: ...` and 1. Any other exception is a defect: one line about it and 1. With
    `--debug` in `argv`, or `DBK_LOG=debug`, the stack trace comes first. No secret that is known to this process is
    ever among them. Ctrl-C gives 130, a closed output pipe 1, silently. What the encoding of stdout or stderr cannot
    say is written as an escape, such as `\\xe9`. A standard stream that is closed, as for some daemons, is empty, or
    takes everything.
    """
    _open_closed_streams()
    _escape_what_cannot_be_encoded()
    argv = sys.argv[1:] if argv is None else argv
    try:
        code = main(argv) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()  # the reader has gone (`| head`)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if _is_lost(sys.stdout):
            _give_up_stdout()
        return _report(error, with_trace="--debug" in argv or os.environ.get("DBK_LOG") == "debug")
    return code


def _open_closed_streams() -> None:
    """In this order, so that the first three descriptors are the standard streams again, and no file of ours is."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - lives as long as the process


def _is_lost(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return True
    return False


def _give_up_stdout() -> None:
    """Keeps the interpreter from failing again when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escape_what_cannot_be_encoded() -> None:
    """An `ascii` or `cp1252` pipe must not end a command; a lone surrogate is beyond UTF-8, too."""
    for stream in (sys.stdout, sys.stderr):
        # Another choice than these was the user's own, by PYTHONIOENCODING.
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def _report(error: Exception, *, with_trace: bool) -> int:
    lines = traceback.format_exception(error) if with_trace else []
    if isinstance(error, DbkError):
        lines.append(f"error: {error.message}\n")
        lines += [f"hint: {error.hint}\n"] if error.hint else []
    elif isinstance(error, OSError):
        lines.append(f"error: {error}\n")
    else:
        lines.append(f"error: {type(error).__name__}: {error}\n")
        lines.append("hint: This is a defect. Please report it, with what --debug shows.\n")
    sys.stderr.write(redact("".join(lines)))
    return USAGE if isinstance(error, SettingsError) else FAILED
