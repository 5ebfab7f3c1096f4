"""`In`, `Out`, `_` and the execution count: a cell has the number that the client asked for, helper calls have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .core import Core


@dataclass(frozen=True)
class Mark:
    """How the shell stood before something that must leave no trace."""

    count: int
    last_result: Any

    @classmethod
    def of(cls, shell: Any) -> Mark:
        """The state now."""
        return cls(shell.execution_count, getattr(shell, "last_execution_result", None))

    def restore_count(self, shell: Any) -> None:
        """Give the next cell the number it would have had."""
        shell.execution_count = self.count

    def restore(self, shell: Any) -> None:
        """Also forget how it ended."""
        self.restore_count(shell)
        shell.last_execution_result = self.last_result
        shell.last_execution_succeeded = self.last_result is None or bool(self.last_result.success)


class History:
    """Keeps the trailer out of the history, and whole cells that want no history."""

    def __init__(self, core: Core, is_helper: Callable[[], bool]) -> None:
        self._core = core
        self._is_helper = is_helper

    def install(self) -> None:
        """Hook the place where IPython files its inputs."""
        manager = self._core.shell.history_manager
        if manager is not None:
            self._core.seams.replace(manager, "store_inputs", self._store_inputs, self._is_ours)

    def _is_ours(self) -> bool:
        return self._is_helper() or self._core.runs.active is not None

    def _store_inputs(
        self, original: Callable[..., Any], line_num: int, source: str, source_raw: str | None = None
    ) -> None:
        run = self._core.runs.active
        if self._is_helper() or (run is not None and not run.keeps_history):
            return
        if source_raw is not None:
            source_raw = wire.split_trailer(source_raw)[0]
        manager = self._core.shell.history_manager
        self._start_session_if_used(manager, line_num)
        length = len(manager.input_hist_parsed)
        original(line_num, source, source_raw)
        # `exit` and `quit` are not filed.
        if len(manager.input_hist_parsed) > length:
            for entries in (manager.input_hist_parsed, manager.input_hist_raw):
                _move_last(entries, line_num)

    def _start_session_if_used(self, manager: Any, line_num: int) -> None:
        """The history database wants each number once in a session; a client may count from 1 again."""
        if getattr(manager, "enabled", False) and line_num < len(manager.input_hist_parsed):
            manager.writeout_cache()
            manager.new_session()


def _move_last(entries: list[str], number: int) -> None:
    """`entries[number]` becomes the entry that was just appended."""
    if number == len(entries) - 1:
        return
    last = entries.pop()
    entries.extend([""] * (number + 1 - len(entries)))
    entries[number] = last


def unfile(shell: Any, start: str) -> None:
    """Take the cell that begins with `start` out of the history: it was filed before the agent could stop it."""
    manager = shell.history_manager
    if manager is None or not manager.input_hist_raw or not manager.input_hist_raw[-1].startswith(start):
        return
    manager.input_hist_raw.pop()
    manager.input_hist_parsed.pop()
    number = len(manager.input_hist_raw)
    if getattr(manager, "enabled", False):
        manager.writeout_cache()
        with manager.db:
            manager.db.execute("DELETE FROM history WHERE session=? AND line=?", (manager.session_number, number))
    manager._i00, manager._i, manager._ii, manager._iii = manager._i, manager._ii, manager._iii, ""
    shell.user_ns.pop(f"_i{number}", None)
    shell.push({"_i": manager._i, "_ii": manager._ii, "_iii": manager._iii}, interactive=False)
