"""Joining an interpreter to the Spark JVM it shares with the other contexts of its cluster."""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Attached:
    """Pyspark's objects of this interpreter."""

    context: Any
    session: Any
    _module: Any

    def claim_thread(self, group: str, description: str) -> None:
        """Make the calling thread's JVM thread belong to a command.

        An interrupted py4j call loses its JVM thread, and job group and active session with it; so this comes before
        every command.
        """
        self.context.setJobGroup(group, description, interruptOnCancel=True)
        self._module.setActiveSession(self.session._jsparkSession)


def attach(port: int, secret: str) -> Attached:
    """Connect to the py4j server that was made for this interpreter, with a session of its own."""
    os.environ.update(PYSPARK_GATEWAY_PORT=str(port), PYSPARK_GATEWAY_SECRET=secret, PYSPARK_PYTHON=sys.executable)
    quieten()
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    gateway = importlib.import_module("pyspark.java_gateway").launch_gateway()
    jvm = gateway.jvm
    module = _session_module(jvm)
    root = module.getDefaultSession().get()
    jsc = jvm.JavaSparkContext.fromSparkContext(root.sparkContext())
    context = SparkContext(gateway=gateway, jsc=jsc, conf=SparkConf(_jvm=jvm, _jconf=jsc.getConf()))
    session = SparkSession(context, root.newSession())
    # The constructor made our session the default of the whole JVM.
    module.setDefaultSession(root)
    return Attached(context, session, module)


def claim_new_connections(attached: Attached, claim: Callable[[], None]) -> None:
    """Have the main thread call `claim` whenever it gets another thread of the JVM.

    That is so after an interrupted call, and when another thread of the same command was the first to use Spark. A job
    that belongs to no command could not be cancelled with it.
    """
    client = attached.context._gateway._gateway_client
    connect = client._create_new_connection
    is_claiming = False

    def connect_and_claim() -> Any:
        nonlocal is_claiming
        connection = connect()
        if is_claiming or threading.current_thread() is not threading.main_thread():
            return connection
        is_claiming = True
        try:
            claim()
        finally:
            is_claiming = False
        # After an interrupt the JVM may have closed it at once, and the calls of `claim` have got another.
        connection = client.get_thread_connection() or connection
        # They have put it among those that are free.
        with contextlib.suppress(ValueError):
            client.deque.remove(connection)
        return connection

    client._create_new_connection = connect_and_claim


def _session_module(jvm: Any) -> Any:
    """The companion of the JVM's `SparkSession`; Spark 4 has moved it."""
    java_class = importlib.import_module("py4j.java_gateway").JavaClass
    companion = getattr(jvm, "org.apache.spark.sql.classic.SparkSession$")
    if not isinstance(companion, java_class):  # py4j takes an unknown name for a package
        companion = getattr(jvm, "SparkSession$")
    return getattr(companion, "MODULE$")


def quieten() -> None:
    """Keep py4j and Spark 4 from logging every interrupt and every failed query into the text of a command."""
    logging.getLogger("py4j").addHandler(logging.NullHandler())
    try:
        logger = importlib.import_module("pyspark.logger").PySparkLogger.getLogger("SQLQueryContextLogger")
    except ImportError:  # Spark 3.5 has none
        return
    logger.setLevel(logging.CRITICAL + 1)


def hook_pyspark(attach_first: Callable[[], Any], stopped: Callable[[], None]) -> None:
    """Let every way to a session or a context lead to the cluster's own, as on Databricks, and none to a new JVM.

    Args:
        attach_first: Attaches if that has not happened; may raise.
        stopped: Called when user code has stopped the shared SparkContext.
    """
    from pyspark import SparkContext

    hook_sessions(attach_first)
    _before_class_method(SparkContext, "_ensure_initialized", attach_first)
    stop = SparkContext.stop

    @functools.wraps(stop)
    def stop_and_tell(self: Any) -> None:
        stop(self)
        stopped()

    setattr(SparkContext, "stop", stop_and_tell)  # noqa: B010 - mypy holds a method to be constant


def hook_sessions(attach_first: Callable[[], Any]) -> None:
    """The part of `hook_pyspark` that Spark Connect needs too: it has no SparkContext."""
    from pyspark.sql import SparkSession

    _before(SparkSession.Builder, "getOrCreate", attach_first)
    _before_class_method(SparkSession, "getActiveSession", attach_first)


def _before(owner: Any, name: str, first: Callable[[], Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        first()
        return original(self, *args, **kwargs)

    setattr(owner, name, wrapper)


def _before_class_method(owner: Any, name: str, first: Callable[[], Any]) -> None:
    original = getattr(owner, name).__func__

    @functools.wraps(original)
    def wrapper(cls: Any, *args: Any, **kwargs: Any) -> Any:
        first()
        return original(cls, *args, **kwargs)

    setattr(owner, name, classmethod(wrapper))
