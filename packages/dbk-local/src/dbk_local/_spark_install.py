"""Fetching the Spark of a Databricks runtime from the package index into the user's cache."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ._driver._spark_home import RELEASES, Release, SparkHome, fetched_folder, fetched_spark
from .errors import SparkNotInstalled

DOWNLOAD_MB = {"3.5.0": 317, "3.5.2": 317, "4.0": 434}
_SHOWN_LINES = 6


def install(runtime: str, env: Mapping[str, str], say: Callable[[str], None]) -> SparkHome:
    """The Spark of a runtime; fetched when it is not there yet, by one process at a time.

    Raises:
        SparkNotInstalled: an unknown runtime, no pip, no network, no space.
    """
    if runtime not in RELEASES:
        known = ", ".join(RELEASES)
        raise SparkNotInstalled(f"There is no Spark for runtime {runtime!r}.", f"The runtimes are {known}.")
    folder = fetched_folder(runtime, env)
    try:
        _make_private(folder.parent)
        with _alone(folder.with_name(f"{folder.name}.lock"), say):
            if not folder.exists():
                _fetch(RELEASES[runtime], folder, say)
    except OSError as error:
        raise SparkNotInstalled(f"Spark cannot be kept in {folder.parent}: {error}") from error
    found = fetched_spark(runtime, env)
    if found is None:
        raise SparkNotInstalled(f"{folder} holds no pyspark.", "Remove that folder and try again.")
    return found


def _make_private(folder: Path) -> None:
    """For this user alone: what lies there is run."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    with open(lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process fetches it; waiting for that one.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(release: Release, folder: Path, say: Callable[[str], None]) -> None:
    """Into a folder of another name first: what has the right name is complete."""
    if importlib.util.find_spec("pip") is None:
        raise SparkNotInstalled(f"{sys.executable} has no pip.", f"{sys.executable} -m ensurepip")
    for left_over in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(left_over, ignore_errors=True)  # of a process that was killed: we hold the lock
    say(f"Fetching Apache Spark {release.version}, about {DOWNLOAD_MB[release.version]} MB, into {folder} ...")
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _pip(release.requirements, part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _pip(requirements: tuple[str, ...], target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-input"]
    # Not what the host's own path would add: pip must see only what it installs itself.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*command, "--target", str(target), *requirements], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise SparkNotInstalled(
            "pip could not install " + " ".join(requirements) + ":\n" + "\n".join(lines[-_SHOWN_LINES:]),
            "Is the package index reachable, and is there space? About 1.4 GB are needed for a while.",
        )
