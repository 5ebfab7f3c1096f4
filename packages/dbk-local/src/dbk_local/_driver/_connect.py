"""Spark Connect in an interpreter: what `spark` is on clusters in standard access mode.

There is no SparkContext, no RDD and no job group; a command's operations are known by a tag. Nothing of gRPC may be
started before the fork, so all of it waits for `attach_connect`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dbk_local._driver._connect_channel import channel_builder
from dbk_local._driver._connect_pool import install_pool

# Import names of what Spark's own extra `connect` asks for; pandas and pyarrow are preloaded where they are installed.
_NEEDED = ("grpc", "grpc_status", "google.rpc", "pandas", "pyarrow")
MODULE = "pyspark.sql.connect.session"
INSTALL = (
    "In standard access mode `spark` is a Spark Connect session, which needs {missing}. Install it: "
    "pip install 'dbk-local[spark]', or start the workspace with the option standard_spark=classic"
)


def missing_packages() -> list[str]:
    """What Spark Connect needs and this environment lacks."""
    return [name for name in _NEEDED if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # of its parent
        return False


@dataclass
class AttachedConnect:
    """The Spark Connect session of this interpreter; the counterpart of `Attached`."""

    session: Any
    context: None = None
    _tag: str = ""

    def claim_thread(self, group: str, description: str) -> None:  # noqa: ARG002 - `Attached` describes its jobs
        """Tag what the calling thread starts from now on as a command's; costs no request."""
        if self._tag in self.session.getTags():
            self.session.removeTag(self._tag)
        self.session.addTag(group)
        self._tag = group


def enter_connect_mode() -> None:
    """Let `pyspark.sql` give the functions and classes of Spark Connect, as on such a cluster, before any session."""
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"


def attach_connect(port: int, token: str, session_id: str, user_name: str) -> AttachedConnect:
    """Open the session whose id the driver has chosen, so that it can interrupt and close it."""
    os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = token
    url = f"sc://localhost:{port}/;user_id={quote(user_name, safe='')};session_id={session_id}"
    os.environ["SPARK_REMOTE"] = url
    install_pool()
    session = importlib.import_module(MODULE).SparkSession.builder.channelBuilder(channel_builder(url, token)).create()
    return AttachedConnect(session)
