"""Tables out of what people give to `display`: Spark frames, pandas frames, lists of records."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from dbk_local._driver._table import Column, table
from dbk_local._seam import Truth

# pandas kind of a column's dtype -> Spark type
_KINDS = {"b": "boolean", "i": "long", "u": "long", "f": "double", "M": "timestamp", "m": "string"}
_PYTHON_TYPES = {bool: "boolean", int: "long", float: "double"}


def table_of(value: Any, truth: Truth) -> dict[str, Any] | None:
    """A table result, or None when `value` is no kind of table."""
    if is_spark_frame(value):
        return spark_table(value, truth)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return table(*_pandas(value, pandas), truth.table_rows, truth.table_bytes)
    if isinstance(value, list) and value and all(hasattr(item, "_fields") for item in value):
        return table(*_records(value), truth.table_rows, truth.table_bytes)
    return None


def is_spark_frame(value: Any) -> bool:
    """A frame of pyspark, classic or Connect; tells without importing it."""
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.startswith("pyspark.sql") for kind in type(value).__mro__
    )


def spark_table(frame: Any, truth: Truth) -> dict[str, Any]:
    """The first rows of a Spark frame; one job, and no more rows fetched than can be shown."""
    columns = [Column(field.name, field.dataType.jsonValue(), field.metadata) for field in frame.schema.fields]
    rows = frame.limit(truth.table_rows + 1).collect()
    return table(columns, rows, truth.table_rows, truth.table_bytes)


def _pandas(frame: Any, pandas: Any) -> tuple[list[Column], Iterator[list[Any]]]:
    columns = [Column(str(name), _KINDS.get(kind.kind, "string")) for name, kind in frame.dtypes.items()]

    def rows() -> Iterator[list[Any]]:
        for row in frame.itertuples(index=False, name=None):
            yield [_scalar(value, column.type, pandas) for value, column in zip(row, columns, strict=True)]

    return columns, rows()


def _scalar(value: Any, kind: Any, pandas: Any) -> Any:
    if pandas.api.types.is_scalar(value) and pandas.isna(value):
        return None
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return value.tolist()
    return str(value) if kind == "string" and pandas.api.types.is_scalar(value) else value


def _records(items: Sequence[Any]) -> tuple[list[Column], Sequence[Any]]:
    first = items[0]
    columns = [
        Column(name, _PYTHON_TYPES.get(type(value), "string")) for name, value in zip(first._fields, first, strict=True)
    ]
    return columns, items
