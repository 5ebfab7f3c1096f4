"""The names Databricks puts into every Python notebook (list: `databricks.sdk.runtime`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbk_local._driver._access import SparkAccess
from dbk_local._driver._dbutils import DbUtils
from dbk_local._driver._ipython import HTML, display
from dbk_local._driver._lazy import Lazy

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell


def fill_namespace(shell: CommandShell, access: SparkAccess) -> None:
    """Push the names; they count as hidden, so `%who` leaves them out and `%reset` leaves them alone."""
    dbutils = DbUtils(shell)
    names = {"dbutils": dbutils, "display": _display, "displayHTML": _display_html, **_spark_names(access)}
    shell.push(names, interactive=False)

    def materialise(session: Any, context: Any) -> None:
        real = {"spark": session, "sc": context, "sqlContext": session}
        still_ours = {name: real[name] for name in real if shell.user_ns.get(name) is names[name]}
        shell.push(still_ours, interactive=False)

    access.on_attached = materialise


def _display(*args: Any, **kwargs: Any) -> None:
    display(*args, **kwargs)


def _display_html(html: str) -> None:
    display(HTML(html))


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
        "spark": Lazy("spark", access.session, None),
        "sc": Lazy("sc", access.context, None),
        "sqlContext": Lazy("sqlContext", access.session, None),
        "table": table,
        "sql": sql,
        "udf": udf,
    }
