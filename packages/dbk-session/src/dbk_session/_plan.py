"""What a session was told, once and for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Plan"]

_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session was told.

    Attributes:
        channel: `"auto"`, `"spool"`, `"result"` or `"plain"`.
        start_timeout_s: how long the cluster may take.
        output_limit_mb: how much a command may write.
        display_rows: how many rows of a frame are shown.
        widgets: whether what is shown may be widgets.
        completion: whether names will be asked for.
    """

    channel: str = "auto"
    start_timeout_s: float = 1200.0
    output_limit_mb: float = 100.0
    display_rows: int = 1000
    widgets: bool = False
    completion: bool = False

    @property
    def agent_options(self) -> dict[str, Any]:
        """What the agent is told; see `driver.bootstrap`."""
        names = ("display_rows", "budget_bytes", "widgets", "completion")
        return {name: getattr(self, name) for name in names}

    @property
    def budget_bytes(self) -> int:
        """How much a command may write, in bytes."""
        return int(self.output_limit_mb * _BYTES_PER_MB)
