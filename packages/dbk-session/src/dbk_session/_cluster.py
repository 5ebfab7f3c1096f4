"""Brings a cluster to a state in which it takes contexts, and says how far it is."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from dbk_config.compute import judge, judge_id

from dbk_session import _calls as calls
from dbk_session._calls import Cluster
from dbk_session._clock import Clock
from dbk_session._events import ClusterProgress
from dbk_session._remote import Doubtful, Remote, Stopped
from dbk_session._schedule import COMING_UP, FIRST_CONTACT, OPENING, STARTING
from dbk_session.errors import (
    ClusterTerminated,
    ClusterUnsupported,
    ConnectionLost,
    ContextLimit,
    PermissionDenied,
    StartTimeout,
    WorkspaceError,
)

__all__ = ["Opener"]

_USABLE = frozenset({"RUNNING", "RESIZING"})
_BROKEN = frozenset({"ERROR", "UNKNOWN"})
_CREATE_TRIES = 4
_RESTART = "Restart the cluster from Databricks workspace, then run the command again."


class Opener:
    """Starts a cluster when it has to, and creates contexts on it.

    Args:
        remote: gets requests through.
        clock: time and waiting.
        cluster_id: which one.
        timeout_s: how long the cluster may take to come up.
        emit: told about the progress.
        stop: when set, waiting ends with `Stopped`.
    """

    def __init__(
        self,
        remote: Remote,
        clock: Clock,
        cluster_id: str,
        timeout_s: float,
        emit: Callable[[ClusterProgress], None],
        stop: threading.Event,
    ) -> None:
        self._remote = remote
        self._clock = clock
        self._cluster_id = cluster_id
        self._timeout_s = timeout_s
        self._emit = emit
        self._stop = stop
        self._began_s = clock.now()
        self._patience = FIRST_CONTACT

    def ensure_running(self) -> Cluster:
        """Waits until the cluster is up, starting it when it is not.

        Raises:
            ClusterTerminated: it cannot be started, or stopped again.
            StartTimeout: it took too long.
            Stopped: asked to.
            SessionError: not found, not allowed, no connection.
        """
        self._began_s = self._clock.now()
        started = came_up = False
        waited: float | None = None
        while True:
            cluster = self._look()
            if cluster.state in _USABLE:
                if waited is not None:
                    self._tell(cluster)
                return cluster
            if cluster.state in _BROKEN or (cluster.state == "TERMINATED" and came_up):
                raise _terminated(self._cluster_id, cluster)
            if cluster.state == "TERMINATED" and not started:
                started = self._start(cluster)
            # Right after the start it may still be told as terminated; once it was seen coming up, that is an end.
            came_up = came_up or (started and cluster.state != "TERMINATED")
            self._tell(cluster)
            waited = STARTING.after(waited)
            self._wait(waited, cluster)

    def create(self) -> str:
        """Creates a context and waits until its interpreter runs; gives its id.

        Raises:
            ContextLimit: the cluster takes no more.
            SessionError: see `ensure_running`.
        """
        for attempt in range(1, _CREATE_TRIES + 1):
            context_id = self._create()
            if self._is_up(context_id):
                return context_id
            # A loaded driver is known to fail now and then (dbt-databricks retries the same way).
            self._remote.call(calls.destroy_context(self._cluster_id, context_id), self._patience, self._stop)
            self._pause(min(2.0**attempt, 8.0))
        raise WorkspaceError(
            f"The Python interpreter does not start on cluster {self._cluster_id}.",
            "Look into the cluster's driver logs.",
        )

    def _look(self) -> Cluster:
        if self._patience is FIRST_CONTACT:
            _refuse_at_sight(self._cluster_id)
        body = self._remote.call(calls.get_cluster(self._cluster_id), self._patience, self._stop)
        if self._patience is FIRST_CONTACT:
            self._patience = COMING_UP
            _refuse_unsupported(self._cluster_id, body)
        return calls.cluster_of(body)

    def _start(self, cluster: Cluster) -> bool:
        """Starts it; False when it was in no state to be started, for somebody else was faster."""
        try:
            self._remote.call(calls.start_cluster(self._cluster_id), self._patience, self._stop)
        except PermissionDenied as error:
            raise ClusterTerminated(
                f"Cluster terminated: {self._cluster_id} is stopped, and you may not start it ({error.message}).",
                _RESTART,
            ) from error
        except WorkspaceError as error:
            if error.code == "INVALID_STATE" and "unexpected state" in error.message:
                return False
            raise _terminated(self._cluster_id, cluster, error.message) from error
        return True

    def _create(self) -> str:
        doubts = 0
        waited: float | None = None
        while True:
            try:
                return calls.id_of(
                    self._remote.call(calls.create_context(self._cluster_id), self._patience, self._stop)
                )
            except Doubtful as error:
                doubts += 1
                if doubts >= _CREATE_TRIES:
                    raise ConnectionLost(f"Connection lost while the context was created ({error}).") from error
            except WorkspaceError as error:
                cluster = self.ensure_running()
                if "ClusterNotReady" not in error.message + error.code:
                    raise _no_context(error) from error
                waited = STARTING.after(waited)
                self._wait(waited, cluster)

    def _is_up(self, context_id: str) -> bool:
        """Waits for the interpreter; False when it failed to start."""
        waited: float | None = None
        while True:
            call = calls.context_status(self._cluster_id, context_id)
            status = calls.context_status_of(self._remote.call(call, self._patience, self._stop))
            if status != "pending":
                return status == "running"
            waited = OPENING.after(waited)
            self._wait(waited, None)

    def _wait(self, delay_s: float, cluster: Cluster | None) -> None:
        elapsed_s = self._clock.now() - self._began_s
        if elapsed_s >= self._timeout_s:
            state = f" It is {cluster.state}: {cluster.message}" if cluster else ""
            raise StartTimeout(
                f"Cluster {self._cluster_id} did not come up within {self._timeout_s:.0f} s.{state}",
                "Look at the cluster's event log, or raise start_timeout_s.",
            )
        self._pause(delay_s)

    def _pause(self, delay_s: float) -> None:
        if self._clock.wait(self._stop, delay_s):
            raise Stopped

    def _tell(self, cluster: Cluster) -> None:
        self._emit(ClusterProgress(cluster.state, cluster.message, self._clock.now() - self._began_s))


def _refuse_at_sight(cluster_id: str) -> None:
    """Refuses what the ID alone shows to be no cluster; the workspace would only say that it does not exist."""
    verdict = judge_id(cluster_id)
    if verdict is not None and verdict.level == "failed":
        raise ClusterUnsupported(f"{verdict.message}.", verdict.hint)


def _refuse_unsupported(cluster_id: str, body: Mapping[str, Any]) -> None:
    """Refuses a cluster whose kind or runtime will do for nobody, before it is started in vain."""
    for verdict in judge(body, ""):
        if verdict.level == "failed":
            raise ClusterUnsupported(f"Cluster {cluster_id} cannot be used: {verdict.message}.", verdict.hint)


def _terminated(cluster_id: str, cluster: Cluster, why: str = "") -> ClusterTerminated:
    reason = ", ".join(text for text in (cluster.reason, why or cluster.message) if text)
    return ClusterTerminated(
        f"Cluster terminated: {cluster_id} is {cluster.state}" + (f" ({reason})." if reason else "."), _RESTART
    )


def _no_context(error: WorkspaceError) -> WorkspaceError | ContextLimit:
    if re.search(r"(?i)limit|maximum|too many", error.message):
        return ContextLimit(
            f"The cluster gives no further execution context: {error.message}",
            "A cluster takes 145. Detach notebooks, or remove what was left behind with `dbk-session sweep`.",
        )
    return WorkspaceError(
        error.message,
        "The cluster may have reached its limit of 145 execution contexts.",
        status=error.status,
        code=error.code,
    )
