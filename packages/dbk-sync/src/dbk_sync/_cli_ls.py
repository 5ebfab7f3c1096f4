"""`ls`: what would be sent, and why. Needs no settings, workspace or git."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from dbk_sync._explain import LINKS, Decision, explain
from dbk_sync._job import Job
from dbk_sync._quoting import quoted
from dbk_sync._select import link_trouble, sendable
from dbk_sync._tracked import tracked_paths


def run_ls(job: Job) -> int | None:
    """Prints the paths that would be sent, each on a line, or ended by a NUL byte for other programs."""
    if job.arguments.explain:
        explain_path(job)
        return None
    paths, refused = sendable(job.source, job.options)
    lines = [path + b"\0" for path in paths] if job.arguments.nul else [quoted(path) + b"\n" for path in paths]
    for finding in refused:
        job.report.say(f"warning: {finding.message}")  # for people alone: stdout is a list of paths
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(lines))
    sys.stdout.buffer.flush()
    return None


def explain_path(job: Job) -> None:
    """Says which rule decides about a path."""
    text = os.fsencode(job.arguments.explain)
    whole = os.path.join(os.fsencode(job.source), text)
    path = os.path.relpath(whole, os.fsencode(job.source)) + (b"/" if text.endswith(b"/") else b"")
    decision = _with_tracking(job, _with_link(job, explain(job.source, path, job.options)))
    exists = os.path.lexists(whole)
    value = {
        "path": os.fsdecode(decision.path),
        "exists": exists,
        "included": decision.included,
        "source": decision.source,
        "line": decision.line,
        "pattern": decision.pattern,
    }
    job.report.result(value, f"{decision}{'' if exists else ', but there is no such file'}")


def _with_link(job: Job, decision: Decision) -> Decision:
    """No rule leaves out a link that leads outside, and yet it is not sent."""
    root = os.fsencode(os.path.realpath(job.source))
    trouble = link_trouble(root, decision.path, job.options) if decision.included else None
    if trouble is None:
        return decision
    return replace(decision, included=False, source=LINKS, line=None, pattern=trouble, decided_path=decision.path)


def _with_tracking(job: Job, decision: Decision) -> Decision:
    """Nor does a rule say what git does not track."""
    if not decision.included or not job.options.tracked_only:
        return decision
    path, tracked = decision.path.rstrip(b"/"), tracked_paths(os.fsencode(os.path.realpath(job.source)))
    if path in tracked or any(one.startswith(path + b"/") for one in tracked):
        return decision
    return replace(decision, included=False, source="--tracked-only", line=None, pattern="git does not track it")
