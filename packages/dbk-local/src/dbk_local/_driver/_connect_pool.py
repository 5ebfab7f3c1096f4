"""The threads that tell the server of Spark Connect what it need not keep any more."""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Callable

_THREADS = 2


class ReleasePool:
    """Takes the place of pyspark's `ThreadPoolExecutor`, whose lock a call that was given up can take twice.

    Pyspark submits the last task of such a call from `__del__`, thus at any moment at which the collector runs: also
    when the same thread is in the middle of another `submit`. The queue here may be used like that.
    """

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        for _ in range(_THREADS):
            threading.Thread(target=self._work, name="dbk-connect-release", daemon=True).start()

    def submit(self, task: Callable[[], None]) -> None:
        """Have it done soon, by one of the threads; it sees to its own errors."""
        self._tasks.put(task)

    def shutdown(self) -> None:
        """Let the threads end after what has been submitted."""
        for _ in range(_THREADS):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


def install_pool() -> None:
    """Have pyspark use such a pool; a version that keeps its own elsewhere goes on with that."""
    owner = importlib.import_module("pyspark.sql.connect.client.reattach").ExecutePlanResponseReattachableIterator
    if hasattr(owner, "_release_thread_pool_instance"):
        owner._release_thread_pool_instance = ReleasePool()
