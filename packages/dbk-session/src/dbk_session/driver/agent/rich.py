"""IPython's display functions, looked up when they are used (importing them takes a while) and typed."""

from __future__ import annotations

from typing import Any


def display(*values: Any, **options: Any) -> Any:
    """As `IPython.display.display`."""
    return _member("display")(*values, **options)


def html(text: str) -> Any:
    """An object that shows HTML."""
    return _member("HTML")(text)


def markdown(text: str) -> Any:
    """An object that shows Markdown."""
    return _member("Markdown")(text)


def _member(name: str) -> Any:
    import IPython.display

    return getattr(IPython.display, name)
