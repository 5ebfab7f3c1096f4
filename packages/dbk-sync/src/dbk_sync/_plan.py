"""What a sync would do: the pure decision on a scan and the last acknowledged manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbk_sync._manifest import Delta, Entry, Manifest

if TYPE_CHECKING:
    from dbk_sync._cache import HashCache
    from dbk_sync._findings import Finding


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between the source and what the target acknowledged last.

    Attributes:
        source: Absolute path of the source directory, as the operating system names it.
        base: What the target acknowledged last; None when nothing is known, and everything is sent.
        manifest: The tree the target has afterwards.
        delta: From `base` to `manifest`.
        warnings: Remarks a person should see: secrets, collisions, skipped links, an ignored source.
        skipped: Selected paths that cannot be sent, with the reason.
        secret_paths: Selected paths that look like secrets; these never travel in command text.
        filter_deletes: Those of `deletes` that still exist in the source: gone only because the rules changed.
        cache: What is known about the files of `manifest`; `_state.save` stores it once the target has acknowledged.
    """

    source: bytes
    base: Manifest | None
    manifest: Manifest
    delta: Delta
    warnings: tuple[Finding, ...] = ()
    skipped: tuple[Finding, ...] = ()
    secret_paths: frozenset[bytes] = frozenset()
    filter_deletes: tuple[bytes, ...] = ()
    cache: HashCache = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the target already has this tree, so that nothing needs to be sent."""
        return self.base is not None and not self.delta.puts and not self.delta.deletes

    @property
    def puts(self) -> tuple[Entry, ...]:
        """New and changed entries, in path order."""
        return self.delta.puts

    @property
    def deletes(self) -> tuple[bytes, ...]:
        """Paths the target has to remove, in path order."""
        return self.delta.deletes

    @property
    def size_bytes(self) -> int:
        """Content to send, in bytes before compression."""
        return sum(entry.size_bytes for entry in self.delta.puts)

    @property
    def sends_secrets(self) -> bool:
        """Whether a put looks like a secret, so that the delta must not travel in command text."""
        return any(entry.path in self.secret_paths for entry in self.delta.puts)
