"""From what a command emitted to the `results` object of the API (shapes: docs of `commands/status`)."""

from __future__ import annotations

import html
import re
from typing import Any

from dbk_local._seam import Outcome, Truth

Results = dict[str, Any]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")

CANCELLED_CAUSE = """com.databricks.backend.common.rpc.CommandCancelledException
\tat com.databricks.spark.chauffeur.SequenceExecutionState.$anonfun$cancel$5(SequenceExecutionState.scala:136)
\tat scala.Option.getOrElse(Option.scala:189)
\tat com.databricks.spark.chauffeur.SequenceExecutionState.$anonfun$cancel$3(SequenceExecutionState.scala:136)
\tat com.databricks.spark.chauffeur.SequenceExecutionState.$anonfun$cancel$3$adapted(SequenceExecutionState.scala:133)
\tat scala.collection.immutable.Range.foreach(Range.scala:158)
\tat com.databricks.spark.chauffeur.SequenceExecutionState.cancel(SequenceExecutionState.scala:133)
\tat com.databricks.spark.chauffeur.ExecContextState.cancelRunningSequence(ExecContextState.scala:728)
\tat com.databricks.spark.chauffeur.ExecContextState.$anonfun$cancel$1(ExecContextState.scala:446)"""

RESTARTING_CAUSE = """java.lang.IllegalStateException: jupyter client is not available because the python kernel \
is not defined. The kernel may be restarting or the repl may have been shut down.
\tat com.databricks.backend.daemon.driver.JupyterDriverLocal.$anonfun$getJupyterClient$1(JupyterDriverLocal.scala:233)
\tat scala.Option.getOrElse(Option.scala:189)
\tat com.databricks.backend.daemon.driver.JupyterDriverLocal.repl(JupyterDriverLocal.scala:651)"""


def outcome(reply: dict[str, Any], text: str, truth: Truth) -> Outcome:
    """The one kind of output that survives.

    Args:
        reply: The context's `done` message, see `Emitted`.
        text: What the command wrote, already cut.
    """
    return Outcome(
        results=_results(reply, text, truth), background=bool(reply["streams"]), exit_value=reply["exit_value"]
    )


def _results(reply: dict[str, Any], text: str, truth: Truth) -> Results:
    if reply["error"] is not None:
        return error_results(**reply["error"])
    if reply["exit_value"] is not None:
        return text_results(reply["exit_value"])
    if reply["table"] is not None:
        return {"resultType": "table", "isJsonSchema": True, **reply["table"]}
    if reply["images"]:
        return _image_results(reply["images"], truth)
    return text_results(text if reply["html"] is None else reply["html"])


def text_results(text: str) -> Results:
    """A command that ended well, with text only."""
    return {"resultType": "text", "data": text}


def error_results(name: str, message: str, traceback: list[str], summary: str | None = None) -> Results:
    """An exception: a line of HTML, and the traceback with its ANSI colours."""
    if summary is None:
        summary = f"<span class='ansi-red-fg'>{html.escape(name)}</span>: {html.escape(_ANSI.sub('', message))}"
    return {"resultType": "error", "summary": summary, "cause": "\n".join(traceback)}


def cancelled_results() -> Results:
    """A command that was cancelled; there is no Python traceback."""
    return {"resultType": "error", "summary": "Cancelled", "cause": CANCELLED_CAUSE}


def unsupported_results(language: str) -> Results:
    """A command in a language that is not embedded."""
    message = f"the embedded workspace runs python and sql, not {language}"
    return error_results(
        "UnsupportedOperationException", message, [f"java.lang.UnsupportedOperationException: {message}"]
    )


def restarting_results() -> Results:
    """A command that came while Python was being replaced."""
    summary = html.escape(RESTARTING_CAUSE.splitlines()[0])
    return {"resultType": "error", "summary": summary, "cause": RESTARTING_CAUSE}


def _image_results(images: list[str], truth: Truth) -> Results:
    if truth.figures == "image" and len(images) == 1:
        return {"resultType": "image", "fileName": images[0]}
    return {"resultType": "images", "fileNames": images}
