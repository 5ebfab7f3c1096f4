"""What Azure Pipelines shows beside the log: issues, a tab with the summary, variables for later steps.

Format: https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TextIO

from dbk_sync._github import summary_table

_MOST: Final = 10
"""Issues of a kind that the page of a run shows."""


class Azure:
    """A run of Azure Pipelines."""

    def __init__(self, environ: Mapping[str, str], stream: TextIO) -> None:
        self._environ = environ
        self._stream = stream
        self._counts: Counter[str] = Counter()

    def annotate(self, kind: str, message: str, file: str = "") -> None:
        """Shows a message on the page of the run: `kind` is `error` or `warning`."""
        self._counts[kind] += 1
        if self._counts[kind] <= _MOST:
            self._say("task.logissue", {"type": kind, **({"sourcepath": file} if file else {})}, message)

    def summarise(self, line: str, values: Mapping[str, Any]) -> None:
        """Adds a table to the summary of the run: the agent takes it from a file in its temporary folder."""
        folder = self._environ.get("AGENT_TEMPDIRECTORY")
        if folder:
            path = os.path.join(folder, "dbk-sync.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write(summary_table(line, values))
            self._say("task.uploadsummary", {}, path)

    def output(self, **values: str) -> None:
        """Sets output variables of the step, `dbk_sync_...`."""
        for name, value in values.items():
            self._say("task.setvariable", {"variable": f"dbk_sync_{name}", "isOutput": "true"}, value)

    def end(self) -> None:
        """Everything is shown already."""

    def _say(self, command: str, properties: Mapping[str, str], message: str) -> None:
        listed = "".join(f"{name}={_property(value)};" for name, value in properties.items())
        print(f"##vso[{command}{' ' if listed else ''}{listed}]{_data(message)}", file=self._stream, flush=True)


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
