"""What a session was told, once and for all."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    channel: str = "auto"
    start_timeout_s: float = 1200.0
    output_limit_mb: float = 100.0
    display_rows: int = 1000
    widgets: bool = False

    @property
    def budget_bytes(self) -> int:
        """How much a command may write, in bytes."""
        return int(self.output_limit_mb * _BYTES_PER_MB)
