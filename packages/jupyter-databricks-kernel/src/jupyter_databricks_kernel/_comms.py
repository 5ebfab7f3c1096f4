"""Which comms are open: the answer to a front end that comes back and asks for its widgets."""

from collections.abc import Mapping
from typing import Any

__all__ = ["CommRegistry"]


class CommRegistry:
    """The open comms, by id, as the messages of both sides tell."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}

    def note(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """Takes a comm message of either side."""
        comm_id = str(content.get("comm_id", ""))
        if msg_type == "comm_open":
            self._targets[comm_id] = str(content.get("target_name", ""))
        elif msg_type == "comm_close":
            self._targets.pop(comm_id, None)

    def known(self, comm_id: str) -> bool:
        """True when a comm of that id is open."""
        return comm_id in self._targets

    def info(self, target_name: str | None) -> dict[str, dict[str, str]]:
        """The `comms` of a `comm_info_reply`: those of one target, or all."""
        return {
            comm_id: {"target_name": target}
            for comm_id, target in self._targets.items()
            if target_name is None or target == target_name
        }

    def clear(self) -> None:
        """The interpreter is gone, and its comms with it."""
        self._targets.clear()
