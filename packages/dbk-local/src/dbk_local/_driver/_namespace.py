"""The names Databricks puts into every Python notebook (list: `databricks.sdk.runtime`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbk_local._driver._access import SparkAccess
from dbk_local._driver._dbutils import DbUtils
from dbk_local._driver._display import Display, display_html
from dbk_local._driver._lazy import Lazy

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell


def fill_namespace(shell: CommandShell, access: SparkAccess, dbutils: DbUtils) -> None:
    """Push the names; they count as hidden, so `%who` leaves them out and `%reset` leaves them alone."""
    display = Display(shell)
    names = {
        "dbutils": dbutils,
        "display": display,
        "displayHTML": display_html,
        "getArgument": dbutils.widgets.getArgument,
        **_spark_names(access),
    }
    shell.push(names, interactive=False)

    def materialise(session: Any, context: Any) -> None:
        """Put the real objects where nobody has put anything else."""
        real = {"spark": session, "sc": context, "sqlContext": session}
        if shell.truth.access_mode == "standard":
            real = {"spark": session}
        still_ours = {name: real[name] for name in real if shell.user_ns.get(name) is names[name]}
        shell.push(still_ours, interactive=False)
        _add_display_method(display)

    access.on_attached = materialise


def _add_display_method(display: Display) -> None:
    from pyspark.sql import DataFrame

    def show(self: Any, *args: Any, **options: Any) -> None:
        """Show the frame as `display` does."""
        display(self, *args, **options)

    setattr(DataFrame, "display", show)  # noqa: B010 - pyspark does not declare it


def _spark_names(access: SparkAccess) -> dict[str, Any]:
    def table(tableName: str) -> Any:
        """The named table as a frame."""
        return access.session().table(tableName)

    def sql(sqlQuery: str, **kwargs: Any) -> Any:
        """The result of a query as a frame."""
        return access.session().sql(sqlQuery, **kwargs)

    def udf(*args: Any, **kwargs: Any) -> Any:
        """`pyspark.sql.functions.udf`."""
        access.session()
        from pyspark.sql.functions import udf

        return udf(*args, **kwargs)

    return {
        "spark": Lazy("spark", access.session, access.session_class()),
        "sc": Lazy("sc", access.context, None),
        "sqlContext": Lazy("sqlContext", access.context_session, None),
        "table": table,
        "sql": sql,
        "udf": udf,
    }
