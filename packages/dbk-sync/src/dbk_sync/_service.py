"""What a CI service shows beside the log: remarks at files, a summary, values for later steps."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from dbk_sync._azure import Azure
from dbk_sync._github import GitHub
from dbk_sync._gitlab import GitLab


class Service(Protocol):
    """A run of a CI service."""

    def annotate(self, kind: str, message: str, file: str = "") -> None:
        """Shows a message, at a file of the change if one is named: `kind` is `error` or `warning`."""

    def summarise(self, line: str, values: Mapping[str, Any]) -> None:
        """Adds what was done to the page of the run; `values` are those of `_summary.Summary`."""

    def output(self, **values: str) -> None:
        """Hands values on to later steps."""

    def end(self) -> None:
        """There is nothing more to show."""


def detect(environ: Mapping[str, str] = os.environ, stream: TextIO | None = None) -> Service | None:
    """The service of this run, by the variables it sets; None elsewhere. Remarks go to stderr, which they read too."""
    stream = stream or sys.stderr
    if environ.get("GITHUB_ACTIONS") == "true":
        return GitHub(environ, stream)
    if environ.get("TF_BUILD") == "True":
        return Azure(environ, stream)
    if environ.get("GITLAB_CI") == "true":
        return GitLab(environ)
    return None
