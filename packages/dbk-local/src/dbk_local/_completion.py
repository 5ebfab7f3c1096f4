"""Shell completion: at Tab the shell asks the command itself which words can follow, by argcomplete."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Final

__all__ = ["SHELLS", "answer_shell", "complete_with", "completion_script"]

SHELLS: Final = ("bash", "zsh", "fish")


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What `shell`, one of `SHELLS`, has to read once to complete the command `parser.prog`."""
    from argcomplete.shell_integration import shellcode  # here and below: no other run has to wait for it

    return shellcode([parser.prog], shell=shell)


def complete_with(action: argparse.Action, words: Iterable[str]) -> None:
    """Words to offer for an argument whose values argparse does not check itself; a mapping gives each its help."""
    action.completer = lambda **_: words  # type: ignore[attr-defined]


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Where a shell asks, tells it the words that can follow and ends the process; else does nothing."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)
