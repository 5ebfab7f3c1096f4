"""Tables as a front end can show them: text, HTML and a Frictionless table resource, from plain rows."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .content import clean

RESOURCE = "application/vnd.dataresource+json"
_TEXT_ROWS = 20
_TEXT_CHARS = 20
# Grey with an alpha channel and inherited colours: readable on a dark page and on a light one.
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = f"padding:2px 8px;border-bottom:{_LINE};text-align:%s;white-space:pre"
_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True)
class Table:
    """Rows with named, typed columns.

    Attributes:
        columns: Names, possibly not unique.
        types: Frictionless field types ("integer", "number", "boolean", "string", "date", "datetime", "any").
        rows: Values in the order of the columns.
        limit: The row limit that was applied.
        more: There are rows beyond the limit.
    """

    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[Any]]
    limit: int
    more: bool

    def bundle(self) -> dict[str, Any]:
        """The table in all its forms, by mime type."""
        return {"text/plain": self.text(), "text/html": self.html(), RESOURCE: self.resource()}

    def note(self) -> str:
        """What is not shown, or nothing."""
        return f"Only the first {len(self.rows)} rows are shown." if self.more else ""

    def text(self) -> str:
        """Aligned columns of the first rows, as a terminal shows them."""
        shown = [[_short(value) for value in row] for row in self.rows[:_TEXT_ROWS]]
        cells = [[_short(name) for name in self.columns], *shown]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        right = [kind in _NUMBERS for kind in self.types]
        lines = [_aligned(row, widths, right) for row in cells]
        rest = len(self.rows) - len(shown)
        if rest > 0:
            lines.append(f"... {rest} more rows")
        return "\n".join([*lines, *filter(None, [self.note()])])

    def html(self) -> str:
        """A scrolling table; every value is escaped."""
        sides = ["right" if kind in _NUMBERS else "left" for kind in self.types]
        head = _html_row("th", self.columns, sides)
        body = "".join(_html_row("td", row, sides) for row in self.rows)
        note = f'<div style="opacity:.7;padding:4px 8px">{_escaped(self.note())}</div>' if self.more else ""
        return (
            '<div style="max-height:420px;overflow:auto"><table class="dataframe" '
            'style="border-collapse:collapse;color:inherit;background:transparent">'
            f"<thead>{head}</thead><tbody>{body}</tbody></table>{note}</div>"
        )

    def resource(self) -> dict[str, Any]:
        """Schema and records for table viewers; a repeated name gets a number."""
        names = _unique(self.columns)
        return {
            "schema": {"fields": [{"name": name, "type": kind} for name, kind in zip(names, self.types, strict=True)]},
            "data": [dict(zip(names, clean(list(row)), strict=True)) for row in self.rows],
            "truncated": self.more,
        }


def _html_row(tag: str, values: Sequence[Any], sides: Sequence[str]) -> str:
    cells = (
        f'<{tag} style="{_CELL % side}">{_escaped(value)}</{tag}>' for value, side in zip(values, sides, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(row, widths, right, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _short(value: Any) -> str:
    text = _plain(value).replace("\n", "\\n")
    return text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 3] + "..."


def _plain(value: Any) -> str:
    return "null" if value is None else str(value)


def _escaped(value: Any) -> str:
    return html.escape(_plain(value))


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique
