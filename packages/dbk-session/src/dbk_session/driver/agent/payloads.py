"""Payloads: the pager, `set_next_input` and `exit`, for the front end to act on after the cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .content import clean
from .core import Core


class Payloads:
    """Collects what a front end other than a terminal has to do."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._shell = core.shell

    def install(self) -> None:
        """Hook the pager, the next-input prompt and the exit request."""
        from IPython.core import page

        shell, seams = self._shell, self._core.seams
        hook: Any = page.as_hook(self._page)  # type: ignore[no-untyped-call]
        shell.set_hook("show_in_pager", hook, 0)
        seams.on_undo(self._unhook_pager)
        seams.replace(shell, "set_next_input", self._set_next_input, self._core.recording)
        if hasattr(shell, "ask_exit"):
            seams.replace(shell, "ask_exit", self._ask_exit, self._core.recording)
        else:
            seams.put(shell, "ask_exit", lambda: self._ask_exit(lambda: None))

    def take(self) -> list[Any]:
        """The payloads of the cell, which are then gone."""
        manager = self._shell.payload_manager
        payloads = clean(list(manager.read_payload()))
        manager.clear_payload()
        return list(payloads)

    def _page(self, text: Any, start: int = 0, screen_lines: int = 0, pager_cmd: Any = None) -> None:  # noqa: ARG002
        from IPython.core.error import TryNext

        if not self._core.recording():
            raise TryNext
        data = text if isinstance(text, dict) else {"text/plain": text}
        self._write(source="page", data=data, start=max(0, start))

    def _unhook_pager(self) -> None:
        dispatcher = getattr(self._shell.hooks, "show_in_pager", None)
        chain = getattr(dispatcher, "chain", [])
        chain[:] = [entry for entry in chain if entry[0] != 0]

    def _set_next_input(self, _original: Callable[..., Any], s: str, replace: bool = False) -> None:
        self._write(source="set_next_input", text=s, replace=replace)

    def _ask_exit(self, _original: Callable[..., Any]) -> None:
        # The host's own shell must live on: whether its context ends is the client's decision.
        keep = getattr(self._shell, "keepkernel_on_exit", None)
        self._write(source="ask_exit", keepkernel=bool(keep))

    def _write(self, **payload: Any) -> None:
        self._shell.payload_manager.write_payload(payload)
