"""`tqdm.auto`: a bar of widgets where the front end shows widgets, of text where it does not.

tqdm decides by signs of an ipykernel in this process. They are there on a driver whoever looks at it, a terminal among
them, and are missing in a plain IPython. The agent has been told what the front end can do.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from .core import Core

_DECIDES = "tqdm.autonotebook"


def install(core: Core) -> None:
    """Decide in tqdm's place, when somebody imports the module that decides."""
    finder = _Finder(lambda: core.options.widgets)
    # In front of Python's own, which would find it first.
    sys.meta_path.insert(0, finder)
    core.seams.on_undo(lambda: sys.meta_path.remove(finder))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module as Python does, and loads it in its own way."""

    def __init__(self, widgets: Callable[[], bool]) -> None:
        self._widgets = widgets

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002 - of a reload, which is as an import
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _DECIDES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._widgets)
        return spec


class _Loader(importlib.abc.Loader):
    """Makes the module of the names that it would have taken from another, or as it is, when that goes wrong."""

    def __init__(self, original: importlib.abc.Loader, widgets: Callable[[], bool]) -> None:
        self._original = original
        self._widgets = widgets

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._original.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        shown = self._widgets() and importlib.util.find_spec("ipywidgets") is not None
        try:
            chosen = importlib.import_module("tqdm.notebook" if shown else "tqdm.std")
            found = {name: getattr(chosen, name) for name in ("tqdm", "trange")}
        except Exception:
            self._original.exec_module(module)
            return
        module.__dict__.update(found, __all__=list(found))
