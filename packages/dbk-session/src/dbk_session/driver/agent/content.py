"""Values as JSON can carry them, by the rules of Jupyter's own messages."""

from __future__ import annotations

import base64
import datetime
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any


def clean(value: Any) -> Any:
    """`value` with everything that JSON lacks replaced as `jupyter_client.jsonutil.json_default` does.

    Bytes become base64, dates ISO text, numbers of other types plain ones, other iterables lists, the rest its `repr`.
    Not-a-number and infinities have no JSON: they become their names.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    if isinstance(value, Mapping):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Iterable):
        return [clean(item) for item in value]
    return repr(value)


def safe_text(value: Any) -> str:
    """`str(value)`, or a word about why there is none."""
    try:
        return str(value)
    except Exception as error:
        return f"<unprintable {type(value).__name__}: {type(error).__name__}>"


def error_content(error_type: type[BaseException], value: Any, traceback: Iterable[Any]) -> dict[str, Any]:
    """The content of an error record."""
    return {
        "ename": error_type.__name__,
        "evalue": safe_text(value),
        "traceback": [str(line) for line in traceback],
    }
