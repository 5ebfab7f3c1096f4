"""A context's way to Spark: nothing until it is used, then a session on the JVM all contexts share."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import signal
import threading
from collections.abc import Callable
from typing import Any, cast

from dbk_local._driver import _connect
from dbk_local._driver._attach import (
    Attached,
    attach,
    claim_new_connections,
    hook_pyspark,
    hook_sessions,
    quieten,
)
from dbk_local._driver._connect_channel import check_while_waiting
from dbk_local._driver._interrupts import Interrupts
from dbk_local._driver._service import Service, ServiceFailed
from dbk_local._driver._spark_home import kind_of_spark, own_spark
from dbk_local._driver._streams import StartedStreams
from dbk_local._seam import Truth

INSTALL = (
    "Apache Spark is not installed with this workspace. Install it: pip install 'dbk-local[spark]', "
    "or only for clusters of one runtime: dbk-local spark install {runtime}"
)
SWITCHED_OFF = "Apache Spark is switched off in this workspace (spark=off)."
NO_CONTEXT = (
    "[CONTEXT_UNAVAILABLE_FOR_REMOTE_CLIENT] Remote client cannot create a SparkContext. Create SparkSession instead."
)


class SparkUnavailable(RuntimeError):
    """`spark` was used where there is no Spark; the text says what to do."""


class SparkAccess:
    """Attaches this interpreter at the first use, from whatever thread that comes."""

    def __init__(self, truth: Truth, service: Service, interrupts: Interrupts) -> None:
        self._truth = truth
        self._service = service
        self._interrupts = interrupts
        self._lock = threading.RLock()
        self._is_attaching = False
        self._attached: Attached | _connect.AttachedConnect | None = None
        self._command = ("", "")
        self._streams = StartedStreams()
        self._is_connect = kind_of_spark(truth, own_spark()) == "connect"
        self.on_attached: Callable[[Any, Any], None] | None = None
        """Called with session and context when there are any."""
        if self.why_not() is not None:
            return
        if self._is_connect:
            _connect.enter_connect_mode()
            hook_sessions(self._attach)
        else:
            hook_pyspark(self._attach, self._stopped)

    def why_not(self) -> str | None:
        """Why there is no Spark, as far as that is known before it is started."""
        if self._truth.spark == "off":
            return SWITCHED_OFF
        if importlib.util.find_spec("pyspark") is None:
            return INSTALL.format(runtime=self._truth.runtime)
        missing = _connect.missing_packages() if self._is_connect else []
        return _connect.INSTALL.format(missing=", ".join(missing)) if missing else None

    def session(self) -> Any:
        """This context's `SparkSession`.

        Raises:
            SparkUnavailable: there is no Spark.
        """
        attached = self._attach()
        assert attached is not None
        return attached.session

    def context(self) -> Any:
        """The `SparkContext` all contexts share.

        Raises:
            SparkUnavailable: there is no Spark.
            RuntimeError: the access mode gives none.
        """
        if self._truth.access_mode == "standard":
            raise RuntimeError(NO_CONTEXT)
        return self.session().sparkContext

    def context_session(self) -> Any:
        """The session under its old name, `sqlContext`; raises what `context` raises."""
        self.context()
        return self.session()

    def session_class(self) -> Callable[[], type] | None:
        """Gives the class of `spark` without starting anything; None where pyspark is missing."""
        if self.why_not() is not None:
            return None
        if self._is_connect:
            return lambda: cast(type, importlib.import_module(_connect.MODULE).SparkSession)
        from pyspark.sql import SparkSession

        return lambda: SparkSession

    def begin_command(self, group: str, description: str) -> None:
        """Jobs started from now on belong to a command."""
        self._command = (group, description)
        if self._attached is not None:
            self._claim(self._attached)

    def _claim(self, attached: Attached | _connect.AttachedConnect) -> None:
        # A JVM that is gone takes the whole driver along; there is nothing to tell the command.
        with contextlib.suppress(Exception):
            attached.claim_thread(*self._command)

    def end_command(self) -> list[str]:
        """Ids of the streams the command has started and that go on in the background."""
        return self._streams.take()

    def _attach(self) -> Attached | _connect.AttachedConnect | None:
        """None only while attaching: pyspark comes through our own hooks then."""
        with self._lock:
            if self._attached is not None or self._is_attaching:
                return self._attached
            self._is_attaching = True
            try:
                self._attached = self._attach_now()
            finally:
                self._is_attaching = False
            if self.on_attached is not None:
                self.on_attached(self._attached.session, self._attached.context)
            return self._attached

    def _attach_now(self) -> Attached | _connect.AttachedConnect:
        reason = self.why_not()
        if reason is not None:
            raise SparkUnavailable(reason)
        try:
            place = self._service.ask("spark")
        except ServiceFailed as error:
            raise SparkUnavailable(str(error)) from None
        before = signal.getsignal(signal.SIGINT)
        with self._interrupts.deferred():
            attached: Attached | _connect.AttachedConnect
            if self._is_connect:
                quieten()
                self._interrupts.shelter.open()
                check_while_waiting(self._interrupts.shelter.release)
                attached = _connect.attach_connect(**place["connect"])
            else:
                attached = attach(place["port"], place["secret"])
                claim_new_connections(attached, functools.partial(self._claim, attached))
            self._streams.watch(self._is_connect)
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, before)  # SparkContext has put its own, which cancels everybody's jobs
            attached.claim_thread(*self._command)
        return attached

    def _stopped(self) -> None:
        """The SparkContext of the cluster is gone, and on Databricks the driver goes with it."""
        self._service.ask("spark-stopped")
