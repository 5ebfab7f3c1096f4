"""The whole workspace in one object: what an endpoint works on."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from ._catalog import Catalog
from ._clock import Clock
from ._cluster import Cluster
from ._cluster_driver import OpenDriver, Surroundings
from ._cluster_states import DATA_SECURITY, RUNTIMES
from ._dbfs import Dbfs
from ._faults import Faults
from ._folders import Folders
from ._line import Lines
from ._log import RequestLog
from ._options import Options
from ._root_folder import new_token
from ._secrets import Secrets
from ._tree import Tree
from ._volumes import Volumes

WORKSPACE_ID = "1234567890123456"
DEFAULT_CLUSTER_ID = "1127-000000-local001"


class Site:
    """State of one workspace; one per server, used on its event loop only."""

    def __init__(self, options: Options, folders: Folders, open_driver: OpenDriver, token: str | None = None) -> None:
        self.options = self.first_options = options
        self.folders = folders.create()
        self.token = token or new_token()
        self.host = ""
        self.hosts: frozenset[str] = frozenset()
        self.clock = Clock()
        self.log = RequestLog()
        self.faults = Faults()
        self.lines = Lines()
        self.dbfs = Dbfs(folders.dbfs, self.clock)
        self.tree = Tree(folders.workspace)
        self.tree.make_home(options.user_name)
        self.volumes = Volumes(folders.volumes)
        self.catalog = Catalog(folders.volumes, options.user_name)
        self.secrets = Secrets(folders.secrets)
        self.settings: dict[str, str] = {}
        self.token_is_valid = True
        self.starts_running = True
        self._open_driver = open_driver
        self.clusters: dict[str, Cluster] = {}

    def add_cluster(self, settings: dict[str, Any], cluster_id: str | None = None) -> Cluster:
        """A new cluster, TERMINATED."""
        now = self.clock.unix_s()
        cluster_id = cluster_id or _cluster_id(now)
        around = Surroundings(self.clock, self.folders, lambda: self.options, self._open_driver, self._identity)
        cluster = self.clusters[cluster_id] = Cluster(cluster_id, {**self._defaults(), **settings}, around)
        return cluster

    async def show_volume(self, name: str) -> None:
        """Have every driver see a new volume."""
        await asyncio.gather(*(cluster.show_volume(name) for cluster in self.clusters.values()))

    async def close(self) -> None:
        """End every cluster, and close what clients left open."""
        self.clock.close()
        self.dbfs.close_all()
        for cluster in self.clusters.values():
            await cluster.close()

    def _defaults(self) -> dict[str, Any]:
        options = self.options
        mode = DATA_SECURITY[options.access_mode]
        owner = options.single_user_name or options.user_name
        return {
            "cluster_name": "local",
            "spark_version": RUNTIMES[options.runtime][0],
            "node_type_id": "local",
            "driver_node_type_id": "local",
            "num_workers": 0,
            "spark_conf": {"spark.master": "local[*, 4]", "spark.databricks.cluster.profile": "singleNode"},
            "custom_tags": {"ResourceClass": "SingleNode"},
            "spark_env_vars": {},
            "autotermination_minutes": options.autotermination_minutes,
            "enable_elastic_disk": False,
            "cluster_source": "UI",
            "creator_user_name": options.user_name,
            "data_security_mode": mode,
            **({"single_user_name": owner} if mode == "SINGLE_USER" else {}),
        }

    def _identity(self) -> dict[str, Any]:
        return {"host": self.host, "api_token": self.token, "workspace_id": WORKSPACE_ID}


def _cluster_id(now_s: float) -> str:
    """`MMDD-HHMMSS-xxxxxxxx`."""
    return time.strftime("%m%d-%H%M%S-", time.gmtime(now_s)) + secrets.token_hex(4)
