"""What a command did, in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

from dbk_sync._limits import size_text


@dataclass(slots=True)
class Summary:
    """What a command did, for its last line, its last event and the CI service.

    `requests` is None where they are not counted. `phases_ms` has milliseconds by phase: `scan`, `read`, `send`.
    """

    tree: str = ""
    files: int = 0
    size_bytes: int = 0
    written: int = 0
    deleted: int = 0
    sent_bytes: int = 0
    requests: int | None = 0
    transport: str = ""
    target: str = ""
    changed: bool = False
    dry_run: bool = False
    phases_ms: dict[str, int] = field(default_factory=dict)

    def as_text(self) -> str:
        """One line for a person."""
        if not self.changed:
            return f"Nothing to do: {self.files} files are at {self.target} already."
        did = "Would send" if self.dry_run else "Sent"
        line = f"{did} {self.written} of {self.files} files"
        line += f", {'delete' if self.dry_run else 'deleted'} {self.deleted}" if self.deleted else ""
        line += f" ({size_text(self.sent_bytes)})" if self.sent_bytes else ""
        line += f" to {self.target}" if self.target else ""
        took = "" if self.dry_run else f" in {sum(self.phases_ms.values()) / 1000:.1f} s"
        counted = "" if self.dry_run or self.requests is None else f", {self.requests} requests"
        return f"{line}{took}{counted}."
