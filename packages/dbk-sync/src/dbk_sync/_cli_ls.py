"""`ls`: what would be sent, and why. Needs no settings, workspace or git."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from typing import Final

from dbk_sync._explain import LINKS, Decision, explain
from dbk_sync._job import Job
from dbk_sync._scan import link_trouble, sendable

_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\\x7f]')
_NAMED: Final = dict(zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))


def run_ls(job: Job) -> int | None:
    """Prints the paths that would be sent, each on a line, or ended by a NUL byte for other programs."""
    if job.arguments.explain:
        explain_path(job)
        return None
    paths, refused = sendable(job.source, job.options)
    lines = [path + b"\0" for path in paths] if job.arguments.nul else [_quoted(path) + b"\n" for path in paths]
    for finding in refused:
        job.report.say(f"warning: {finding.message}")  # for people alone: stdout is a list of paths
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(lines))
    sys.stdout.buffer.flush()
    return None


def _quoted(path: bytes) -> bytes:
    """A path that a line can hold: as it is, or in quotes with escapes, as git writes it without `core.quotePath`."""
    try:
        path.decode()
        special = _SPECIAL
    except UnicodeDecodeError:
        special = re.compile(_SPECIAL.pattern[:-1] + rb"\x80-\xff]")
    escaped = special.sub(lambda found: _escape(found[0][0]), path)
    return path if escaped == path else b'"' + escaped + b'"'


def _escape(byte: int) -> bytes:
    return f"\\{_NAMED.get(byte) or format(byte, '03o')}".encode()


def explain_path(job: Job) -> None:
    """Says which rule decides about a path."""
    text = os.fsencode(job.arguments.explain)
    whole = os.path.join(os.fsencode(job.source), text)
    path = os.path.relpath(whole, os.fsencode(job.source)) + (b"/" if text.endswith(b"/") else b"")
    decision = _with_link(job, explain(job.source, path, job.options))
    value = {
        "path": os.fsdecode(decision.path),
        "included": decision.included,
        "source": decision.source,
        "line": decision.line,
        "pattern": decision.pattern,
    }
    job.report.result(value, str(decision))


def _with_link(job: Job, decision: Decision) -> Decision:
    """No rule leaves out a link that leads outside, and yet it is not sent."""
    root = os.fsencode(os.path.realpath(job.source))
    trouble = link_trouble(root, decision.path, job.options) if decision.included else None
    if trouble is None:
        return decision
    return replace(decision, included=False, source=LINKS, line=None, pattern=trouble, decided_path=decision.path)
