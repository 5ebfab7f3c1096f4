"""The structured streams that commands start: they go on in the background when their command is over."""

from __future__ import annotations

import functools
import importlib
from typing import Any

_WRITERS = ("pyspark.sql.streaming.readwriter", "pyspark.sql.connect.streaming.readwriter")


class StartedStreams:
    """Notes every stream at its start; to ask Spark after each command what runs would cost each of them requests."""

    def __init__(self) -> None:
        self._new: list[Any] = []

    def watch(self, connect: bool) -> None:
        """Note what the writer of classic Spark, or of Spark Connect, starts from now on."""
        writer = importlib.import_module(_WRITERS[connect]).DataStreamWriter
        for name in ("start", "toTable"):
            setattr(writer, name, self._noting(getattr(writer, name)))

    def _noting(self, start: Any) -> Any:
        @functools.wraps(start)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            query = start(*args, **kwargs)
            self._new.append(query)
            return query

        return wrapper

    def take(self) -> list[str]:
        """Ids of those started since the last call that still run."""
        new, self._new = self._new, []
        return sorted(str(query.id) for query in new if _runs(query))


def _runs(query: Any) -> bool:
    try:
        return bool(query.isActive)
    except Exception:  # a JVM that is gone takes the whole driver along; there is nothing to tell the command
        return False
