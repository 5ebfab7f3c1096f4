"""What is known of a session at the moment, gathered for `%dbk status`."""

from dbk_config import Settings
from dbk_config.errors import DbkError
from dbk_session import Session

from jupyter_databricks_kernel._files import Files
from jupyter_databricks_kernel._report import Facts

__all__ = ["gather"]


def gather(settings: Settings, session: Session | None, files: Files | None, python_version: str) -> Facts:
    """The facts; one request, about the cluster, and only where a session is there to make it."""
    return Facts(
        host=settings.host or "",
        cluster_id=settings.cluster_id or "",
        cluster=_cluster_now(session) if session is not None else {},
        state=session.state if session is not None else "new",
        context_id=(session.context_id or "") if session is not None else "",
        channel=(session.channel or "") if session is not None else "",
        python=python_version,
        files=files.last if files is not None else None,
        files_enabled=settings.sync.enabled,
    )


def _cluster_now(session: Session) -> dict[str, str]:
    """What the workspace says of the cluster; only the reason when it says nothing: the rest is worth knowing then."""
    try:
        return session.cluster()
    except DbkError as error:
        return {"state": f"not known: {error.message}"}
