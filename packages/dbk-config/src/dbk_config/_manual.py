"""The reference page of a command, from its argparse parser: what `--help` says, as Markdown."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["manual"]

WIDTH = 100


def manual(parser: argparse.ArgumentParser) -> str:
    """A section for the command and one for each of its subcommands, with the whole help text, 100 columns wide."""
    with _columns(WIDTH):
        return "\n".join(
            f"{'#' * (2 + depth)} `{each.prog}`\n\n```text\n{each.format_help()}```\n" for depth, each in _all(parser)
        )


def _all(parser: argparse.ArgumentParser, depth: int = 0) -> Iterator[tuple[int, argparse.ArgumentParser]]:
    yield depth, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _all(subparser, depth + 1)


@contextmanager
def _columns(width: int) -> Iterator[None]:
    """argparse asks the environment how wide the terminal is; a page must not depend on who makes it."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
