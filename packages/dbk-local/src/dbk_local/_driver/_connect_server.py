"""The Spark Connect server inside the driver's JVM, seen from the process that owns the JVM."""

from __future__ import annotations

import contextlib
import secrets
import uuid
from typing import Any

_JOB_TAG = "org.apache.spark.sql.connect.service.ExecuteSessionTag$"
_SERVICE = "org.apache.spark.sql.connect.service.SparkConnectService$"
TOKEN_VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"
CONF = {
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": "0",
}
"""What starts it with the JVM. The token travels by the environment: everybody can read a command line."""


class ConnectServer:
    """Sessions by the key of their interpreter; `open` it once the JVM is there."""

    def __init__(self, user_name: str) -> None:
        self.token = secrets.token_urlsafe(32)
        self._user_name = user_name
        self._namespace = uuid.uuid4()
        self._jvm: Any = None
        self._context: Any = None
        self._service: Any = None

    def open(self, jvm: Any, context: Any) -> None:
        """Find the service in the JVM, whose SparkContext is given."""
        self._jvm, self._context = jvm, context
        self._service = getattr(getattr(jvm, _SERVICE), "MODULE$")

    def attach(self, key: str) -> dict[str, Any]:
        """Everything an interpreter needs for its session."""
        about = {"session_id": self._id(key), "user_name": self._user_name, "token": self.token}
        return {"connect": {"port": self._service.localPort(), **about}}

    def interrupt(self, key: str, tag: str) -> None:
        """Cancel the operations of a session that have a tag, and their jobs.

        The server forgets an operation that it has interrupted, and all of a session that was closed, even one whose
        job had not begun and begins now.
        """
        session = self._service.sessionManager().getIsolatedSessionIfPresent(self._key(key))
        if session.isDefined():
            session.get().interruptTag(tag)
        job_tag = getattr(getattr(self._jvm, _JOB_TAG), "MODULE$").apply(self._user_name, self._id(key), tag)
        self._context.cancelJobsWithTag(job_tag)

    def close(self, key: str) -> None:
        """End a session: its operations are interrupted, its streams stopped."""
        with contextlib.suppress(Exception):  # the interpreter may have closed it, or never opened it
            self._service.sessionManager().closeSession(self._key(key), False)

    def _id(self, key: str) -> str:
        return str(uuid.uuid5(self._namespace, key))

    def _key(self, key: str) -> Any:
        return self._jvm.org.apache.spark.sql.connect.service.SessionKey(self._user_name, self._id(key))
