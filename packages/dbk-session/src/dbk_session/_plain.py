"""The API's own result object as events: the whole truth on the `plain` channel, the fallback on every other.

What it cannot tell is documented in the Command Execution API: one kind of output a command, nothing printed before
an exception, no stderr of its own, no number.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dbk_session._events import Display, Event, ExecuteResult, Failure, Stream, Truncated
from dbk_session._results import TABLE_MIME

__all__ = ["cancelled_by", "events_of", "text_of"]

_OUT = re.compile(r"(?m)^Out\[(\d+)\]: ")
_IMAGE = re.compile(r"data:(image/[\w.+-]+);base64,(.*)", re.DOTALL)
_SKIPPED = re.compile(
    r"\*\*\* WARNING: (?:max output size exceeded, skipping output\.|skipped \d+ bytes of output) \*\*\*"
)
_CANCELLED = "com.databricks.backend.common.rpc.CommandCancelledException"
_HTML = re.compile(r"(?i)<!doctype html|</html>|</div>|</table>")


def text_of(results: Mapping[str, Any] | None) -> str | None:
    """The text of a text result, None when it is another kind."""
    if results is None or str(results.get("resultType", "")) != "text":
        return None
    return str(results.get("data") or "")


def cancelled_by(results: Mapping[str, Any] | None) -> str:
    """`"cancel"` when the command was cancelled, `"shutdown"` when its context was taken away, "" otherwise."""
    if results is None or results.get("resultType") != "error":
        return ""
    cause = str(results.get("cause") or results.get("data") or "")
    if not cause.startswith(_CANCELLED):
        return ""
    return "shutdown" if re.search(r"ExecContextState\.\S*(shutdown|abort)", cause) else "cancel"


def events_of(run_id: str, results: Mapping[str, Any] | None) -> tuple[Event, ...]:
    """The output events in a result object; none when there is no object."""
    if results is None:
        return ()
    kind = str(results.get("resultType", "text"))
    if kind == "error":
        return (_failure(run_id, results),)
    if kind == "table":
        return (_table(run_id, results),)
    if kind in ("image", "images"):
        return _images(run_id, results)
    return _text(run_id, str(results.get("data") or ""))


def _text(run_id: str, text: str) -> tuple[Event, ...]:
    found: list[Event] = []
    out = _OUT.search(text)
    printed = text[: out.start()] if out else text
    if out is None and _HTML.search(text):
        found.append(Display(run_id, {"text/html": text, "text/plain": text}))
    elif printed:
        found.append(Stream(run_id, "stdout", printed if printed.endswith("\n") else printed + "\n"))
    if out is not None:
        value = text[out.end() :]
        data = {"text/html": value, "text/plain": value} if _HTML.search(value) else {"text/plain": value}
        found.append(ExecuteResult(run_id, int(out.group(1)), data))
    if _SKIPPED.search(text):
        found.append(Truncated(run_id, len(text.encode())))
    return tuple(found)


def _failure(run_id: str, results: Mapping[str, Any]) -> Failure:
    summary = html.unescape(re.sub(r"<[^>]+>", "", str(results.get("summary") or ""))).strip()
    cause = str(results.get("cause") or results.get("data") or "")
    lines = tuple(cause.split("\n")) if cause else ()
    last = next((line for line in reversed(lines) if line.strip()), "")
    if not summary or summary == "null":
        summary = re.sub(r"\x1b\[[0-9;]*m", "", lines[0] if cause.startswith(_CANCELLED) else last).strip()
    name, separator, value = summary.partition(": ")
    if not re.fullmatch(r"[\w.]+", name):
        return Failure(run_id, "Error", summary, lines)
    return Failure(run_id, name.rsplit(".", 1)[-1], value if separator else "", lines)


def _images(run_id: str, results: Mapping[str, Any]) -> tuple[Event, ...]:
    names = results.get("fileNames") or [results.get("fileName")]
    return tuple(_image(run_id, str(name)) for name in names if name)


def _image(run_id: str, name: str) -> Event:
    inline = _IMAGE.fullmatch(name)
    if inline:
        return Display(run_id, {inline.group(1): inline.group(2), "text/plain": "<image>"})
    return Display(run_id, {"text/plain": f"<image stored at dbfs:/FileStore{name}>"})


def _table(run_id: str, results: Mapping[str, Any]) -> Display:
    schema = results.get("schema") or []
    names = [str(column.get("name", index)) for index, column in enumerate(schema)]
    kinds = [_type(column.get("type")) for column in schema]
    rows = [list(row) for row in results.get("data") or []]
    truncated = bool(results.get("truncated"))
    resource = {
        "schema": {"fields": [{"name": n, "type": k} for n, k in zip(names, kinds, strict=True)]},
        "data": [dict(zip(names, row, strict=False)) for row in rows],
        "truncated": truncated,
    }
    return Display(
        run_id,
        {TABLE_MIME: resource, "text/html": _as_html(names, rows), "text/plain": _as_text(names, rows)},
    )


def _type(value: object) -> str:
    """Spark type text: with a JSON schema a plain type is a quoted string."""
    try:
        kind = json.loads(str(value))
    except ValueError:
        return str(value)
    return kind if isinstance(kind, str) else json.dumps(kind)


def _as_html(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(_cell(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _as_text(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [list(names)] + [[_cell(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines if i < len(line)) for i in range(len(names))]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()


def _cell(value: Any) -> str:
    return "null" if value is None else str(value)
