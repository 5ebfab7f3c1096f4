"""Shell completion, written from an argparse parser: no helper process at each key press, nothing to install."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SHELLS", "add_completion", "complete_with", "completion_script"]

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class _Word:
    """Something that can follow on the command line."""

    text: str
    help: str


@dataclass(frozen=True)
class _Level:
    """The words after `path` ("" for the command itself, or a subcommand), options last."""

    path: str
    words: tuple[_Word, ...]
    values: dict[str, tuple[str, ...]]  # option that takes a value -> the values to offer, none for a free one
    is_free: bool  # whether another word than these, hence a file, may follow


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """A completion script for the command `parser.prog`, one level of subcommands included.

    Args:
        parser: the whole command.
        shell: `bash`, `zsh` or `fish`.
    """
    levels = list(_levels(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](parser.prog, levels)


def add_completion(commands: Any, parser: argparse.ArgumentParser, *, package: str) -> None:
    """The subcommand `completion {bash,zsh,fish}`, which prints the script for `parser`."""
    from dbk_config._options import add_command

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


def complete_with(action: argparse.Action, words: Iterable[str]) -> None:
    """Words to offer for an argument whose values argparse does not check itself; a mapping gives each its help."""
    action.words = words if isinstance(words, Mapping) else dict.fromkeys(words, action.help or "")  # type: ignore[attr-defined]


def _levels(parser: argparse.ArgumentParser) -> Iterator[_Level]:
    subparsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    words = []
    for action in subparsers:
        words += [_Word(choice.dest, choice.help or "") for choice in action._choices_actions]
    yield _level("", parser, words)
    for action in subparsers:
        for name, subparser in action.choices.items():
            yield _level(name, subparser, [])


def _level(path: str, parser: argparse.ArgumentParser, words: list[_Word]) -> _Level:
    words = list(words)
    values: dict[str, tuple[str, ...]] = {}
    is_free = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        help = (action.help or "").replace("%%", "%")
        choices = tuple(map(str, action.choices or ())) or _braces(action.metavar)
        known = getattr(action, "words", None) or dict.fromkeys(choices, help)
        if not action.option_strings:
            words += [_Word(value, about) for value, about in known.items()]
            is_free |= not known
        for option in action.option_strings:
            words.append(_Word(option, help))
            if action.nargs != 0:
                values[option] = tuple(known)
    return _Level(path, tuple(words), values, is_free)


def _braces(metavar: object) -> tuple[str, ...]:
    """The values of a metavar such as `{a,b}`, which stands for choices that are checked later."""
    found = re.fullmatch(r"\{(.+)\}", metavar) if isinstance(metavar, str) else None
    return tuple(found[1].split(",")) if found else ()


def _name(prog: str) -> str:
    return "_" + re.sub(r"\W", "_", prog)


def _bash(prog: str, levels: list[_Level]) -> str:
    commands = " ".join(level.path for level in levels if level.path)
    lines = [
        f"{_name(prog)}() {{",
        '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path="" each words=""',
        # Bash takes the = of --option=value for a word of its own.
        '    if [[ $word == "=" ]]; then word=""',
        '    elif [[ $before == "=" ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi',
        '    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f'        [[ -z $path && " {commands} " == *" $each "* ]] && path=$each',
        "    done",
        '    case "$path $before" in',
    ]
    for level in levels:
        lines += [
            f'        "{level.path} {option}") words="{" ".join(values)}" ;;' for option, values in level.values.items()
        ]
    lines += ['        *) case "$path" in']
    lines += [f'            "{level.path}") words="{" ".join(w.text for w in level.words)}" ;;' for level in levels]
    lines += [
        "        esac ;;",
        "    esac",
        '    COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "}",
        # Files where none of these words fits: it may be the value of an option.
        f"complete -o default -F {_name(prog)} {prog}",
    ]
    return "\n".join(lines) + "\n"


def _zsh(prog: str, levels: list[_Level]) -> str:
    commands = " ".join(level.path for level in levels if level.path)
    lines = [
        f"#compdef {prog}",
        f"_{prog}() {{",
        '    local path_="" each before_=${words[CURRENT-1]}; local -a words_',
        '    for each in "${words[@]:1:$((CURRENT-2))}"; do',
        f'        [[ -z $path_ && " {commands} " == *" $each "* ]] && path_=$each',
        "    done",
        "    if [[ ${words[CURRENT]} == --*=* ]]; then before_=${words[CURRENT]%%=*}; compset -P '*='; fi",
        '    case "$path_ $before_" in',
    ]
    for level in levels:
        for option, values in level.values.items():
            offer = f"compadd -- {' '.join(values)}" if values else "_files"
            lines.append(f'        "{level.path} {option}") {offer}; return ;;')
    lines += ["    esac", '    case "$path_" in']
    for level in levels:
        items = " ".join(_quoted(f"{w.text}:{w.help}" if w.help else w.text) for w in level.words)
        lines.append(f'        "{level.path}") words_=({items}) ;;')
    lines += [
        "    esac",
        "    [[ ${words[CURRENT]} == -* ]] || words_=(${words_:#-*})",
        "    (( $#words_ )) && _describe 'command' words_ || _files",
        "}",
    ]
    # In a folder of $fpath, as _PROG, the file is the function at first; by `eval` it says whom it serves.
    lines += ["if [[ $zsh_eval_context[-1] == loadautofunc ]]; then", f'    _{prog} "$@"', "else"]
    lines += [f"    compdef _{prog} {prog}", "fi"]
    return "\n".join(lines) + "\n"


def _fish(prog: str, levels: list[_Level]) -> str:
    commands = " ".join(level.path for level in levels if level.path)
    lines = []
    for level in levels:
        seen = f"__fish_seen_subcommand_from {level.path or commands}"
        condition = seen if level.path else f"not {seen}" if commands else "true"
        start = f"complete -c {prog} -n {_quoted(condition)}"
        lines += [] if level.is_free else [f"{start} -f"]
        for word in level.words:
            values = level.values.get(word.text)
            line = f"{start} {_fish_word(word.text)}"
            line += f" -x -a {_quoted(' '.join(values))}" if values else " -r" if values is not None else ""
            lines.append(line + (f" -d {_quoted(word.help)}" if word.help else ""))
    return "\n".join(lines) + "\n"


def _fish_word(text: str) -> str:
    if text.startswith("--"):
        return f"-l {text[2:]}"
    return f"-s {text[1:]}" if text.startswith("-") else f"-a {text}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", r"'\''") + "'"
