"""Which request an output belongs to, also after its cell has ended."""

import re
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

__all__ = ["Parents"]

# For output that the threads of finished cells make later.
REMEMBERED_CELLS = 500
_RUN_ID = re.compile(r"[A-Za-z0-9_.-]{1,120}")


class Parents:
    """The latest requests by run id."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def remember(self, parent: dict[str, Any]) -> str:
        """Keeps a request and gives the run id for it."""
        run_id = _run_id(parent)
        self._known[run_id] = parent
        while len(self._known) > REMEMBERED_CELLS:
            self._known.popitem(last=False)
        return run_id

    def find(self, run_id: str) -> dict[str, Any] | None:
        """The request of a run; None when it is unknown, or too long ago."""
        return self._known.get(run_id)


def _run_id(parent: Mapping[str, Any]) -> str:
    """The request's own id: a widget that captures output knows it by that."""
    msg_id = str(parent.get("header", {}).get("msg_id", ""))
    return msg_id if _RUN_ID.fullmatch(msg_id) else uuid.uuid4().hex
