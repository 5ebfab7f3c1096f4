"""Completion and inspection from a namespace snapshot, for the time in which the interpreter itself is busy.

Pure; used by the client. The replies have the shape of Jupyter's `complete_reply` and `inspect_reply`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["complete", "inspect"]

_COLUMN = re.compile(r"([A-Za-z_]\w*)\[(['\"])([^'\"]*)$")
_DOTTED = re.compile(r"((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*|)$")
_NAME_AT = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_TYPES = "_jupyter_types_experimental"


def complete(snapshot: Mapping[str, Any], code: str, cursor_pos: int) -> dict[str, Any]:
    """The content of a `complete_reply`: names, first-level attributes, columns in `frame["`.

    Args:
        snapshot: What the agent wrote after its last cell; may be empty.
        code: The cell.
        cursor_pos: The cursor in it, in characters.
    """
    before = code[:cursor_pos]
    line = before[before.rfind("\n") + 1 :]
    column = _COLUMN.search(line)
    if column is not None:
        names = snapshot.get("names", {}).get(column[1], {}).get("columns", [])
        found = {name: "instance" for name in names if name.startswith(column[3])}
        return _reply(found, cursor_pos - len(column[3]), cursor_pos)
    dotted = _DOTTED.search(line)
    assert dotted is not None  # it matches the empty text as well
    path, start = dotted[1].rstrip("."), dotted[2]
    known = _attributes(snapshot, path) if path else _globals(snapshot)
    found = {name: kind for name, kind in known.items() if name.startswith(start)}
    return _reply(found, cursor_pos - len(start), cursor_pos)


def inspect(snapshot: Mapping[str, Any], code: str, cursor_pos: int, detail_level: int = 0) -> dict[str, Any]:  # noqa: ARG001 - sources are not kept
    """The content of an `inspect_reply`: signature, docstring and type of a name."""
    name = _name_at(code, cursor_pos)
    entry = snapshot.get("names", {}).get(name)
    if entry is None:
        return {"status": "ok", "found": False, "data": {}, "metadata": {}}
    lines = []
    if entry.get("signature"):
        lines.append(f"Signature: {name}{entry['signature']}")
    lines.append(f"Type:      {entry.get('type', '')}")
    if entry.get("repr"):
        lines.append(f"String form: {entry['repr']}")
    if entry.get("columns"):
        lines.append(f"Columns:   {', '.join(entry['columns'])}")
    doc = entry.get("doc") or snapshot.get("types", {}).get(entry.get("type"), {}).get("doc")
    if doc:
        lines.append(f"Docstring:\n{doc}")
    return {"status": "ok", "found": True, "data": {"text/plain": "\n".join(lines)}, "metadata": {}}


def _globals(snapshot: Mapping[str, Any]) -> dict[str, str]:
    known = dict.fromkeys(keyword.kwlist, "keyword")
    known |= {name: "function" for name in dir(builtins) if not name.startswith("_")}
    return known | {name: str(entry.get("kind", "")) for name, entry in snapshot.get("names", {}).items()}


def _attributes(snapshot: Mapping[str, Any], path: str) -> dict[str, str]:
    entry = snapshot.get("names", {}).get(path)
    if entry is None:
        return {}
    of_type = snapshot.get("types", {}).get(entry.get("type"), {}).get("attributes", [])
    names = [
        *entry.get("attributes", []),
        *of_type,
        *(each for each in entry.get("columns", []) if each.isidentifier()),
    ]
    return dict.fromkeys(names, "")


def _name_at(code: str, cursor_pos: int) -> str:
    """The dotted name under or just before the cursor; in a call's brackets, the name that is called."""
    for match in _NAME_AT.finditer(code):
        if match.start() <= cursor_pos <= match.end():
            return match[0]
    called = re.search(r"([A-Za-z_][\w.]*)\([^()]*$", code[:cursor_pos])
    return called[1] if called else ""


def _reply(found: Mapping[str, str], start: int, end: int) -> dict[str, Any]:
    matches = sorted(found)
    typed = [{"start": start, "end": end, "text": each, "type": found[each], "signature": ""} for each in matches]
    return {"status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end, "metadata": {_TYPES: typed}}
