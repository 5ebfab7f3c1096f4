"""Which symbolic links can be sent as links: those that stay inside the source, here and on the target."""

from __future__ import annotations

import os

from dbk_sync._findings import Finding, Kind


def link_problem(source: bytes, path: bytes, target: bytes) -> str | None:
    """Why the link `path` (below `source`) to `target` cannot be sent, or None when it can.

    A target must be relative and must not climb out of the source, neither as it is written nor as it resolves now:
    a detour through another link may resolve to another place than its text says.
    """
    if not target or target.startswith(b"/") or os.path.isabs(target):
        return "its target is absolute"
    depth = path.count(b"/")
    for part in target.split(b"/"):
        depth += {b"": 0, b".": 0, b"..": -1}.get(part, 1)
        if depth < 0:
            return "its target is outside of the source"
    resolved = os.path.realpath(os.path.join(source, os.path.dirname(path), target))
    if resolved != source and not resolved.startswith(source.rstrip(b"/") + b"/"):
        return "its target resolves to a place outside of the source"
    return None


def link_finding(path: bytes, problem: str) -> Finding:
    """The remark about a link that is not sent."""
    return Finding(Kind.LINK, path, f"Link skipped: {os.fsdecode(path)} ({problem})")
