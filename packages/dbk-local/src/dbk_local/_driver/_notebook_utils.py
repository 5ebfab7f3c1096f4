"""`dbutils.notebook`: the end of this notebook, and runs of others."""

from __future__ import annotations

import posixpath
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from dbk_local._driver._flow import EndOfCommand
from dbk_local._driver._notebook_source import absolute
from dbk_local._driver._service import Service
from dbk_local._driver._wire import truth_to_json

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell

_POLL_S = 0.05
_NO_FOLDER = (
    "the relative path {path!r} means nothing here: code that comes through the API belongs to no notebook. "
    "Give the path from the root of the workspace"
)


class WorkflowError(Exception):
    """A notebook that was run did not end well; the text is what Java's exception is on Databricks."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "An error occurred while calling o0._run.\n: com.databricks.WorkflowException: "
            f"com.databricks.NotebookExecutionException: {reason}"
        )


class NotebookUtils:
    """`dbutils.notebook`.

    Args:
        path: The notebook this interpreter runs, None where commands come through the API.
    """

    def __init__(self, shell: CommandShell, service: Service, path: str | None) -> None:
        self._shell = shell
        self._service = service
        self._folder = None if path is None else posixpath.dirname(path)

    def exit(self, value: object) -> NoReturn:
        """End the command now, as a success whose only text is `value`."""
        self._shell.emitted.exit_value = str(value)
        raise EndOfCommand

    def run(self, path: str, timeout_seconds: int, arguments: Mapping[str, str] | None = None) -> str | None:
        """Run a notebook in an interpreter of its own, and give what it calls `exit` with; None without.

        Args:
            path: Absolute, or relative to the folder of the notebook that calls.
            timeout_seconds: How long it may take; 0 means for ever.
            arguments: Its widgets.

        Raises:
            WorkflowError: it is not there, failed, or took too long. A note has the traceback.
        """
        whole = absolute(path, self._folder)
        if whole is None:
            raise ValueError(_NO_FOLDER.format(path=path))
        widgets = dict(arguments or {})
        wrong = [value for value in (*widgets, *widgets.values()) if not isinstance(value, str)]
        if wrong:
            raise TypeError(f"arguments of a notebook are text, not {type(wrong[0]).__name__}")
        state = self._state(path=whole, timeout_s=timeout_seconds, widgets=widgets)
        if "failure" not in state:
            value: str | None = state["value"]
            return value
        error = WorkflowError(state["failure"])
        if state["cause"]:
            error.add_note(f"In the notebook {whole}:\n{state['cause']}")
        raise error

    def _state(self, **arguments: Any) -> dict[str, Any]:
        """Where a run ends. Asked again and again: other threads use the service, too, and an interrupt ends it."""
        run = uuid.uuid4().hex
        try:
            self._service.ask("notebook-start", run=run, truth=truth_to_json(self._shell.truth), **arguments)
            while (state := self._service.ask("notebook-state", run=run)["state"]) is None:
                time.sleep(_POLL_S)
            return dict(state)
        finally:
            self._service.ask("notebook-stop", run=run)
