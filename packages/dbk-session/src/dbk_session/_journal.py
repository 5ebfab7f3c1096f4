"""What is open on clusters, on disk, so that nothing stays behind when a process cannot clean up itself.

One folder a session under the user's state folder (`_state_folder`), readable by the user alone:

    <state>/dbk-session/<session id>/session.json        who owns it, where it is
    <state>/dbk-session/<session id>/context-<id>         one empty file for each open context
    <state>/dbk-session/<session id>/create-<time>-<nr>   one for each context that was asked for, until the answer

The file of a context is made by whoever creates the context, right after the answer, and removed after its
destruction. Where the answer never comes, nobody can know whether there is a context, and the API lists none: then the
third kind of file stays, so that it is at least known that there may be one. No credentials are written.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dbk_session._state_folder import usable_state_folder

__all__ = ["Entry", "Journal", "process_mark"]

_CONTEXT = "context-"
_CREATE = "create-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One session.

    Attributes:
        session: its id.
        name: for `Session.attach`, "" when it was given none.
        host: the workspace.
        cluster_id: the cluster.
        profile: of ~/.databrickscfg, None when credentials came from elsewhere.
        config_file: instead of ~/.databrickscfg.
        node: the machine that wrote this; a home folder may be shared.
        pid: the owning process, 0 once detached.
        mark: tells `pid` from a later process of the same number, see `process_mark`.
        detached: what `Session.attach` needs to take over; None while it is owned.
    """

    session: str
    name: str
    host: str
    cluster_id: str
    profile: str | None = None
    config_file: str | None = None
    node: str = field(default_factory=platform.node)
    pid: int = field(default_factory=os.getpid)
    mark: str = ""
    detached: Mapping[str, Any] | None = None


class Journal:
    """The folder of all sessions of this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or usable_state_folder(os.environ)

    def write(self, entry: Entry) -> None:
        """Makes or replaces a session's entry."""
        home = self.folder / entry.session
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        temporary = home / f"session.{os.getpid()}.tmp"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(entry), file)
        temporary.replace(home / "session.json")

    def read(self, session: str) -> Entry | None:
        """A session's entry, None when there is none or it cannot be read."""
        try:
            fields = json.loads((self.folder / session / "session.json").read_text(encoding="utf-8"))
            return Entry(**fields)
        except (OSError, ValueError, TypeError):
            return None

    def entries(self) -> Iterator[Entry]:
        """All sessions."""
        with contextlib.suppress(OSError):
            for home in sorted(self.folder.iterdir()):
                entry = self.read(home.name)
                if entry is not None:
                    yield entry

    def named(self, name: str) -> Entry | None:
        """The detached session of a name."""
        return next((entry for entry in self.entries() if entry.name == name and entry.detached is not None), None)

    def add_context(self, session: str, context_id: str) -> None:
        """Notes an open context."""
        home = self.folder / session
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(home / f"{_CONTEXT}{context_id}", os.O_WRONLY | os.O_CREAT, 0o600))

    def drop_context(self, session: str, context_id: str) -> None:
        """Notes that a context is gone."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / session / f"{_CONTEXT}{context_id}").unlink()

    def contexts(self, session: str) -> tuple[str, ...]:
        """The contexts a session has open."""
        return tuple(name.removeprefix(_CONTEXT) for name in self._files(session) if name.startswith(_CONTEXT))

    def begin_create(self, session: str) -> str:
        """Notes that a context is about to be asked for; gives the name of the note."""
        home = self.folder / session
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = f"{_CREATE}{time.time():.3f}-{secrets.token_hex(4)}"
        os.close(os.open(home / note, os.O_WRONLY | os.O_CREAT, 0o600))
        return note

    def end_create(self, session: str, note: str) -> None:
        """Notes that the answer has come."""
        (self.folder / session / note).unlink(missing_ok=True)

    def unanswered(self, session: str) -> Mapping[str, float]:
        """When contexts were asked for whose answer has not come, in Unix seconds, by the name of the note."""
        notes = [name for name in self._files(session) if name.startswith(_CREATE)]
        return {name: float(name.removeprefix(_CREATE).partition("-")[0]) for name in notes}

    def remove(self, session: str) -> None:
        """Forgets a session."""
        shutil.rmtree(self.folder / session, ignore_errors=True)

    def settle(self, session: str) -> None:
        """Forgets a session that certainly has nothing left on a cluster."""
        if not self.contexts(session) and not self.unanswered(session):
            self.remove(session)

    def _files(self, session: str) -> list[str]:
        try:
            return sorted(path.name for path in (self.folder / session).iterdir())
        except OSError:
            return []

    def orphans(self) -> Iterator[Entry]:
        """Sessions of this machine whose process is gone and that were not detached."""
        for entry in self.entries():
            if entry.node == platform.node() and entry.detached is None and not _is_alive(entry):
                yield entry

    def claim(self, entry: Entry) -> Entry | None:
        """Makes this process the owner of a detached session; None when another one was faster."""
        lock = self.folder / entry.session / "claim"
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            return None
        try:
            current = self.read(entry.session)
            if current is None or current.detached is None:
                return None
            owned = replace(current, pid=os.getpid(), mark=process_mark(os.getpid()), detached=None)
            self.write(owned)
            return owned
        finally:
            lock.unlink(missing_ok=True)


def process_mark(pid: int) -> str:
    """Something that differs between two processes of one number: the start time on Linux, "" elsewhere or if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _is_alive(entry: Entry) -> bool:
    if Path("/proc/self/stat").exists():
        mark = process_mark(entry.pid)
        return mark != "" and entry.mark in ("", mark)
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
