"""What a kernel is asked beside cells: completion, inspection, history, whether a cell is whole."""

# mypy: allow-untyped-calls

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir

from jupyter_databricks_kernel._completeness import is_complete
from jupyter_databricks_kernel._history import History
from jupyter_databricks_kernel._language import describe, names
from jupyter_databricks_kernel._protocol import AsyncKernel
from jupyter_databricks_kernel._threads import in_thread

if TYPE_CHECKING:
    from jupyter_databricks_kernel._remote import Remote

__all__ = ["AnsweringKernel"]


class AnsweringKernel(AsyncKernel):
    """A kernel that asks the interpreter where there is one, and knows the rest itself. It starts nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._history = History(Path(jupyter_data_dir()) / "databricks-kernel" / "history.sqlite")
        self._remote_made: Remote | None = None

    @property
    def _live(self) -> bool:
        return self._remote_made is not None and self._remote_made.live

    async def do_complete(self, code: str, cursor_pos: int | None) -> dict[str, Any]:
        """Names that fit at the cursor; those of the language itself where the interpreter gives none."""
        cursor = len(code) if cursor_pos is None else cursor_pos
        found = await self._ask("complete", lambda remote: remote.complete(code, cursor))
        if found is not None and found["matches"]:
            return {"status": "ok", **found}
        return {"status": "ok", **names(code, cursor)}

    async def do_inspect(
        self,
        code: str,
        cursor_pos: int,
        detail_level: int = 0,
        omit_sections: Any = (),  # noqa: ARG002  # part of the base's signature
    ) -> dict[str, Any]:
        """What is known of the object at the cursor; of a built-in one also where the interpreter says nothing."""
        found = await self._ask("inspect", lambda remote: remote.inspect(code, cursor_pos, detail_level))
        if found is not None and found["found"]:
            return {"status": "ok", **found}
        data = describe(code, cursor_pos)
        return {"status": "ok", "found": bool(data), "data": data, "metadata": {}}

    async def _ask(self, name: str, question: Callable[["Remote"], dict[str, Any]]) -> dict[str, Any] | None:
        """The answer of the interpreter, None when there is none to be had."""
        remote = self._remote_made
        if remote is None or not remote.live:
            return None
        try:
            return await in_thread(lambda: question(remote), name=name)
        except Exception:
            # Nobody waits for the tab key to be told about a network; the next cell will say what is wrong.
            self.log.debug("%s failed", name, exc_info=True)
            return None

    async def do_is_complete(self, code: str) -> dict[str, str]:
        """Whether `code` is a whole cell, by IPython's rules, decided here."""
        return is_complete(code)

    async def do_history(
        self,
        hist_access_type: str,
        output: bool = False,
        raw: bool = True,  # noqa: ARG002  # only the source as it was typed is kept
        session: int | None = None,
        start: int | None = None,
        stop: int | None = None,
        n: int | None = None,
        pattern: str | None = None,
        unique: bool = False,
    ) -> dict[str, Any]:
        """Cells of this and earlier sessions, from a file on this machine."""
        match hist_access_type:
            case "tail":
                entries = self._history.tail(n or 0, output=output)
            case "range":
                entries = self._history.range(session or 0, start, stop, output=output)
            case "search":
                entries = self._history.search(pattern or "*", count=n, unique=unique, output=output)
            case _:
                entries = []
        return {"status": "ok", "history": entries}
