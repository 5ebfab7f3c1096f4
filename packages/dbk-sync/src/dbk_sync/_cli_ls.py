"""`ls`: what is selected, and why. Needs no settings, workspace or git."""

from __future__ import annotations

import os
import sys

from dbk_sync._explain import explain
from dbk_sync._job import Job
from dbk_sync._scan import select


def run_ls(job: Job) -> int | None:
    """Prints the selected paths, each on a line, or ended by a NUL byte for other programs."""
    if job.arguments.explain:
        explain_path(job)
        return None
    end = b"\0" if job.arguments.nul else b"\n"
    paths = select(job.source, job.options)
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join([path + end for path in paths]))
    sys.stdout.buffer.flush()
    return None


def explain_path(job: Job) -> None:
    """Says which rule decides about a path."""
    text = os.fsencode(job.arguments.explain)
    whole = os.path.join(os.fsencode(job.source), text)
    path = os.path.relpath(whole, os.fsencode(job.source)) + (b"/" if text.endswith(b"/") else b"")
    decision = explain(job.source, path, job.options)
    value = {
        "path": os.fsdecode(decision.path),
        "included": decision.included,
        "source": decision.source,
        "line": decision.line,
        "pattern": decision.pattern,
    }
    job.report.result(value, str(decision))
