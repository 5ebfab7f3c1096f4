"""What GitLab shows beside the log: it takes remarks and values from files that a job names as reports.

They are `.databricks/dbk-sync/code-quality.json` (https://docs.gitlab.com/ci/testing/code_quality/) and
`.databricks/dbk-sync/outputs.env` (https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv), below
the checkout, in a folder that never travels.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, Final

FOLDER: Final = os.path.join(".databricks", "dbk-sync")
_SEVERITIES: Final = {"error": "blocker", "warning": "minor"}


class GitLab:
    """A job of GitLab CI."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._folder = os.path.join(environ.get("CI_PROJECT_DIR") or os.curdir, FOLDER)
        self._remarks: list[dict[str, Any]] = []
        self._values: dict[str, str] = {}

    def annotate(self, kind: str, message: str, file: str = "") -> None:
        """Notes a remark for the report: `kind` is `error` or `warning`."""
        self._remarks.append(
            {
                "description": message,
                "check_name": "dbk-sync",
                "fingerprint": hashlib.sha256(f"{kind}\0{file}\0{message}".encode()).hexdigest(),
                "severity": _SEVERITIES[kind],
                "location": {"path": file or ".", "lines": {"begin": 1}},
            }
        )

    def summarise(self, line: str, values: Mapping[str, Any]) -> None:
        """A job has no page for it: the log says the same."""

    def output(self, **values: str) -> None:
        """Notes variables for later jobs, `DBK_SYNC_...`."""
        self._values |= {f"DBK_SYNC_{name.upper()}": value for name, value in values.items()}

    def end(self) -> None:
        """Writes the reports; where nothing can be written, as in a checkout that is only to be read, none."""
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, exist_ok=True)
            self._write("code-quality.json", json.dumps(self._remarks))
            self._write("outputs.env", "".join(f"{name}={value}\n" for name, value in self._values.items()))

    def _write(self, name: str, text: str) -> None:
        with open(os.path.join(self._folder, name), "w", encoding="utf-8") as file:
            file.write(text)
