"""What the package offers in the control context: `install` for its bootstrap, `call` for the client."""

from __future__ import annotations

import os
import socket
import sys
from types import ModuleType
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from . import operations, tidy

_version = ""


def install(version: str, options: dict[str, Any], installing: str, old: ModuleType | None = None) -> None:  # noqa: ARG001
    """Say hello; nothing is hooked in this context."""
    global _version
    _version = version
    _print({"kind": "hello", **_describe(fresh=True)})
    tidy.forget_commands(installing)


def again(options: dict[str, Any]) -> None:  # noqa: ARG001 - there are none yet
    """Say hello again; the same command was run before."""
    _print({"kind": "hello", **_describe(fresh=False)})


def is_open() -> bool:
    """There is nothing to close."""
    return True


def call(request: str) -> None:
    """Do one operation of the client's; its answer is printed as a frame."""
    op = ""
    try:
        op, arguments = wire.parse_call(request)
        content: dict[str, Any] = {"ok": True, "value": operations.OPERATIONS[op](arguments)}
    except KeyboardInterrupt:
        # A long wait was cancelled: nothing was lost, the client asks again.
        content = {"ok": False, "error": {"ename": "KeyboardInterrupt", "evalue": "", "traceback": []}}
    except Exception as error:
        content = {"ok": False, "error": {"ename": type(error).__name__, "evalue": str(error), "traceback": []}}
    _print({"kind": "reply", "op": op, **content})
    tidy.forget_commands()


def _describe(*, fresh: bool) -> dict[str, Any]:
    return {
        "role": "control",
        "version": _version,
        "pid": os.getpid(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "runtime": os.environ.get("DATABRICKS_RUNTIME_VERSION", ""),
        "uid": os.getuid(),
        "host": socket.gethostname(),
        "fresh": fresh,
    }


def _print(content: dict[str, Any]) -> None:
    print(wire.make_frame({"nonce": tidy.NONCE, **content}), flush=True)
