"""The client's end of the receiver: a request in, a command text out; printed text in, an answer out."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any, Protocol

from dbk_sync import driver
from dbk_sync.errors import ReceiverError


class Driver(Protocol):
    """Something that runs Python on the cluster's driver, such as a session's `call`."""

    def run(self, code: str) -> str:
        """Runs `code` in the user's interpreter and gives what it printed."""


class Receiver:
    """The receiver in the interpreter behind `driver`, shipped there when it is first needed.

    `loaded` says whether this interpreter is known to have it.
    """

    def __init__(self, runner: Driver) -> None:
        self._driver = runner
        self.loaded = False

    def ask(self, request: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        """The receiver's answer to `request` (see `driver/_receive.py`), `data` going along.

        Raises:
            ReceiverError: Nothing that can be an answer came back.
        """
        answer = self._run(request, data, with_receiver=not self.loaded)
        if answer.get("need_receiver"):
            answer = self._run(request, data, with_receiver=True)
        if answer.get("need_receiver"):
            raise ReceiverError("The receiver could not be loaded on the driver.", code="internal")
        self.loaded = True
        return answer

    def _run(self, request: dict[str, Any], data: bytes, with_receiver: bool) -> dict[str, Any]:
        nonce = secrets.token_hex(8)
        code = call_text(nonce, request, data)
        printed = self._driver.run(f"{driver.bootstrap()}\n{code}" if with_receiver else code)
        return read_answer(nonce, printed)


def call_text(nonce: str, request: dict[str, Any], data: bytes = b"") -> str:
    """The expression that asks the receiver, one line; where there is none it prints that one is needed."""
    arguments = base64.b64encode(json.dumps(request).encode()).decode("ascii")
    packed = base64.b64encode(data).decode("ascii")
    absent = f"lambda *_: '@dbk-sync {nonce} {{\"need_receiver\": true}}'"
    receiver = f'getattr(__import__("sys").modules.get("_dbk_sync"), "call", {absent})'
    return f'print({receiver}("{driver.version()}", "{nonce}", "{arguments}", "{packed}"))'


def farewell_text(request: dict[str, Any]) -> str:
    """Code that asks the receiver, brings it along and says nothing; nobody waits for the answer."""
    arguments = base64.b64encode(json.dumps(request).encode()).decode("ascii")
    receiver = '__import__("sys").modules["_dbk_sync"]'
    return f'{driver.bootstrap()}\n{receiver}.call("{driver.version()}", "", "{arguments}") and None'


def read_answer(nonce: str, printed: str) -> dict[str, Any]:
    """The answer in what the command printed, whatever other threads printed around it.

    Raises:
        ReceiverError: There is none.
    """
    _, found, rest = printed.rpartition(f"@dbk-sync {nonce} ")
    if found:
        try:
            answer, _ = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
    raise ReceiverError(
        f"The driver did not answer as expected: {printed.strip()[-200:]!r}",
        "Run the command again; if it stays so, restart the kernel.",
        code="internal",
    )


def refusal_of(answer: dict[str, Any]) -> ReceiverError:
    """The receiver's refusal as an error of ours."""
    error = answer["error"]
    return ReceiverError(error["message"], error["hint"], code=error["code"])
