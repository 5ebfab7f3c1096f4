"""Whether a text is a whole cell, told from the text alone: the answer while the interpreter is busy, or not there."""

from __future__ import annotations

from functools import cache
from typing import Any

from dbk_session._introspection import Completeness

__all__ = ["locally"]


def locally(code: str) -> Completeness:
    """The answer by IPython's own rules; `unknown` where this machine has no IPython, which is not required."""
    transformer = _transformer()
    if transformer is None:
        return Completeness("unknown")
    status, indent = transformer.check_complete(code)
    return Completeness(status, " " * int(indent or 0) if status == "incomplete" else "")


@cache
def _transformer() -> Any:
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return None
    return TransformerManager()  # type: ignore[no-untyped-call, unused-ignore]
