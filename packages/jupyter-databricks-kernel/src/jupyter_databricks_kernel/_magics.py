"""The line magic `%dbk`: what the kernel can tell and do about itself.

It is answered by the kernel, not by the cluster, so that it works when the cluster does not.
"""

from dataclasses import dataclass

from jupyter_databricks_kernel.errors import MagicUsageError

__all__ = ["COMMANDS", "Magic", "is_magic", "parse"]

COMMANDS = {
    "status": "the cluster, the context, the channel and the last sync, with links",
    "restart": "a fresh interpreter; all variables are gone",
    "cluster": "ID: go on with another cluster",
    "sync": "send changed files now, and say which",
    "reconnect": "read the settings again and connect anew",
}
_WORDS = {"cluster": 1}


@dataclass(frozen=True)
class Magic:
    """One understood `%dbk` line; `argument` is empty for a command that takes none."""

    command: str
    argument: str = ""


def is_magic(code: str) -> bool:
    """True when the first line that is neither empty nor a comment is a `%dbk` line."""
    lines = _lines(code)
    return bool(lines) and lines[0].split(maxsplit=1)[0] == "%dbk"


def parse(code: str) -> tuple[Magic, ...]:
    """The commands of a cell of `%dbk` lines.

    Raises:
        MagicUsageError: A line is no `%dbk` line, or names no known command, or has the wrong number of words.
    """
    return tuple(_parse_line(line) for line in _lines(code))


def _lines(code: str) -> list[str]:
    stripped = (line.strip() for line in code.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _parse_line(line: str) -> Magic:
    head, *words = line.split()
    if head != "%dbk":
        raise MagicUsageError(f"{line!r} stands below a %dbk line", "Put %dbk lines into a cell of their own.")
    command = words[0] if words else "status"
    if command not in COMMANDS:
        raise MagicUsageError(f"%dbk has no command {command!r}", usage())
    if len(words[1:]) != _WORDS.get(command, 0):
        raise MagicUsageError(f"%dbk {command} takes {_WORDS.get(command, 0) or 'no'} further word", usage())
    return Magic(command, words[1] if words[1:] else "")


def usage() -> str:
    """All commands on one line each."""
    return "\n".join(f"%dbk {name:<9}  {text}" for name, text in COMMANDS.items())
