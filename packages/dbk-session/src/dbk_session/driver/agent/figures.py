"""Matplotlib figures: the inline backend where it is, else PNG pictures of the open figures when a cell ends."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from typing import Any

from . import rich
from .core import Core
from .runs import Run

_INLINE = "module://matplotlib_inline.backend_inline"


class Figures:
    """Shows what a cell has drawn."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._inline = importlib.util.find_spec("matplotlib_inline") is not None

    def install(self) -> None:
        """Choose the backend that a later import of matplotlib takes, unless somebody has chosen already."""
        backend = _INLINE if self._inline else "agg"
        loaded = sys.modules.get("matplotlib")
        if loaded is None:
            os.environ.setdefault("MPLBACKEND", backend)
        elif "matplotlib.pyplot" not in sys.modules and not isinstance(_chosen(loaded), str):
            loaded.rcParams["backend"] = backend

    def begin(self, run: Run) -> None:
        """Nothing to do before a cell."""

    def end(self, run: Run) -> None:  # noqa: ARG002 - displays find their run themselves
        """Without the inline backend nobody else shows the figures of the cell."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if self._inline or pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            rich.display({"image/png": _png(figure), "text/plain": repr(figure)}, raw=True)
        pyplot.close("all")


def _chosen(matplotlib: Any) -> Any:
    # Past the mapping's own lookup, which would resolve (and import) a backend to answer.
    return dict.__getitem__(matplotlib.rcParams, "backend")


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()
