"""Command lines that look alike: options derived from the declared settings, and a help text that fits a screen."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from dbk_config._completion import SHELLS, complete_with, completion_script
from dbk_config._load import load
from dbk_config._logging import configure_logging
from dbk_config._setting import Setting
from dbk_config._settings import SETTINGS, Settings

__all__ = [
    "add_command",
    "add_common_options",
    "add_completion",
    "add_setting_options",
    "arguments_of",
    "make_parser",
    "settings_of",
]

_EXAMPLE = "example:\n"
CONNECTION = ("host", "profile", "cluster_id")

Run = Callable[[argparse.Namespace], "int | None"]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Wraps everything but the example, and leaves the help texts room."""

    def __init__(self, prog: str, **more: Any) -> None:
        more.setdefault("max_help_position", 30)
        super().__init__(prog, **more)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:  # noqa: ARG002
        """Says `[OPTIONS]` for what may be left out: each of them has its own line below."""
        needed = [action for action in actions if action.required or not action.option_strings]
        options = [argparse.Action(["OPTIONS"], argparse.SUPPRESS, nargs=0)] if len(needed) < len(actions) else []
        super().add_usage(usage, [*options, *needed], [], prefix)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """A switch takes one line, as in git's manual: `--[no-]name`."""
        if isinstance(action, argparse.BooleanOptionalAction):
            return action.option_strings[0].replace("--", "--[no-]", 1)
        return super()._format_action_invocation(action)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith(_EXAMPLE):
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


class _Version(argparse.Action):
    """Prints `<package> <version>`, looked up only when asked: that costs a walk of the installed files."""

    def __init__(self, option_strings: list[str], package: str, **_: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help="show the version")
        self.package = package

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{self.package} {version(self.package)}")
        parser.exit()


def make_parser(package: str, description: str, *, example: str, prog: str | None = None) -> argparse.ArgumentParser:
    """A parser with the options all our commands share.

    Args:
        package: the distribution whose version `--version` shows.
        description: one or two sentences.
        example: command lines, shown as they are at the end of the help.
        prog: name of the command; `package` when None.
    """
    parser = argparse.ArgumentParser(
        prog=prog or package, description=description, epilog=_epilog(example), formatter_class=_Formatter
    )
    add_common_options(parser, package=package)
    return parser


def add_command(
    commands: Any,
    name: str,
    run: Run,
    *,
    package: str,
    help: str,
    example: str,
    description: str = "",
    settings: tuple[str, ...] = (),
) -> argparse.ArgumentParser:
    """A subcommand with the common options.

    Args:
        commands: what `parser.add_subparsers()` gave.
        name: the word on the command line.
        run: called by `run_parser` with the parsed arguments; its number, or 0 for None, is the exit code.
        package: the distribution whose version `--version` shows.
        help: one line for the list of commands.
        example: command lines, shown as they are at the end of the help.
        description: for the help of this command; `help` when "".
        settings: names of settings that get an option here, such as `("host", "profile", "cluster_id")`.
    """
    text = description or f"{help[:1].upper()}{help[1:]}."
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=text, epilog=_epilog(example), formatter_class=_Formatter
    )
    parser.set_defaults(run=run)
    add_setting_options(parser, *settings)
    add_common_options(parser, package=package)
    return parser


def add_completion(commands: Any, parser: argparse.ArgumentParser, *, package: str) -> None:
    """The subcommand `completion {bash,zsh,fish}`, which prints the script for `parser`."""
    prog = parser.prog
    command = add_command(
        commands,
        "completion",
        lambda namespace: print(completion_script(parser, namespace.shell), end=""),
        package=package,
        help="print a completion script for your shell",
        example=f'eval "$({prog} completion bash)"        # in ~/.bashrc\n'
        f'eval "$({prog} completion zsh)"         # in ~/.zshrc, after compinit\n'
        f"{prog} completion fish | source        # in ~/.config/fish/config.fish",
    )
    command.add_argument("shell", choices=SHELLS, help="the shell to write for")


def add_common_options(parser: argparse.ArgumentParser, *, package: str) -> None:
    """`--verbose`, `--debug` and `--version`, on a parser or a subparser (or both: either place then works)."""
    # Without a default: a subparser's default would undo what was given before the subcommand.
    level = {"dest": "log_level", "action": "store_const", "default": argparse.SUPPRESS}
    parser.add_argument("-v", "--verbose", const="info", help="say what is being done", **level)  # type: ignore[arg-type]
    parser.add_argument("--debug", const="debug", help="say everything; stack traces of errors", **level)  # type: ignore[arg-type]
    parser.add_argument("--version", action=_Version, package=package)


def add_setting_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """An option for each named setting, all derived from its declaration; `load` checks what they are given.

    Args:
        parser: where to add them.
        names: dotted names of settings; `sync.exclude` makes `--exclude`.
    """
    for name in names:
        setting = SETTINGS[name]
        action = parser.add_argument(
            setting.option, dest=name, default=argparse.SUPPRESS, help=_brief(setting), **_shape(setting)
        )
        if setting.choices:
            complete_with(action, setting.choices)


def arguments_of(namespace: argparse.Namespace) -> dict[str, object]:
    """The settings among the parsed arguments, for `load(arguments=...)`."""
    return {name: value for name, value in vars(namespace).items() if name in SETTINGS}


def settings_of(namespace: argparse.Namespace) -> Settings:
    """The settings in force for this command line, logging set up by them.

    Raises:
        SettingsError: as `load`.
    """
    settings = load(arguments=arguments_of(namespace))
    configure_logging(settings.log_level)
    return settings


def _shape(setting: Setting) -> dict[str, Any]:
    if setting.kind == "flag":
        return {"action": argparse.BooleanOptionalAction}
    if setting.choices:
        return {"metavar": "{" + ",".join(setting.choices) + "}"}
    metavar = setting.unit.upper() or setting.name.rpartition(".")[2].rpartition("_")[2].upper()
    return {"metavar": metavar, **({"action": "append"} if setting.kind == "list" else {})}


def _brief(setting: Setting) -> str:
    """The first clause of the help, in the style of argparse: no capital, no full stop."""
    clause = setting.help.rstrip(".").partition(";")[0].partition(": ")[0]
    return f"{clause[:1].lower()}{clause[1:]}".replace("%", "%%")


def _epilog(example: str) -> str:
    return _EXAMPLE + "\n".join(f"  {line}" for line in example.splitlines())
