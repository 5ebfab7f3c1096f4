"""The workspace seen from another process: starts it as a child, asks it things over HTTP. Standard library only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from ._log import Request
from ._server_process import ServerProcess
from .errors import BadFault, BadOption, LocalError


class Workspace:
    """An embedded workspace for the time of a `with` block.

    It is a child process, and ends with this one however this one ends. `latency_s` is added to every API request;
    `folder` keeps its files (without it they are gone at the end); `cluster_state` is `RUNNING` or `TERMINATED`;
    `spark` is None for Apache Spark on first use when it is installed, False for none; `options` are named truths
    (see `dbk-local options`).

    Example:
        >>> with Workspace(spark=False) as w:
        ...     sorted(w.env())
        ['DATABRICKS_CLUSTER_ID', 'DATABRICKS_HOST', 'DATABRICKS_TOKEN']
    """

    def __init__(
        self,
        runtime: str = "17.3",
        access_mode: str = "dedicated",
        spark: bool | None = None,
        latency_s: float = 0.0,
        folder: str | os.PathLike[str] | None = None,
        cluster_state: str = "RUNNING",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.host = self.token = self.cluster_id = self.user_name = ""
        self.spark_version = ""
        """Apache Spark that starts at the first use of `spark`; empty where there is none."""
        self.pid = 0
        """Process id of the workspace's own process."""
        chosen = {**(options or {}), "latency_s": latency_s, **({"spark": "off"} if spark is False else {})}
        arguments = ["--runtime", runtime, "--access-mode", access_mode, "--cluster-state", cluster_state]
        arguments += [f"--set={name}={json.dumps(value)}" for name, value in chosen.items()]
        arguments += ["--folder", os.fspath(folder)] if folder is not None else []
        self._process = ServerProcess(arguments)

    def __repr__(self) -> str:
        return f"<Workspace {self.host or 'not started'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            StartFailed: it ended, or said nothing within a minute.
        """
        about = self._process.start()
        self.host, self.token, self.pid = about["host"], about["token"], about["pid"]
        self.cluster_id, self.user_name = about["cluster_id"], about["user_name"]
        self.spark_version = about["spark_version"]

    def stop(self) -> None:
        """End it and everything it started."""
        self._process.stop()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self._process.kill()

    def env(self) -> dict[str, str]:
        """`DATABRICKS_HOST`, `DATABRICKS_TOKEN` and `DATABRICKS_CLUSTER_ID` of this workspace."""
        return {"DATABRICKS_HOST": self.host, "DATABRICKS_TOKEN": self.token, "DATABRICKS_CLUSTER_ID": self.cluster_id}

    def requests(self, after: int = 0) -> list[Request]:
        """Every request since the start or the last `clear_requests`, in order of arrival; `/_local/` is left out."""
        found = self._ask("GET", "/_local/requests", {"after": after})["requests"]
        return [Request(**{**row, "faults": tuple(row["faults"])}) for row in found]

    def clear_requests(self) -> None:
        """Forget the request log."""
        self._ask("DELETE", "/_local/requests")

    def fault(self, route: str, kind: str, times: int | None = 1, after: int = 0, **params: Any) -> None:
        """Let requests go wrong: the next `times` (None: all) that match `route`, after `after` went through.

        `route` is `METHOD /path` with `*` for anything, `*` alone for every request.

        Raises:
            BadFault: an unknown kind or parameter.
        """
        rule = {"route": route, "kind": kind, "times": times, "after": after, **params}
        try:
            self._ask("POST", "/_local/faults", rule)
        except LocalError as error:
            raise BadFault(error.message) from None

    def faults(self) -> list[dict[str, Any]]:
        """The rules, each with `seen` and `hits`."""
        found: list[dict[str, Any]] = self._ask("GET", "/_local/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Remove every rule; an expired token works again."""
        self._ask("DELETE", "/_local/faults")

    def options(self) -> dict[str, Any]:
        """Every option by name."""
        found: dict[str, Any] = self._ask("GET", "/_local/options")
        return found

    def set_options(self, **options: Any) -> None:
        """Change options; they hold from the next request and the next command on.

        Raises:
            BadOption: an unknown name or a value it cannot have.
        """
        try:
            self._ask("POST", "/_local/options", options)
        except LocalError as error:
            raise BadOption([error.message]) from None

    def contexts(self, cluster_id: str | None = None) -> list[dict[str, Any]]:
        """The live contexts: `id`, `pid`, `language`, `status`, `running` (a command id or None), `waiting` (ids)."""
        found: list[dict[str, Any]] = self._ask("GET", "/_local/contexts", self._on(cluster_id))["contexts"]
        return found

    def evict(self, context_id: str, cluster_id: str | None = None) -> None:
        """Evict a context as the platform does."""
        self._ask("POST", "/_local/evict", {**self._on(cluster_id), "context_id": context_id})

    def restart_driver(self, cluster_id: str | None = None, wait: bool = True) -> None:
        """Crash the driver; with `wait`, return when its successor is there."""
        self._ask("POST", "/_local/restart-driver", {**self._on(cluster_id), "wait": wait})

    def terminate_cluster(
        self, cluster_id: str | None = None, code: str = "USER_REQUEST", kind: str = "SUCCESS"
    ) -> None:
        """Bring a cluster to TERMINATED with a termination reason, and wait until it is there."""
        reason = {"state": "TERMINATED", "code": code, "type": kind}
        self._ask("POST", "/_local/cluster-state", {**self._on(cluster_id), **reason})

    def set_cluster_state(self, state: str, cluster_id: str | None = None, wait: bool | None = None) -> dict[str, Any]:
        """Send a cluster on its way to a state; `RUNNING` and `TERMINATED` are waited for by default."""
        more = {} if wait is None else {"wait": wait}
        found: dict[str, Any] = self._ask(
            "POST", "/_local/cluster-state", {**self._on(cluster_id), "state": state, **more}
        )
        return found

    def advance(self, seconds: float) -> None:
        """Let time pass at once for clusters, contexts and handles."""
        self._ask("POST", "/_local/clock", {"seconds": seconds})

    def reset(self) -> None:
        """As after the start: options, faults, log, time, no contexts, the first cluster where it began. Files stay."""
        self._ask("POST", "/_local/reset")

    def status(self) -> dict[str, Any]:
        """Clusters with their contexts and commands, options and faults, as the start page gets them."""
        found: dict[str, Any] = self._ask("GET", "/_local/status")
        return found

    def _on(self, cluster_id: str | None) -> dict[str, str]:
        return {"cluster_id": cluster_id or self.cluster_id}

    def _ask(self, method: str, path: str, arguments: Mapping[str, Any] | None = None) -> Any:
        query = f"?{urlencode(arguments)}" if arguments and method == "GET" else ""
        body = json.dumps(arguments) if arguments and method != "GET" else None
        target = urlsplit(self.host)
        connection = HTTPConnection(target.hostname or "", target.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path + query, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read() or b"{}")
        finally:
            connection.close()
        if response.status != 200:
            raise LocalError(answer.get("message", f"{method} {path} answered {response.status}"))
        return answer
