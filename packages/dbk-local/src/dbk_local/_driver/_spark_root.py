"""The process that owns the driver's Spark JVM.

Forked from the zygote at the first use of Spark. It starts the JVM, keeps a py4j connection of its own, and does for
the server what no context should be asked for: give each context its py4j server, cancel job groups, stop streams.
Requests are `{"id", "op", ...}`, answered by `{"id", ...}` or `{"id", "error": text}`; `{"t": "jvm-exited"}` comes
unasked.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbk_local._driver import _frames
from dbk_local._driver._archives import Archives
from dbk_local._driver._cache import cache_folder
from dbk_local._driver._connect_server import CONF, TOKEN_VARIABLE, ConnectServer
from dbk_local._driver._java import NoJava, find_java
from dbk_local._driver._jvm import Gateway, JvmFailed, Launch, start_jvm
from dbk_local._driver._spark_conf import find_checkpoint_class, spark_conf
from dbk_local._driver._spark_home import SparkHome, kind_of_spark, own_spark
from dbk_local._driver._wire import truth_from_json

# Writing class archives takes five to eight seconds on a quiet machine; who ends the server waits for half a minute.
_WRITING_TIMEOUT_S = 22.0
_STOP_TIMEOUT_S = 10.0


def run_spark_root(fds: list[int], spec: dict[str, Any]) -> None:
    """Serve until the server closes the socket; the JVM ends with this process."""
    root = _SparkRoot(spec)
    server = socket.socket(fileno=fds[0])
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    try:
        while True:
            readable, _, _ = select.select([server.fileno(), wake_read], [], [])
            if wake_read in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake_read, 4096)
                if root.jvm_has_exited():
                    _frames.send(server, {"t": "jvm-exited"})
                    return
            if server.fileno() in readable:
                request, _fds = _frames.receive(server)
                if request is None:
                    return
                _frames.send(server, {"id": request["id"], **root.answer(request)})
    finally:
        root.kill()


class _SparkRoot:
    def __init__(self, spec: dict[str, Any]) -> None:
        self._truth = truth_from_json(spec["truth"])
        self._folder = Path(spec["folder"])
        self._archives_wanted = spec["archives"]
        self._jvm_process: subprocess.Popen[bytes] | None = None
        self._archives: Archives | None = None
        self._jvm: Any = None
        self._session: Any = None
        self._servers: dict[str, Any] = {}
        self._connect: ConnectServer | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        operations: dict[str, Callable[..., dict[str, Any]]] = {
            "attach": self._attach,
            "detach": self._detach,
            "cancel": self._cancel,
            "streams": self._streams,
            "stop": self._stop,
        }
        arguments = {name: value for name, value in request.items() if name not in ("id", "op")}
        try:
            return operations[request["op"]](**arguments)
        except Exception as error:  # the JVM's own trouble, of any class; it is told to whoever asked
            return {"error": f"{type(error).__name__}: {error}"}

    def jvm_has_exited(self) -> bool:
        return self._jvm_process is not None and self._jvm_process.poll() is not None

    def kill(self) -> None:
        if self._jvm_process is not None and self._jvm_process.poll() is None:
            self._jvm_process.kill()
            self._jvm_process.wait()
        if self._archives is not None:
            self._archives.close()

    def _attach(self, key: str) -> dict[str, Any]:
        """A py4j server for one interpreter: with a shared one, callbacks of all would go to the last that came."""
        try:
            self._open()
        except (NoJava, JvmFailed) as error:
            return {"error": str(error)}
        if self._connect is not None:
            return self._connect.attach(key)
        if key not in self._servers:
            server = self._jvm.org.apache.spark.api.python.Py4JServer(self._session.sparkContext().conf())
            server.start()
            self._servers[key] = server
        server = self._servers[key]
        return {"port": server.getListeningPort(), "secret": server.secret()}

    def _open(self) -> None:
        if self._session is not None:
            return
        process, gateway = self._start()
        self._jvm_process = process
        self._jvm = _connect(gateway)
        self._session = self._jvm.org.apache.spark.sql.SparkSession.builder().getOrCreate()
        if self._connect is not None:
            self._connect.open(self._jvm, self._session.sparkContext())

    def _start(self) -> tuple[subprocess.Popen[bytes], Gateway]:
        spark = _spark()
        java, home = find_java(os.environ, spark.java_majors), spark.home
        conf = spark_conf(self._truth, self._folder / "scratch", find_checkpoint_class(home / "jars"))
        env = dict(os.environ)
        if kind_of_spark(self._truth, spark) == "connect":
            self._connect = ConnectServer(self._truth.user_name)
            conf, env = {**conf, **CONF}, {**env, TOKEN_VARIABLE: self._connect.token}
        if self._archives_wanted:
            self._archives = Archives(cache_folder(os.environ) / "class-archives", java, home)
        options = [] if self._archives is None else self._archives.options()
        try:
            return start_jvm(Launch(java, home, conf, self._folder, options), env)
        except JvmFailed:
            if self._archives is None or not options:
                raise
            # A damaged archive is the one thing that can be put right here.
            if self._archives.is_used:
                self._archives.discard()
            self._archives.close()
            return start_jvm(Launch(java, home, conf, self._folder), env)

    def _detach(self, key: str, group: str | None, streams: list[str]) -> dict[str, Any]:
        if self._session is None:
            return {}
        if group is not None:
            self._cancel(key, group)
        for query in self._active(streams):
            with contextlib.suppress(Exception):  # it may have ended meanwhile
                query.stop()
        if self._connect is not None:
            self._connect.close(key)
        server = self._servers.pop(key, None)
        if server is not None:
            server.shutdown()
        return {}

    def _cancel(self, key: str, group: str) -> dict[str, Any]:
        if self._connect is not None:
            self._connect.interrupt(key, group)
        elif self._session is not None:
            self._session.sparkContext().cancelJobGroup(group)
        return {}

    def _streams(self, ids: list[str]) -> dict[str, Any]:
        return {"active": [str(query.id().toString()) for query in self._active(ids)]}

    def _active(self, ids: list[str]) -> list[Any]:
        if self._session is None or not ids:
            return []
        running = self._session.sharedState().activeStreamingQueries()
        queries = [running.get(self._jvm.java.util.UUID.fromString(one)) for one in ids]
        return [query for query in queries if query is not None and query.isActive()]

    def _stop(self) -> dict[str, Any]:
        """The orderly end: the JVM may write its class archives."""
        if self._jvm_process is None:
            return {}
        writes = self._archives is not None and self._archives.is_written
        process, self._jvm_process = self._jvm_process, None
        assert process.stdin is not None
        process.stdin.close()
        try:
            status = process.wait(_WRITING_TIMEOUT_S if writes else _STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        if self._archives is not None:
            self._archives.close(jvm_ended_well=status == 0)
        return {}


def _spark() -> SparkHome:
    """The one this process imports: the server has put the right one first on its path."""
    found = own_spark()
    if found is None:
        raise JvmFailed("pyspark is gone")
    return found


def _connect(gateway: Gateway) -> Any:
    os.environ.update(PYSPARK_GATEWAY_PORT=str(gateway.port), PYSPARK_GATEWAY_SECRET=gateway.secret)
    return importlib.import_module("pyspark.java_gateway").launch_gateway().jvm
