"""Completion, inspection and is-complete, with the replies that ipykernel gives for the same shell."""

from __future__ import annotations

from typing import Any

from .content import clean
from .shell_command import SHELL_CELL

# ipykernel's name for completions with their types; JupyterLab reads it.
_TYPES = "_jupyter_types_experimental"


class Introspection:
    """Asks the shell's own completer and inspector."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def complete(self, code: str, cursor_pos: int | None = None) -> dict[str, Any]:
        """The content of a `complete_reply`."""
        from IPython.core.completer import provisionalcompleter, rectify_completions

        position = len(code) if cursor_pos is None else cursor_pos
        with provisionalcompleter():
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


def _is_internal(text: str) -> bool:
    """Whether it is nothing of the user's: a magic that only the agent calls, the folder of a sync's own state."""
    return text.lstrip("%") == SHELL_CELL or text.rstrip("/").rpartition("/")[2] == ".databricks"


def _typed(completion: Any) -> dict[str, Any]:
    return {name: getattr(completion, name) for name in ("start", "end", "text", "type", "signature")}
