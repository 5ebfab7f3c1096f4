"""Keeps the control context small: a long session sends it thousands of commands, and IPython would keep them all."""

from __future__ import annotations

import linecache
import secrets
import sys
from typing import Any

# Proves that this is still the same interpreter; a new one makes a new package.
NONCE = secrets.token_hex(16)


def forget_commands(installing: str = "") -> None:  # noqa: ARG001 - only that there is one
    """Drop all inputs that IPython has kept so far."""
    shell = _shell()
    manager = getattr(shell, "history_manager", None)
    if shell is None or manager is None:
        return
    for entries in (manager.input_hist_parsed, manager.input_hist_raw):
        # The list may not shrink: IPython takes its last entry for the cell that runs.
        entries[:-1] = [""] * (len(entries) - 1) if len(entries) < 100 else [""] * 1
    if manager.input_hist_raw:
        shell.user_ns.pop(f"_i{shell.displayhook.prompt_count - 1}", None)
    for name in [name for name in linecache.cache if name.startswith("<ipython-input-")][:-2]:
        linecache.cache.pop(name, None)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
