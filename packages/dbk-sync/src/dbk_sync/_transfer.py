"""The parts of a pack on their way to a store: two at a time."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

from dbk_sync._parts import Part, Parts
from dbk_sync._stores import Progress, Refused, Store
from dbk_sync.errors import RequestError, TransientError

PACK_PREFIX: Final = "dbk-sync-"
PACK_SUFFIX: Final = ".pack"
_CONNECTIONS: Final = 2
"""While one part waits for its answer, another has the line."""
_PATIENCE_S: Final = 5.0
"""How long parts on their way may take to notice that they are not wanted any more."""


def passing_name(_part: Part) -> str:
    """A name for a file that only passes through, which the receiver and `gc` know it by."""
    return f"{PACK_PREFIX}{secrets.token_hex(16)}{PACK_SUFFIX}"


class Transfer:
    """Sends the parts of one pack to a directory in a store; `paths` are their files there, in order.

    Args:
        store: Where the directory is.
        folder: The directory.
        progress: Hears how many bytes have gone out in all.
        name_of: Names the file of a part.
        kept: Whether those that were sent stay when a later one cannot be.
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        progress: Progress,
        *,
        name_of: Callable[[Part], str] = passing_name,
        kept: bool = False,
    ) -> None:
        self.paths: list[str] = []
        self._name_of = name_of
        self._kept = kept
        self._store = store
        self._folder = folder
        self._progress = progress
        self._sent_bytes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def send(self, parts: Parts) -> None:
        """Sends all of them, each when it is there. The first goes alone: who refuses it is not sent the others.

        Raises:
            Refused: The store is closed.
            SyncError: A part cannot be made or sent; those that were sent are removed, unless they are kept.
        """
        pool = ThreadPoolExecutor(_CONNECTIONS, "dbk-sync-send")
        sent: list[Future[None]] = []
        try:
            for part in parts:
                path = f"{self._folder}/{self._name_of(part)}"
                self.paths.append(path)
                if len(self.paths) == 1:
                    self._put(path, part)
                else:
                    sent.append(pool.submit(self._put, path, part))
                _raise_first(one for one in sent if one.done())
            _raise_first(sent)
        except BaseException as error:
            self._stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            wait([one for one in sent if not one.cancelled()], _PATIENCE_S)
            refused_at_once = isinstance(error, Refused) and len(self.paths) == 1
            if not self._kept and not refused_at_once and not isinstance(error, TransientError):
                self.remove()
            raise
        pool.shutdown()

    def remove(self) -> None:
        """Removes what was sent, as far as the workspace answers; what is gone already is fine."""
        for path in self.paths:
            try:
                self._store.delete(path)
            except TransientError:
                return  # the next one would not be answered either
            except (RequestError, Refused):
                continue

    def _put(self, path: str, part: Part) -> None:
        def count(sent_bytes: int) -> None:
            if self._stopped:
                raise _Stopped
            with self._lock:
                self._sent_bytes[path] = min(sent_bytes, part.size_bytes)
                self._progress(sum(self._sent_bytes.values()))

        self._store.put(path, part, progress=count)


class _Stopped(Exception):
    """Nothing more is to be sent."""


def _raise_first(futures: Iterable[Future[Any]]) -> None:
    for future in futures:
        future.result()
