"""What the user's names are, written down after each cell, so that a busy interpreter can still be asked.

Nothing of the user's runs for it: types, instance dictionaries and signatures are read, no property is touched and no
`__getattr__` called, so a lazy `spark` stays asleep.
"""

from __future__ import annotations

import inspect
import json
import threading
import time
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from .core import Core

MAX_SECONDS = 0.2
MAX_BYTES = 256 * 1024
MAX_NAMES = 400
MAX_ATTRIBUTES = 300
_DOC_CHARS = 1200
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)


def take(space: dict[str, Any]) -> dict[str, Any]:
    """Names of `space` with kind, type, attributes and signature; whole but bounded.

    Returns:
        `{"names": {name: entry}, "types": {type name: {"attributes": [...]}}, "cut": bool}`.
    """
    deadline_s = time.monotonic() + MAX_SECONDS
    names: dict[str, Any] = {}
    types: dict[str, Any] = {}
    size = 0
    for name, value in list(space.items()):
        if name.startswith("_"):
            continue
        entry = _entry(value, types)
        names[name] = entry
        size += len(json.dumps(entry)) + len(name)
        if len(names) >= MAX_NAMES or size > MAX_BYTES or time.monotonic() > deadline_s:
            return {"names": names, "types": types, "cut": True}
    return {"names": names, "types": types, "cut": False}


def _entry(value: Any, types: dict[str, Any]) -> dict[str, Any]:
    kind = type(value)
    entry: dict[str, Any] = {"type": _type_name(kind)}
    # Never `isinstance`: a stand-in may answer it by waking up.
    if kind in _FUNCTIONS:
        return {**entry, "kind": "function", **_described(value)}
    if kind is ModuleType:
        return {**entry, "kind": "module", "attributes": _public(vars(value)), "doc": _doc(value)}
    if issubclass(kind, type):
        return {**entry, "kind": "class", "attributes": _class_attributes(value), **_described(value)}
    entry["kind"] = "instance"
    if _type_name(kind) not in types:
        types[_type_name(kind)] = {"attributes": _class_attributes(kind), "doc": _doc(kind)}
    own = _own_attributes(value)
    if own:
        entry["attributes"] = own
    if kind in _PLAIN:
        entry["repr"] = repr(value if kind not in (str, bytes) else value[:200])[:80]
    columns = _columns(value)
    if columns:
        entry["columns"] = columns
    return entry


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _described(value: Any) -> dict[str, Any]:
    try:
        signature = str(inspect.signature(value))[:400]
    except (ValueError, TypeError):
        signature = ""
    return {"signature": signature, "doc": _doc(value)}


def _doc(value: Any) -> str:
    read = type.__getattribute__ if issubclass(type(value), type) else object.__getattribute__
    try:
        doc = read(value, "__doc__")
    except AttributeError:
        return ""
    return inspect.cleandoc(doc)[:_DOC_CHARS] if isinstance(doc, str) else ""


def _class_attributes(kind: type) -> list[str]:
    names: dict[str, None] = {}
    for each in type.__getattribute__(kind, "__mro__")[:-1]:
        names.update(dict.fromkeys(type.__getattribute__(each, "__dict__")))
    return _public(names)


def _own_attributes(value: Any) -> list[str]:
    try:
        own = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return []
    return _public(own) if type(own) is dict else []


def _public(names: Any) -> list[str]:
    return sorted(name for name in list(names) if isinstance(name, str) and not name.startswith("_"))[:MAX_ATTRIBUTES]


def _columns(value: Any) -> list[str]:
    """Columns of a frame where they cost nothing: pandas has them, a Spark frame only once its schema was asked for."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pandas" and kind.__name__ == "DataFrame":
        return [name for name in value.columns.tolist()[:MAX_ATTRIBUTES] if isinstance(name, str)]
    if kind.__module__.partition(".")[0] == "pyspark" and kind.__name__ == "DataFrame":
        own = object.__getattribute__(value, "__dict__")
        schema = own.get("_schema") or own.get("_cached_schema") or own.get("schema")
        return [str(name) for name in getattr(schema, "names", [])[:MAX_ATTRIBUTES]]
    return []


class Snapshots:
    """Writes a snapshot after each cell, on a thread of its own: the cell's end must not wait for it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._wanted = threading.Event()
        self._closed = False
        if core.spool is not None:
            threading.Thread(target=self._work, name="dbk-snapshot", daemon=True).start()

    def ask(self) -> None:
        """A cell has ended."""
        self._wanted.set()

    def now(self, _: dict[str, Any]) -> dict[str, Any]:
        """The snapshot as it is at this moment."""
        return take(self._core.shell.user_ns)

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._wanted.set()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closed:
                return
            self._core.seams.attempt("the snapshot", self._write)

    def _write(self) -> None:
        spool = self._core.spool
        if spool is not None and not self._closed:
            spool.write("snapshot.json", json.dumps(self.now({}), separators=(",", ":")).encode())
