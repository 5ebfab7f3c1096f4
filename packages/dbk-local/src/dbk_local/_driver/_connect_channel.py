"""A Spark Connect channel that an interrupt can leave while it waits, and only then; see `_shelter`."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any


def channel_builder(url: str, token: str) -> Any:
    """Pyspark's own builder for a URL of the loopback, with a channel that can be interrupted.

    The token is a plain header here. As gRPC's call credentials it would cost a thread for every call, started while
    the lock of the channel is held: when the collector runs in that thread and finds a call that was given up, which
    needs the lock to go, both wait for ever.
    """
    base: Any = importlib.import_module("pyspark.sql.connect.client.core").DefaultChannelBuilder

    def to_channel(self: Any) -> Any:
        return _interruptible(self._insecure_channel(self.endpoint))

    def metadata(self: Any) -> list[tuple[str, str]]:
        return [*base.metadata(self), ("authorization", f"Bearer {token}")]

    return type("LoopbackChannelBuilder", (base,), {"toChannel": to_channel, "metadata": metadata})(url)


def _interruptible(channel: Any) -> Any:
    """The channel, its single calls made of futures: as they are, they wait where an interrupt would wreck them."""
    for kind in ("unary_unary", "stream_unary"):
        setattr(channel, kind, functools.partial(_call_by_future, getattr(channel, kind)))
    return channel


def _call_by_future(make: Callable[..., Any], *arguments: Any, **named: Any) -> Callable[..., Any]:
    call = make(*arguments, **named)
    return lambda *request, **details: call.future(*request, **details).result()


def check_while_waiting(check: Callable[[], None]) -> None:
    """Have gRPC call `check`, which may raise, each time it looks whether what it waits for has come.

    That is every tenth of a second, in the one place where it has left everything in order (`grpc/_common.py`: it is
    there for the sake of signals). In a version without it, a wait ends when the server has been told of the cancel.
    """
    common: Any = importlib.import_module("grpc._common")
    wait = getattr(common, "wait", None)
    if wait is None:
        return

    @functools.wraps(wait)
    def wait_and_check(wait_fn: Any, wait_complete_fn: Callable[[], bool], *more: Any, **named: Any) -> Any:
        def is_complete() -> bool:
            check()
            return wait_complete_fn()

        return wait(wait_fn, is_complete, *more, **named)

    common.wait = wait_and_check
