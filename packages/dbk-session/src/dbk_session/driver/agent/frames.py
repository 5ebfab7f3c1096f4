"""Data frames and lists of records as tables, without importing what made them."""

from __future__ import annotations

from typing import Any

from .tables import Table

_SPARK_TYPES = {
    "tinyint": "integer",
    "smallint": "integer",
    "int": "integer",
    "bigint": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "string": "string",
    "date": "date",
    "timestamp": "datetime",
    "timestamp_ntz": "datetime",
}
_PANDAS_KINDS = {"i": "integer", "u": "integer", "f": "number", "b": "boolean", "M": "datetime", "O": "string"}


def table_of(value: Any, limit: int) -> Table | None:
    """`value` as a table of at most `limit` rows, or None when it is nothing like one."""
    if _is_a(value, "pyspark.pandas", "DataFrame"):
        return _of_spark(value.to_spark(), limit)
    if _is_a(value, "pyspark", "DataFrame"):
        return None if getattr(value, "isStreaming", False) else _of_spark(value, limit)
    if _is_a(value, "pandas", "DataFrame"):
        return _of_pandas(value, limit)
    if _is_a(value, "pandas", "Series"):
        return _of_pandas(value.to_frame(), limit)
    if isinstance(value, (list, tuple)) and value and not hasattr(value, "_fields"):
        return _of_records(value, limit)
    return None


def is_stream(value: Any) -> bool:
    """Whether this is a streaming frame, which has no rows to take."""
    return _is_a(value, "pyspark", "DataFrame") and bool(getattr(value, "isStreaming", False))


def _is_a(value: Any, package: str, name: str) -> bool:
    # By name: nothing is imported, and no lazy stand-in is woken by `isinstance`.
    # Since pandas 3 its classes say that they are from `pandas` itself.
    return any(
        each.__name__ == name and f"{each.__module__}.".startswith(package + ".") for each in type(value).__mro__
    )


def _of_spark(frame: Any, limit: int) -> Table:
    rows = frame.take(limit + 1)
    kinds = [_spark_type(kind) for _, kind in frame.dtypes]
    return Table(list(frame.columns), kinds, [list(row) for row in rows[:limit]], limit, len(rows) > limit)


def _spark_type(name: str) -> str:
    return "number" if name.startswith("decimal") else _SPARK_TYPES.get(name, "any")


def _of_pandas(frame: Any, limit: int) -> Table:
    first = frame.head(limit)
    if not _has_plain_index(frame):
        first = first.reset_index(names=_index_names(frame))
    columns = [_column_name(name) for name in first.columns]
    kinds = [_PANDAS_KINDS.get(getattr(kind, "kind", "O"), "any") for kind in first.dtypes]
    # Object arrays give Python's own values; a missing one is None in every column type.
    rows = first.astype(object).where(first.notna(), None).values.tolist()
    return Table(columns, kinds, rows, limit, len(frame) > limit)


def _has_plain_index(frame: Any) -> bool:
    return type(frame.index).__name__ == "RangeIndex" and frame.index.name is None


def _index_names(frame: Any) -> list[str]:
    taken = {str(name) for name in frame.columns}
    names = []
    for level, name in enumerate(frame.index.names):
        text = str(name) if name is not None else "index" if frame.index.nlevels == 1 else f"level_{level}"
        names.append(text if text not in taken else f"{text}_index")
    return names


def _column_name(name: Any) -> str:
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _of_records(values: Any, limit: int) -> Table | None:
    """Dicts, named tuples (the `FileInfo` of `dbutils.fs.ls`) and Spark rows, all with the same fields."""
    first = values[0]
    fields = list(first) if isinstance(first, dict) else list(_fields(first) or ())
    if not fields or any(type(each) is not type(first) for each in values):
        return None
    rows = [[each.get(name) for name in fields] if isinstance(each, dict) else list(each) for each in values[:limit]]
    if any(len(row) != len(fields) for row in rows):
        return None
    kinds = [_kind_of([row[at] for row in rows]) for at in range(len(fields))]
    return Table(list(map(str, fields)), kinds, rows, limit, len(values) > limit)


def _fields(value: Any) -> Any:
    if not isinstance(value, tuple):
        return None
    return getattr(value, "_fields", None) or getattr(value, "__fields__", None)


def _kind_of(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    return "string" if kinds == {str} else "any"
