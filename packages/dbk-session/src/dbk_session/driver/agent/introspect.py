"""Completion, inspection and is-complete, with the replies that ipykernel gives for the same shell."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .content import clean
from .shell_command import SHELL_CELL

# ipykernel's name for completions with their types; JupyterLab reads it.
_TYPES = "_jupyter_types_experimental"
_PATIENCE_S = 5.0


class Introspection:
    """Asks the shell's own completer and inspector."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._turn = threading.Lock()

    def warming(self) -> list[Callable[[], Any]]:
        """Steps that load what the first completion would have to load, and that touch no name of the user's."""
        return [_import_jedi, self._complete_apart] if getattr(self._shell.Completer, "use_jedi", False) else []

    def _complete_apart(self) -> None:
        made = type(self._shell.Completer)
        with self._alone():
            completer = made(shell=self._shell, namespace={"name": {}}, global_namespace={}, parent=self._shell)
            # Not `completions`: what IPython puts around that changes the filter of warnings for all threads.
            completer.complete(line_buffer="nam", cursor_pos=3)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Jedi is not made for threads: one at a time, though nobody waits for ever."""
        held = self._turn.acquire(timeout=_PATIENCE_S)
        try:
            yield
        finally:
            if held:
                self._turn.release()

    def complete(self, code: str, cursor_pos: int | None = None) -> dict[str, Any]:
        """The content of a `complete_reply`."""
        from IPython.core.completer import provisionalcompleter, rectify_completions

        position = len(code) if cursor_pos is None else cursor_pos
        with self._alone(), provisionalcompleter():
            raw = self._shell.Completer.completions(code, position)
            found = [each for each in rectify_completions(code, raw) if not _is_internal(each.text)]
        return {
            "matches": [each.text for each in found],
            "cursor_start": found[0].start if found else position,
            "cursor_end": found[0].end if found else position,
            "metadata": {_TYPES: [_typed(each) for each in found]},
            "status": "ok",
        }

    def inspect(
        self, code: str, cursor_pos: int | None = None, detail_level: int = 0, omit_sections: Any = ()
    ) -> dict[str, Any]:
        """The content of an `inspect_reply`."""
        from IPython.utils.tokenutil import token_at_cursor

        name = token_at_cursor(code, len(code) if cursor_pos is None else cursor_pos)
        try:
            bundle = self._shell.object_inspect_mime(name, detail_level=detail_level, omit_sections=omit_sections)
        except KeyError:
            return {"status": "ok", "data": {}, "metadata": {}, "found": False}
        data = dict(bundle)
        if not self._shell.enable_html_pager:
            data.pop("text/html", None)
        return {"status": "ok", "data": clean(data), "metadata": {}, "found": True}

    def is_complete(self, code: str) -> dict[str, Any]:
        """The content of an `is_complete_reply`."""
        status, indent = self._shell.input_transformer_manager.check_complete(code)
        reply = {"status": status}
        if status == "incomplete":
            reply["indent"] = " " * int(indent or 0)
        return reply


def _import_jedi() -> None:
    """What IPython imports when it is asked for names."""
    for name in ("jedi.api.classes", "jedi.api.helpers"):
        importlib.import_module(name)


def _is_internal(text: str) -> bool:
    """Whether it is nothing of the user's: a magic that only the agent calls, the folder of a sync's own state."""
    return text.lstrip("%") == SHELL_CELL or text.rstrip("/").rpartition("/")[2] == ".databricks"


def _typed(completion: Any) -> dict[str, Any]:
    return {name: getattr(completion, name) for name in ("start", "end", "text", "type", "signature")}
