"""How a command reaches the receiver, and how the session's agent does."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from ._receive import Receiver

VERSION = ""
"""Hash of the shipped sources, set when they are installed."""

_receiver = Receiver()


class SyncNeedsFull(Exception):
    """The files on the driver are not those the change starts from; nothing was changed and no code ran."""


class SyncRefused(Exception):
    """The change could not be carried out; the files are as they were and no code ran."""


def call(version: str, nonce: str, arguments: str, data: str = "") -> str:
    """The line that answers a request: `@dbk-sync NONCE {json}`. `arguments` is base64 of JSON, `data` of bytes."""
    if version == VERSION:
        answer = _receiver.answer(json.loads(base64.b64decode(arguments)), base64.b64decode(data))
    else:
        answer = {"need_receiver": True}
    register()
    return f"\n@dbk-sync {nonce} {json.dumps(answer)}"


def attached(payload: dict[str, Any]) -> dict[str, Any]:
    """Handles a request that travels with a cell; what it raises keeps the cell from running on the wrong files."""
    if payload["version"] != VERSION:
        raise SyncNeedsFull("Another version of the receiver is loaded.")
    answer = _receiver.answer(payload["request"], base64.b64decode(payload["data"]))
    if "need_full" in answer:
        raise SyncNeedsFull(answer["need_full"])
    if "error" in answer:
        raise SyncRefused("\n".join(filter(None, [answer["error"]["message"], answer["error"]["hint"]])))
    return answer


def register() -> None:
    """Makes `attached` known to the session's agent, if there is one; done at each call, since it may be replaced."""
    agent: Any = sys.modules.get("_dbk_agent")
    if agent is not None and hasattr(agent, "register_attachment"):
        agent.register_attachment("sync", attached)
