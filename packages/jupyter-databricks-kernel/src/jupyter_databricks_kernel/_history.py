"""What was typed, kept on this machine: one SQLite file for all kernels, with real session numbers.

IPython's own history answers a range of the running session with session 0; this one gives the number that the
other two kinds of request give, so that a front end can put the answers together.
"""

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Entry", "History"]

Entry = tuple[int, int, str | tuple[str, str | None]]
"""Session, line, and the source; with `output` asked for, the pair of source and output text."""

_SCHEMA = """
create table if not exists sessions (session integer primary key autoincrement, started text default current_timestamp);
create table if not exists cells (
    session integer not null, line integer not null, source text not null, output text,
    primary key (session, line)
);
"""
# Another kernel may hold the file for the time of one insert; longer than that something is wrong.
_PATIENCE_S = 2.0


class History:
    """The cells of this session and of all earlier ones.

    The file is opened, and the session gets its number, with the first cell or question. A file that cannot be
    used (a full disk, a locked folder) makes the history empty and never fails a cell.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._session = 0

    @property
    def session(self) -> int:
        """The number of this session, 0 when there is no usable file."""
        self._open()
        return self._session

    def store(self, line: int, source: str) -> None:
        """Keeps a cell under its number (`In [line]`)."""
        self._change(
            "insert or replace into cells (session, line, source) values (:session, :line, :text)", line, source
        )

    def store_output(self, line: int, output: str) -> None:
        """Adds the text of the value that the cell of that number gave."""
        self._change("update cells set output = :text where session = :session and line = :line", line, output)

    def tail(self, count: int, *, output: bool = False) -> list[Entry]:
        """The last `count` cells of all sessions, oldest first."""
        rows = self._rows("select * from cells order by session desc, line desc limit ?", count)
        return _entries(reversed(rows), output)

    def range(
        self, session: int = 0, start: int | None = None, stop: int | None = None, *, output: bool = False
    ) -> list[Entry]:
        """The cells `start <= line < stop` of one session; 0 is this one, -1 the one before, and so on."""
        number = session if session > 0 else self.session + session
        rows = self._rows(
            "select * from cells where session = ? and line >= ? and line < ? order by line",
            number,
            1 if start is None else start,
            2**62 if stop is None else stop,
        )
        return _entries(rows, output)

    def search(
        self, pattern: str, *, count: int | None = None, unique: bool = False, output: bool = False
    ) -> list[Entry]:
        """The cells whose source matches the glob `pattern`, oldest first; with `count` only the newest ones.

        With `unique`, a source that was run several times appears once, where it was run last.
        """
        # SQLite takes the other columns of a grouped row from the one that holds the maximum.
        columns = "session, line, source, output, max(session * 1e9 + line)" if unique else "*"
        group = "group by source" if unique else ""
        rows = self._rows(
            f"select {columns} from cells where source glob ? {group} order by session desc, line desc limit ?",
            pattern,
            -1 if count is None else count,
        )
        return _entries(reversed(rows), output)

    def close(self) -> None:
        """Lets go of the file; the history is empty from here on."""
        self._broken = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None and not self._broken:
            try:
                self._connection = _connect(self._path)
                self._session = int(self._connection.execute("insert into sessions default values").lastrowid or 0)
            except (OSError, sqlite3.Error):
                self._broken = True
        return self._connection

    def _change(self, statement: str, line: int, text: str) -> None:
        connection = self._open()
        if connection is None:
            return
        try:
            connection.execute(statement, {"session": self._session, "line": line, "text": text})
        except sqlite3.Error:
            self.close()

    def _rows(self, statement: str, *values: object) -> list[tuple[int, int, str, str | None]]:
        connection = self._open()
        if connection is None:
            return []
        try:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(statement, values)]
        except sqlite3.Error:
            return []


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Cells may hold what a person would not show to others on the machine: made private before the first byte.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
    connection.execute("pragma synchronous = off")
    connection.executescript(_SCHEMA)
    return connection


def _entries(rows: Iterable[tuple[int, int, str, str | None]], output: bool) -> list[Entry]:
    return [(session, line, (source, text) if output else source) for session, line, source, text in rows]
