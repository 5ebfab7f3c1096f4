"""The private folder on the driver's disk: records of each run, answers, messages, snapshot."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from typing import Any

PREFIX = "dbk-"
PARTS = ("runs", "answers", "inbox")
# One byte for each interrupt that has reached the run that is on.
INTERRUPTS = "interrupts"
_ENOUGH_BYTES = 256 * 1024 * 1024


class Spool:
    """A folder that only this user can enter, with a name that nobody can guess."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pid = os.getpid()

    @classmethod
    def create(cls, root: str | None, nonce: str, version: str) -> Spool:
        """Make the folder in `root`, or in the best local place.

        Raises:
            OSError: No place could be written.
        """
        problem: OSError | None = None
        for place in [root] if root else _places():
            folder = os.path.join(place, f"{PREFIX}{os.getuid()}-{secrets.token_hex(16)}")
            try:
                os.mkdir(folder, 0o700)
                for part in PARTS:
                    os.mkdir(os.path.join(folder, part), 0o700)
                spool = cls(folder)
                spool.write("owner.json", json.dumps({**identity(), "nonce": nonce, "version": version}).encode())
            except OSError as error:
                problem = error
                shutil.rmtree(folder, ignore_errors=True)
                continue
            return spool
        raise problem or OSError("there is no folder for temporary files")

    def path(self, *parts: str) -> str:
        """The path of one file in the folder."""
        return os.path.join(self.folder, *parts)

    def run_path(self, run_id: str) -> str:
        """Where the records of a run are."""
        return self.path("runs", f"{run_id}.jsonl")

    @staticmethod
    def limit_name(run_id: str) -> str:
        """The file that is there once a run has reached its output limit; it holds the limit in bytes."""
        return f"{run_id}.limit"

    def write(self, name: str, data: bytes) -> None:
        """Replace one small file, so that a reader sees the old or the new one and nothing between."""
        new = self.path(f".{name}.{secrets.token_hex(4)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(new, self.path(name))
        except OSError:
            os.unlink(new)
            raise

    def take(self, *parts: str) -> bytes | None:
        """The content of a file, which is then gone; None when it isn't there (yet)."""
        path = self.path(*parts)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        os.unlink(path)
        return data

    def remove_if_owner(self) -> None:
        """Delete everything; a forked child that ends must not do that to its parent."""
        if os.getpid() == self.pid:
            shutil.rmtree(self.folder, ignore_errors=True)


def _places() -> list[str]:
    """Local folders for temporary files, those with room first."""
    wanted = [tempfile.gettempdir(), "/local_disk0/tmp", "/var/tmp", "/dev/shm"]
    usable = [place for place in dict.fromkeys(wanted) if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)]
    return sorted(usable, key=lambda place: shutil.disk_usage(place).free < _ENOUGH_BYTES)


def process_start(pid: int) -> str:
    """When the process started, in clock ticks since boot; "" when it is gone, a zombie, or cannot be seen.

    A process id may be used again; together with this number it may not.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            # The name in parentheses may hold spaces: fields count from the last parenthesis (proc(5)).
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def process_space() -> str:
    """Which table of processes this one is in: containers that share a disk may have one each."""
    try:
        return f"{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def identity() -> dict[str, Any]:
    """What tells this process from all others."""
    pid = os.getpid()
    return {"pid": pid, "started": process_start(pid), "space": process_space(), "uid": os.getuid()}


def is_alive(owner: dict[str, Any]) -> bool | None:
    """Whether the process of an `identity` is there; None when that cannot be seen from here."""
    if owner["space"] != process_space():
        return None
    started = process_start(int(owner["pid"]))
    return started != "" and started == owner["started"]


def sweep(root: str | None = None) -> list[str]:
    """Delete the folders of this user whose interpreter is gone; their paths."""
    gone = list(abandoned(root))
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def abandoned(root: str | None = None) -> Iterator[str]:
    """Spool folders of this user whose interpreter is gone."""
    for place in [root] if root else _places():
        names = os.listdir(place) if os.path.isdir(place) else []
        for name in names:
            path = os.path.join(place, name)
            if name.startswith(f"{PREFIX}{os.getuid()}-") and _is_abandoned(path):
                yield path


def _is_abandoned(folder: str) -> bool:
    try:
        state = os.lstat(folder)
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
            return False
        with open(os.path.join(folder, "owner.json"), encoding="utf-8") as file:
            owner = json.load(file)
        return is_alive(owner) is False
    except (OSError, ValueError, KeyError):
        # Half made by somebody who is alive, or not ours.
        return False


def interrupts(folder: str) -> int:
    """How many have reached the run that is on in this folder's interpreter."""
    try:
        return os.stat(os.path.join(folder, INTERRUPTS)).st_size
    except FileNotFoundError:
        return 0
