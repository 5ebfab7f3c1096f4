"""What is known of Python without an interpreter: its keywords and built-in names."""

import builtins
import inspect
import keyword
import re
from typing import Any

__all__ = ["describe", "names"]

_NAME_BEFORE = re.compile(r"(?:^|[^\w.'\"])([A-Za-z_]\w*)$")
_REST_OF_NAME = re.compile(r"\w*")


def names(code: str, cursor: int) -> dict[str, Any]:
    """The content of a `complete_reply`, without its status: the names that begin as the one before the cursor."""
    found = _NAME_BEFORE.search(code[:cursor])
    prefix = found.group(1) if found else ""
    known = sorted({*keyword.kwlist, *dir(builtins)}) if prefix else []
    return {
        "matches": [name for name in known if name.startswith(prefix)],
        "cursor_start": cursor - len(prefix),
        "cursor_end": cursor,
        "metadata": {},
    }


def describe(code: str, cursor: int) -> dict[str, str]:
    """A mime bundle about the built-in object at the cursor; empty when there is none."""
    before = _NAME_BEFORE.search(code[:cursor])
    rest = _REST_OF_NAME.match(code, cursor)
    name = (before.group(1) if before else "") + (rest.group() if rest else "")
    if not name or not hasattr(builtins, name):
        return {}
    thing = getattr(builtins, name)
    return {"text/plain": f"{_heading(name, thing)}\nDocstring:\n{inspect.getdoc(thing) or '<no docstring>'}"}


def _heading(name: str, thing: object) -> str:
    try:
        return f"Signature: {name}{inspect.signature(thing)}"  # type: ignore[arg-type]  # what has none says so
    except (TypeError, ValueError):
        return f"Type: {type(thing).__name__}"
