"""Configuration of the driver's Spark, as pure data."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from dbk_local._seam import Truth

_CHECKPOINT_CLASS = "FileSystemBasedCheckpointFileManager"


def spark_conf(truth: Truth, scratch: Path, checkpoint_class: str | None) -> dict[str, str]:
    """What is given to Spark with `--conf`.

    Args:
        scratch: Private folder of the JVM for blocks and shuffles.
        checkpoint_class: See `find_checkpoint_class`.
    """
    conf = {
        "spark.master": f"local[{max(2, min(4, os.cpu_count() or 2))}]",
        "spark.app.name": "Databricks Shell",
        # One context must not starve another.
        "spark.scheduler.mode": "FAIR",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": "dbfs:/user/hive/warehouse",
        "spark.sql.session.timeZone": "Etc/UTC",
        # 200 tasks a shuffle would be a second each on the two cores a laptop spares.
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **_file_systems(truth),
        **_usage_tags(truth),
    }
    if checkpoint_class is not None:
        # The default one refuses the overloaded scheme.
        conf["spark.sql.streaming.checkpointFileManagerClass"] = checkpoint_class
    return conf


def _file_systems(truth: Truth) -> dict[str, str]:
    """`dbfs:/` (the default file system, as on Databricks) through Hadoop's view file system on local folders."""
    table = "spark.hadoop.fs.viewfs.mounttable.default"
    return {
        "spark.hadoop.fs.dbfs.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        # Without checksum files (`.part-0.crc`), which would show in listings: a real DBFS has none.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.hadoop.fs.viewfs.overload.scheme.target.dbfs.impl": "org.apache.hadoop.fs.LocalFileSystem",
        f"{table}.linkFallback": truth.dbfs_root.absolute().as_uri(),
        f"{table}.link./Volumes": truth.volumes_root.absolute().as_uri(),
        "spark.hadoop.fs.defaultFS": "dbfs:///",
    }


def _usage_tags(truth: Truth) -> dict[str, str]:
    tags = {
        "spark.databricks.clusterUsageTags.clusterId": truth.cluster_id,
        "spark.databricks.clusterUsageTags.clusterOwnerOrgId": truth.workspace_id,
        "spark.databricks.clusterUsageTags.sparkVersion": f"{truth.runtime}.x-scala2.13",
        "spark.databricks.workspaceUrl": truth.host.partition("://")[2],
    }
    return {name: value for name, value in tags.items() if value}


def find_checkpoint_class(jars: Path) -> str | None:
    """Full name of the checkpoint writer that works on any file system; its package differs between Spark versions."""
    for jar in sorted(jars.glob("spark-sql_*.jar")):
        with zipfile.ZipFile(jar) as file:
            for name in file.namelist():
                if name.endswith(f"/{_CHECKPOINT_CLASS}.class"):
                    return name.removesuffix(".class").replace("/", ".")
    return None
