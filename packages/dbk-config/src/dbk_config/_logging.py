"""The logging tree `dbk`: one switch, one handler on stderr, no secrets."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from dbk_config._secret import redact

__all__ = ["configure_logging"]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Formatter(logging.Formatter):
    """One line for each record, tracebacks below it, every secret masked; with the time when debugging."""

    def format(self, record: logging.LogRecord) -> str:
        record.lower = record.levelname.lower()
        return redact(super().format(record))


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at the moment, as the standard library's own last resort does."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def configure_logging(level: str = "") -> None:
    """Sends the log of all `dbk` packages (loggers `dbk.session`, `dbk.sync`, ...) to stderr; may be called again.

    For commands and kernels: a library leaves logging to the program that uses it.

    Args:
        level: `debug`, `info`, `warning` or `error`; "" for what `DBK_LOG` says, else `warning`. A text that is none of
            these counts as `warning`: `load` is the one to complain about it.
    """
    level = (level or os.environ.get("DBK_LOG", "")).strip().lower()
    tree = logging.getLogger("dbk")
    for handler in [handler for handler in tree.handlers if isinstance(handler, _Stderr)]:
        tree.removeHandler(handler)
    handler = _Stderr()
    clock = "%(asctime)s.%(msecs)03d " if level == "debug" else ""
    handler.setFormatter(_Formatter(f"{clock}%(lower)s %(name)s: %(message)s", datefmt="%H:%M:%S"))
    tree.addHandler(handler)
    tree.setLevel(LEVELS.get(level, logging.WARNING))
    tree.propagate = False
