"""What all subcommands of `dbk-local` have: their help, `--verbose`, `--debug`, `--version`, shell completion."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Callable
from typing import Any

_SHELLS = ("bash", "zsh", "fish")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the examples as they are, and says `[OPTIONS]` for what may be left out: each has its own line below."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:  # noqa: ARG002
        needed = [action for action in actions if action.required or not action.option_strings]
        options = [argparse.Action(["OPTIONS"], argparse.SUPPRESS, nargs=0)] if len(needed) < len(actions) else []
        super().add_usage(usage, [*options, *needed], [], prefix)


def add_command(
    commands: Any, name: str, action: Callable[..., int], text: str, example: str
) -> argparse.ArgumentParser:
    """A subcommand: what it does, in lower case, and command lines that show it."""
    examples = "\n".join(f"  {line}" for line in example.split("\n"))
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=Formatter,
    )
    parser.set_defaults(action=action)
    add_common(parser)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """What may stand before a subcommand and after it."""
    # Without a default: a subparser's default would undo what was given before the subcommand.
    add = functools.partial(parser.add_argument, dest="log_level", action="store_const", default=argparse.SUPPRESS)
    add("-v", "--verbose", const="info", help="say each request on stderr")
    add("--debug", const="debug", help="the same, and stack traces of errors")
    parser.add_argument("--version", action=_Version, help="show the version")


def add_completion(commands: Any, parser: argparse.ArgumentParser) -> None:
    """The subcommand that prints a completion script for the whole of `parser`."""
    example = (
        'eval "$(dbk-local completion bash)"        # in ~/.bashrc\n'
        'eval "$(dbk-local completion zsh)"         # in ~/.zshrc, after compinit\n'
        "dbk-local completion fish | source        # in ~/.config/fish/config.fish"
    )

    def write(chosen: argparse.Namespace) -> int:
        from argcomplete.shell_integration import shellcode  # here and below: no other run has to wait for it

        print(shellcode([parser.prog], shell=chosen.shell), end="")
        return 0

    command = add_command(commands, "completion", write, "print a completion script for your shell", example)
    command.add_argument("shell", choices=_SHELLS, help="the shell to write for")


def answer_shell(parser: argparse.ArgumentParser) -> None:
    """Where a shell asks at Tab, tells it the words that can follow and ends the process; else does nothing."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)


class _Version(argparse.Action):
    """`--version`, with the metadata read when it is asked for."""

    def __init__(self, **more: Any) -> None:
        super().__init__(nargs=0, default=argparse.SUPPRESS, **more)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"dbk-local {version('dbk-local')}")
        parser.exit(0)
