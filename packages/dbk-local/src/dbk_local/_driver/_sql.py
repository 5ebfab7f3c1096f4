"""Commands in SQL: one statement, run in the context's own session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbk_local._driver._tabular import spark_table

if TYPE_CHECKING:
    from dbk_local._driver._access import SparkAccess
    from dbk_local._driver._shell import CommandShell


def run_sql(shell: CommandShell, access: SparkAccess, text: str) -> None:
    """Run a statement; its rows become the table and `_sqldf`, its failure the error, of the running command."""
    try:
        frame = access.session().sql(text.strip().removesuffix(";"))
        if frame.columns:
            shell.emitted.table = spark_table(frame, shell.truth)
            shell.user_ns["_sqldf"] = frame
    except (Exception, KeyboardInterrupt) as error:
        shell.emitted.error = _error(error)


def _error(error: BaseException) -> dict[str, Any]:
    name, message = type(error).__name__, str(error)
    stack = getattr(error, "_stackTrace", None) or f"{name}: {message}"
    return {
        "name": name,
        "message": message,
        "summary": f"Error in SQL statement: {name}: {message}",
        "traceback": ["com.databricks.backend.common.rpc.SparkDriverExceptions$SQLExecutionException: " + stack],
    }
