"""A context's way to Spark."""

from __future__ import annotations

import importlib.util
from typing import Any

from dbk_local._seam import Truth

INSTALL = "Apache Spark is not installed with this workspace. Install it: pip install 'dbk-local[spark]'"
SWITCHED_OFF = "Apache Spark is switched off in this workspace (spark=off)."


class SparkUnavailable(RuntimeError):
    """`spark` was used where there is no Spark; the text says what to do."""


class SparkAccess:
    """Attaches this interpreter to the driver's JVM at the first use."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    @property
    def is_installed(self) -> bool:
        """Pyspark can be imported."""
        return importlib.util.find_spec("pyspark") is not None

    def session(self) -> Any:
        """This context's `SparkSession`.

        Raises:
            SparkUnavailable: there is no Spark.
        """
        raise SparkUnavailable(SWITCHED_OFF if self._truth.spark == "off" else INSTALL)

    def context(self) -> Any:
        """The `SparkContext` all contexts share.

        Raises:
            SparkUnavailable: there is no Spark.
        """
        return self.session().sparkContext
