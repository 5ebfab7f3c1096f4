"""What is known of names and texts: answers to the questions of somebody who types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Completeness", "Completion", "Inspection"]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether a text is a whole cell: what a console asks after every line.

    Attributes:
        status: `complete` runs as it is, `incomplete` wants more lines, `invalid` never runs; `unknown` when nobody
            could be asked.
        indent: white space that the next line may begin with; "" unless more lines are wanted.
    """

    status: Literal["complete", "incomplete", "invalid", "unknown"]
    indent: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Names that fit at the cursor.

    Attributes:
        matches: the replacements, best first.
        cursor_start: where the replaced text begins, in characters from the start of the code.
        cursor_end: where it ends.
        metadata: `_jupyter_types_experimental` and the like, as IPython gives it.
    """

    matches: tuple[str, ...]
    cursor_start: int
    cursor_end: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of the object at the cursor: `data` is a mime bundle, empty when `found` is False."""

    found: bool
    data: Mapping[str, Any]
    metadata: Mapping[str, Any]
