"""The transition tables as diagrams, for the documentation."""

from __future__ import annotations

from collections.abc import Mapping

from dbk_session._states import COMMAND, COMMAND_END, COMMAND_START, SESSION, SESSION_END, SESSION_START

__all__ = ["page"]

_PAGE = """\
# States of a session and of a command

This page is made from the tables in `dbk_session/_states.py` (`python -m dbk_session._diagram`).
What is not drawn cannot happen.

## Session

{session}

## Command

{command}
"""


def page() -> str:
    """The whole page, in Markdown with Mermaid diagrams."""
    return _PAGE.format(
        session=_diagram(SESSION, SESSION_START, SESSION_END), command=_diagram(COMMAND, COMMAND_START, COMMAND_END)
    )


def _diagram(table: Mapping[tuple[str, str], str], start: str, ends: frozenset[str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start}"]
    lines += [f"    {state} --> {following}: {happening}" for (state, happening), following in table.items()]
    lines += [f"    {end} --> [*]" for end in sorted(ends)]
    return "\n".join([*lines, "```"])


if __name__ == "__main__":
    print(page(), end="")
