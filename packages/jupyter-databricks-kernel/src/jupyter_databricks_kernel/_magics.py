"""The line magic `%dbk`: what the kernel can tell and do about itself.

It is answered by the kernel, not by the cluster, so that it works when the cluster does not. So is `%connect_info`:
what the cluster's own Jupyter kernel could say of itself would connect nobody to anything.
"""

from dataclasses import dataclass

from jupyter_databricks_kernel.errors import MagicUsageError

__all__ = ["COMMANDS", "Magic", "is_magic", "parse", "usage"]

COMMANDS = {
    "status": "what the session is and does: cluster, context, last sync, with links (also just %dbk)",
    "sync": "send changed files now",
    "restart": "start a fresh interpreter; all variables are gone",
    "reconnect": "read the settings again and connect anew; all variables are gone",
    "cluster": "go on with another cluster; all variables are gone",
    "help": "this list",
}
_WORDS = {"cluster": ("ID",)}
_HELP = frozenset({"%dbk?", "%dbk??", "?%dbk", "??%dbk"})
CONNECT_INFO = "connect_info"


@dataclass(frozen=True)
class Magic:
    """One understood `%dbk` line; `argument` is empty for a command that takes none."""

    command: str
    argument: str = ""


def is_magic(code: str) -> bool:
    """True when the first line that is neither empty nor a comment is a `%dbk` line, or asks for help with it."""
    lines = _lines(code)
    return bool(lines) and (lines[0].split(maxsplit=1)[0] in ("%dbk", f"%{CONNECT_INFO}") or lines[0] in _HELP)


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
    if line in _HELP:
        return Magic("help")
    head, *words = line.split()
    if head == f"%{CONNECT_INFO}" and not words:
        return Magic(CONNECT_INFO)
    if head != "%dbk":
        raise MagicUsageError(f"{line!r} stands below a %dbk line", "Put %dbk lines into a cell of their own.")
    command = words[0] if words else "status"
    if command not in COMMANDS:
        raise MagicUsageError(f"%dbk has no command {command!r}", usage())
    wanted = _WORDS.get(command, ())
    if len(words[1:]) != len(wanted):
        word = f"one more word, the {wanted[0]}" if wanted else "no further word"
        raise MagicUsageError(f"%dbk {command} takes {word}", usage())
    return Magic(command, words[1] if wanted else "")


def usage() -> str:
    """All commands on one line each."""
    lines = {" ".join((name, *_WORDS.get(name, ()))): text for name, text in COMMANDS.items()}
    return "\n".join(f"%dbk {line:<10}  {text}" for line, text in lines.items())
