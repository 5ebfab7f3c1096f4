"""Shell completion, written from an argparse parser: no helper process at each key press, nothing to install.

There are two of this file: `dbk_config` has it for the commands that are built on it, and `dbk_local`, which imports no
sibling, for its own. A test keeps them alike.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["SHELLS", "complete_with", "completion_script"]

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class _Word:
    """Something that can follow on the command line."""

    text: str
    help: str


@dataclass(frozen=True)
class _Level:
    """The words after `path`, options last.

    Attributes:
        path: the subcommands chosen so far, "" for the command itself; `spark install` for one of a subcommand.
    """

    path: str
    commands: tuple[str, ...]
    words: tuple[_Word, ...]
    values: dict[str, tuple[str, ...]]  # option that takes a value -> the values to offer, none for a free one
    is_free: bool  # whether another word than these, hence a file, may follow


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """A completion script for the command `parser.prog`, with its subcommands and theirs.

    Args:
        parser: the whole command.
        shell: `bash`, `zsh` or `fish`.
    """
    levels = list(_levels(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](parser.prog, levels)


def complete_with(action: argparse.Action, words: Iterable[str]) -> None:
    """Words to offer for an argument whose values argparse does not check itself; a mapping gives each its help."""
    action.words = words if isinstance(words, Mapping) else dict.fromkeys(words, action.help or "")  # type: ignore[attr-defined]


def _levels(parser: argparse.ArgumentParser, path: str = "") -> Iterator[_Level]:
    yield _level(path, parser)
    for action in _subparsers(parser):
        for name, subparser in action.choices.items():
            yield from _levels(subparser, f"{path} {name}".strip())


def _subparsers(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def _level(path: str, parser: argparse.ArgumentParser) -> _Level:
    commands = [choice for action in _subparsers(parser) for choice in action._choices_actions]
    words = [_Word(choice.dest, choice.help or "") for choice in commands]
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
    return _Level(path, tuple(choice.dest for choice in commands), tuple(words), values, is_free)


def _braces(metavar: object) -> tuple[str, ...]:
    """The values of a metavar such as `{a,b}`, which stands for choices that are checked later."""
    found = re.fullmatch(r"\{(.+)\}", metavar) if isinstance(metavar, str) else None
    return tuple(found[1].split(",")) if found else ()


def _name(prog: str) -> str:
    return "_" + re.sub(r"\W", "_", prog)


def _paths(levels: list[_Level]) -> str:
    """All subcommands, as a quoted word in which the shell looks for one."""
    return f"'|{'|'.join(level.path for level in levels if level.path)}|'"


def _bash(prog: str, levels: list[_Level]) -> str:
    lines = [
        f"{_name(prog)}() {{",
        '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path="" each words=""',
        # Bash takes the = of --option=value for a word of its own.
        '    if [[ $word == "=" ]]; then word=""',
        '    elif [[ $before == "=" ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi',
        '    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        "        if [[ $each == -- ]]; then COMPREPLY=(); return; fi  # what follows belongs to another command",
        f'        [[ {_paths(levels)} == *"|${{path:+$path }}$each|"* ]] && path=${{path:+$path }}$each',
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
    lines = [
        f"#compdef {prog}",
        f"_{prog}() {{",
        '    local path_="" each before_=${words[CURRENT-1]}; local -a words_',
        '    for each in "${words[@]:1:$((CURRENT-2))}"; do',
        "        if [[ $each == -- ]]; then _files; return; fi",
        f'        [[ {_paths(levels)} == *"|${{path_:+$path_ }}$each|"* ]] && path_=${{path_:+$path_ }}$each',
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
    lines = []
    for level in levels:
        seen = [f"__fish_seen_subcommand_from {name}" for name in level.path.split()]
        unseen = [f"not __fish_seen_subcommand_from {' '.join(level.commands)}"] if level.commands else []
        condition = "; and ".join(seen + unseen) or "true"
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
