"""Stand-ins for objects that are slow to make: `spark` exists in every context, the JVM starts when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Lazy:
    """Passes everything on to what `resolve` gives; `kind` is what `isinstance` is told, without resolving."""

    __slots__ = ("_kind", "_name", "_resolve")

    def __init__(self, name: str, resolve: Callable[[], Any], kind: Callable[[], type] | None) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_resolve", resolve)
        object.__setattr__(self, "_kind", kind)

    @property  # type: ignore[misc]  # deliberately another class
    def __class__(self) -> type:
        kind = object.__getattribute__(self, "_kind")
        return Lazy if kind is None else kind()

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_resolve")(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_resolve")(), name, value)

    def __dir__(self) -> list[str]:
        # Completion must not start a JVM.
        kind = object.__getattribute__(self, "_kind")
        return [] if kind is None else dir(kind())

    def __repr__(self) -> str:
        return repr(object.__getattribute__(self, "_resolve")())
