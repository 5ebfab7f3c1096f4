"""The package `dbruntime`, as far as public clients ask for it.

databricks-sdk uses it for `from databricks.sdk.runtime import dbutils, spark, ...` inside modules, and to log in
without any configuration (`databricks/sdk/runtime/__init__.py`).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dbk_local._seam import Truth


@dataclass(frozen=True)
class ReplContext:
    """What `get_context` tells of the workspace; None where nothing is known."""

    clusterId: str | None
    workspaceId: str | None
    workspaceUrl: str | None
    browserHostName: str | None
    user: str | None
    apiToken: str | None = field(repr=False)


def install_dbruntime(truth: Callable[[], Truth], namespace: dict[str, Any]) -> None:
    """Make `import dbruntime` work in this interpreter.

    Args:
        truth: What is true when a client asks.
        namespace: Names of the notebook, given to `UserNamespaceInitializer`.
    """

    def get_context() -> ReplContext:
        """Where this interpreter runs."""
        now = truth()
        host = now.host.partition("://")[2] or None
        return ReplContext(
            now.cluster_id or None, now.workspace_id or None, host, host, now.user_name or None, now.api_token or None
        )

    def init_runtime_native_auth() -> tuple[str | None, Callable[[], dict[str, str]] | None]:
        """Host, and a function that gives the headers of a request."""
        if not truth().host:
            return None, None
        return truth().host, lambda: {"Authorization": f"Bearer {truth().api_token}"}

    class UserNamespaceInitializer:
        """Gives the notebook's names to modules."""

        @classmethod
        def getOrCreate(cls) -> UserNamespaceInitializer:
            """The one there is."""
            return cls()

        def get_namespace_globals(self) -> dict[str, Any]:
            """The names."""
            return namespace

    package = _module("dbruntime", UserNamespaceInitializer=UserNamespaceInitializer)
    package.__path__ = []
    _module("dbruntime.databricks_repl_context", get_context=get_context)
    _module("dbruntime.sdk_credential_provider", init_runtime_native_auth=init_runtime_native_auth)


def _module(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module
