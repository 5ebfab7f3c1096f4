"""Table results: rows of JSON scalars, a schema of Spark JSON types, cut at a number of rows and of bytes."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class Column(NamedTuple):
    """One column: `type` is Spark's JSON value of a type, a name such as `long` or an object."""

    name: str
    type: Any
    metadata: Mapping[str, Any] = {}


def table(columns: Sequence[Column], rows: Iterable[Sequence[Any]], max_rows: int, max_bytes: int) -> dict[str, Any]:
    """`{"schema", "data", "truncated"}` of a table result.

    Args:
        rows: As many as there are; reading stops at the first that is too many.
        max_bytes: Of the rows as JSON.
    """
    data: list[list[Any]] = []
    size = 0
    truncated = False
    for row in rows:
        cells = [cell(value) for value in row]
        size += len(json.dumps(cells))
        truncated = len(data) == max_rows or size > max_bytes
        if truncated:
            break
        data.append(cells)
    schema = [
        {"name": column.name, "type": json.dumps(column.type), "metadata": json.dumps(dict(column.metadata))}
        for column in columns
    ]
    return {"schema": schema, "data": data, "truncated": truncated}


def cell(value: Any) -> Any:
    """One value as a JSON scalar; what JSON has no word for becomes text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        # JSON has no NaN; Spark's own JSON writes these words.
        return value if math.isfinite(value) else str(value).replace("nan", "NaN").replace("inf", "Infinity")
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return moment.isoformat(timespec="milliseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return str(value)
    return _composite(value)


def _composite(value: Any) -> Any:
    plain = _plain(value)
    return json.dumps(plain) if isinstance(plain, list | dict) else plain


def _plain(value: Any) -> Any:
    """Arrays, maps and structs as JSON arrays and objects; what is none of them as text."""
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    known = value is None or isinstance(
        value, bool | int | str | float | datetime.date | bytes | bytearray | decimal.Decimal
    )
    return cell(value) if known else str(value)
