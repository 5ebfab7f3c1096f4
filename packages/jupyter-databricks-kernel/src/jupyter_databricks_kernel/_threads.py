"""Blocking work beside an event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


def in_thread(function: Callable[[], T], *, name: str) -> asyncio.Future[T]:
    """Runs `function` in a thread of its own and gives a future of the running loop.

    The thread is a daemon: a kernel that is told to leave must not wait for a request to a cluster, and the threads
    of `asyncio.to_thread` are joined when the interpreter ends.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # the result of a function without error is a T

    def work() -> None:
        result, error = None, None
        try:
            result = function()
        # Carried to whoever awaits the future, whatever it is.
        except BaseException as caught:
            error = caught
        # A closed loop: the kernel is leaving, and nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future
