"""What can go wrong between a script and its cluster, one class for each remedy.

DbkError
└── SessionError
    ├── TokenNotSet            no credentials were found at all
    ├── AuthenticationError    the workspace refused the credentials (401)
    ├── PermissionDenied       the credentials are good, the right is missing (403)
    ├── ClusterNotFound        no such cluster, or none that this user may see
    ├── ClusterTerminated      the cluster stopped, or could not be started
    ├── ClusterUnsupported     this cluster cannot run commands for this user at all
    ├── StartTimeout           the cluster did not come up in time
    ├── ConnectionLost         the workspace cannot be reached
    ├── ContextLimit           the cluster takes no more contexts
    ├── ContextLostError       the interpreter that ran the code is gone
    ├── ContextWedged          a cancelled command has not stopped yet
    ├── StdinNotAllowed        code asked for input where nobody can answer
    ├── SessionClosed          the session was closed, or detached, before this call
    ├── SessionNotFound        nothing of that name to attach to
    ├── NameTaken              another session was left under that name
    ├── ProtocolError          the driver's answer makes no sense
    ├── WorkspaceError         any other refusal, in the workspace's own words
    ├── CommandCancelled       the user's command was cancelled
    └── CommandFailed          the user's command raised (`CommandResult.raise_for_error`)
"""

from __future__ import annotations

from dbk_config import DbkError

__all__ = [
    "AuthenticationError",
    "ClusterNotFound",
    "ClusterTerminated",
    "ClusterUnsupported",
    "CommandCancelled",
    "CommandFailed",
    "ConnectionLost",
    "ContextLimit",
    "ContextLostError",
    "ContextWedged",
    "DbkError",
    "NameTaken",
    "PermissionDenied",
    "ProtocolError",
    "SessionClosed",
    "SessionError",
    "SessionNotFound",
    "StartTimeout",
    "StdinNotAllowed",
    "TokenNotSet",
    "UnreadableSource",
    "WorkspaceError",
]


class SessionError(DbkError):
    """Anything `dbk_session` raises by itself."""


class TokenNotSet(SessionError):
    """No credentials were found: not in the environment, not in a profile. Set `DATABRICKS_TOKEN`."""


class AuthenticationError(SessionError):
    """The workspace refused the credentials: an invalid or expired token."""


class PermissionDenied(SessionError):
    """The user is known but may not do this; retrying does not help."""


class ClusterNotFound(SessionError):
    """The workspace has no such cluster, or hides it from this user."""


class ClusterTerminated(SessionError):
    """The cluster stopped while it was needed, or failed to start."""


class ClusterUnsupported(SessionError):
    """The cluster is of a kind that runs no commands (job compute, serverless, somebody else's dedicated cluster)."""


class StartTimeout(SessionError):
    """The cluster did not become usable within `start_timeout_s` seconds."""


class ConnectionLost(SessionError):
    """The workspace could not be reached, or stopped answering for longer than the session waits."""


class ContextLimit(SessionError):
    """The cluster is up but gives no further execution context (Databricks allows 145 a cluster)."""


class ContextLostError(SessionError):
    """The interpreter went away (evicted, restarted, crashed) with the command and all variables in it."""


class ContextWedged(SessionError):
    """A cancelled command is still running remotely, so nothing can be asked of its interpreter."""


class StdinNotAllowed(SessionError):
    """An answer was offered to a command that did not ask for one."""


class SessionClosed(SessionError):
    """The session can take no more work."""


class SessionNotFound(SessionError):
    """No detached session of that name is known on this machine."""


class UnreadableSource(SessionError):
    """A file that is neither a script nor a notebook, or cannot be read."""


class NameTaken(SessionError):
    """Another session was left under this name, and two could not be told apart."""


class ProtocolError(SessionError):
    """A reply could not be understood: not JSON, a field missing, a digest that does not match."""


class WorkspaceError(SessionError):
    """The workspace refused a request for a reason of its own.

    Attributes:
        status: HTTP status of the answer, 0 when the failure arrived inside a successful answer.
        code: the workspace's own error code or exception name, "" when there was none.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 0, code: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class CommandCancelled(SessionError):
    """The command was cancelled before it ended by itself."""


class CommandFailed(SessionError):
    """The user's code raised.

    Attributes:
        ename: class name of the remote exception, for instance `"ValueError"`.
        evalue: its text.
        traceback: the lines of the remote traceback, with terminal colours as IPython made them.
    """

    def __init__(self, ename: str, evalue: str, traceback: tuple[str, ...] = ()) -> None:
        super().__init__(f"{ename}: {evalue}" if evalue else ename)
        self.ename = ename
        self.evalue = evalue
        self.traceback = traceback
