"""What GitHub Actions shows beside the log: annotations, a step summary, outputs for later steps.

Format: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TextIO

from dbk_sync._limits import size_text

_MOST: Final = 10
"""Annotations of a kind that a step shows; the service drops the rest."""


class GitHub:
    """A run of GitHub Actions."""

    def __init__(self, environ: Mapping[str, str], stream: TextIO) -> None:
        self._environ = environ
        self._stream = stream
        self._counts: Counter[str] = Counter()

    def annotate(self, kind: str, message: str, file: str = "") -> None:
        """Shows a message, at a file of the change if one is named: `kind` is `error` or `warning`."""
        self._counts[kind] += 1
        if self._counts[kind] > _MOST:
            return
        place = f"file={_property(file)}," if file else ""
        print(f"::{kind} {place}title=dbk-sync::{_data(message)}", file=self._stream, flush=True)

    def summarise(self, line: str, values: Mapping[str, Any]) -> None:
        """Adds a table to the summary page of the run."""
        self._append("GITHUB_STEP_SUMMARY", summary_table(line, values))

    def output(self, **values: str) -> None:
        """Sets outputs of the step."""
        self._append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in values.items()))

    def end(self) -> None:
        """Everything is shown already."""

    def _append(self, variable: str, text: str) -> None:
        path = self._environ.get(variable)
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(text)


def summary_table(line: str, values: Mapping[str, Any]) -> str:
    """A summary as Markdown."""
    rows = {
        "target": f"`{values['target']}`",
        "files": values["files"],
        "written": values["written"],
        "deleted": values["deleted"],
        "sent": size_text(values["sent_bytes"]),
        "requests": values["requests"],
        "tree": f"`{values['tree'][:12]}`",
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items() if value is not None)
    return f"### dbk-sync\n\n{line}\n\n| | |\n|---|---|\n{table}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
