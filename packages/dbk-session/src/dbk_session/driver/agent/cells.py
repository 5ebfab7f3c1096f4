"""From the trailer to the frame: what happens before and after each cell.

IPython's events lead: the first input transformer takes the trailer off and arms the run, `pre_run_cell` starts it, and
when all callbacks of `post_run_cell` are through it ends. A transformer may be called twice for one cell and an event
may come without its counterpart (ipykernel and empty cells do that), so each step asks whether it is this run's turn.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from .. import wire  # noqa: TID252 - the package has another name on the driver
from .content import clean, error_content
from .core import Core
from .history import History, Mark
from .interrupts import deaf
from .payloads import Payloads
from .report import frame_of, live
from .runs import Run
from .tracebacks import without_agent
from .traceless import Traceless
from .verdict import error_of, status_of


class Around(Protocol):
    """Something that is on for the time of a run."""

    def begin(self, run: Run) -> None:
        """Before the first statement."""

    def end(self, run: Run) -> None:
        """After the last; may be called twice."""


class Cells:
    """The course of one cell at a time."""

    def __init__(self, core: Core, traceless: Traceless, payloads: Payloads, print_line: Callable[[str], None]) -> None:
        self._core = core
        self._shell = core.shell
        self._traceless = traceless
        self._payloads = payloads
        self._print = print_line
        self._history = History(core, lambda: traceless.active)
        self._pending: Run | None = None
        self._mark: Mark | None = None
        self._info: Any = None
        self._expressions: dict[str, Any] = {}
        self._interactivity: str | None = None
        # In the order in which they begin; they end in reverse.
        self.around: dict[str, Around] = {}
        # What the start record says besides the count.
        self.details: Callable[[Run], dict[str, Any]] = lambda _: {}
        # What is told that it is over.
        self.after: list[Callable[[], None]] = []

    def install(self) -> None:
        """Hook the transformers, the events and the history."""
        shell, seams = self._shell, self._core.seams
        transforms = shell.input_transformer_manager.cleanup_transforms
        transforms.insert(0, self.transform)
        seams.on_undo(lambda: transforms.remove(self.transform))
        shell.ast_transformers.insert(0, self)
        seams.on_undo(lambda: shell.ast_transformers.remove(self))
        seams.replace(shell.events, "trigger", self._trigger, lambda: True)
        self._history.install()

    def transform(self, lines: list[str]) -> list[str]:
        """Take the trailer off a cell and arm its run; everything else passes as it is."""
        text = "".join(lines)
        if self._traceless.is_helper(text):
            self._traceless.begin()
            return lines
        if wire.TRAILER not in text:
            return lines
        code = self._core.seams.attempt("the trailer", lambda: self._arm(text), text)
        # IPython gives its transformers whole lines.
        return list((code if code.endswith("\n") else code + "\n").splitlines(keepends=True))

    def visit(self, node: ast.AST) -> ast.AST:
        """An AST transformer: a run that is blocked has no statements."""
        run = self._core.runs.active
        if run is not None and run.blocked and isinstance(node, ast.Module):
            return ast.Module(body=[], type_ignores=[])
        return node

    def _arm(self, text: str) -> str:
        """Remember what the trailer asks for; the code to run."""
        code, trailer = wire.split_trailer(text)
        if trailer is None:
            return text
        refusal = self._refusal(str(trailer.get("run", "")))
        self._pending = None
        if refusal:
            self._traceless.begin(lambda: self._print(self._frame("refused", **refusal)))
            return ""
        self._mark = Mark.of(self._shell)
        wanted = trailer.get("count")
        if wanted:
            self._shell.execution_count = int(wanted)
        if not code.strip():
            # IPython passes such a cell over, without a number; it has seen the trailer in this one.
            trailer["store_history"] = False
        self._pending = Run(trailer["run"], {**trailer, "source": code})
        self._pending.count = self._shell.execution_count
        return code

    def _refusal(self, run_id: str) -> dict[str, Any]:
        """Why a run with this id cannot be, or nothing."""
        runs = self._core.runs
        if not wire.RUN_ID.fullmatch(run_id):
            return {"run": run_id, "reason": "bad-trailer", "state": "never"}
        if runs.was_started(run_id):
            run = runs.get(run_id)
            return {"run": run_id, "reason": "started", "state": run.state if run else "done"}
        return {}

    def _trigger(self, original: Callable[..., Any], event: str, *args: Any, **kwargs: Any) -> None:
        if self._traceless.active:
            self._traceless.trigger(event, *args, **kwargs)
            return
        if event == "pre_run_cell":
            self._guarded(self._start, args[0] if args else None)
        original(event, *args, **kwargs)
        if event == "post_run_cell":
            self._guarded(self._end, args[0] if args else None)

    def _guarded(self, step: Callable[[Any], None], argument: Any) -> None:
        """Do a step; when it fails, the run is given up and the host has its interpreter back."""
        try:
            step(argument)
        except Exception as error:
            run = self._core.runs.active
            if run is not None:
                self._switch_off(run)
                self._core.runs.finish(run, "error")
            self._core.report(f"a cell was not recorded to its end: {type(error).__name__}: {error}")

    def _start(self, info: Any) -> None:
        run = self._pending
        if run is None or not _carries(info, run):
            return
        self._pending, self._info = None, info
        info.raw_cell = run.trailer["source"]
        core = self._core
        core.runs.start(run)
        try:
            core.scribe.put(run, "start", count=run.count, **core.seams.attempt("Spark", lambda: self.details(run), {}))
            core.say_the_rest()
            # As an ipykernel does: what an earlier cell left here is not this one's.
            self._shell._last_traceback = None
            if run.silent:
                self._interactivity, self._shell.ast_node_interactivity = self._shell.ast_node_interactivity, "none"
            for name, part in self.around.items():
                core.seams.attempt(name, partial(part.begin, run))
        except KeyboardInterrupt as interrupt:
            # Too early for IPython to see it; the event manager would swallow it and run the cell.
            run.fail(error_content(KeyboardInterrupt, interrupt, ["KeyboardInterrupt: "]))
            core.scribe.put(run, "error", **(run.error or {}))
            run.blocked = True

    def _end(self, result: Any) -> None:
        run = self._core.runs.active
        if run is None or not self._is_end(result, run):
            return
        status = status_of(run, result)
        if status == "ok":
            self._expressions = self._core.seams.attempt("user expressions", lambda: self._evaluate(run), {})
        while run.state != "done":
            # The cell is over. An interrupt that comes now is too late, and must not cost the end of the record.
            try:
                with deaf():
                    self._finish(run, status, result)
            except KeyboardInterrupt:
                continue

    def _is_end(self, result: Any, run: Run) -> bool:
        """An empty cell, run from within this one, ends without having begun."""
        info = getattr(result, "info", None)
        return info is None or info is self._info or _carries(info, run)

    def _evaluate(self, run: Run) -> dict[str, Any]:
        expressions = run.trailer.get("expressions") or {}
        with self._shell.builtin_trap:
            return dict(clean(self._shell.user_expressions(expressions))) if expressions else {}

    def _finish(self, run: Run, status: str, result: Any) -> None:
        core = self._core
        self._switch_off(run)
        payloads = core.seams.attempt("payloads", self._payloads.take, [])
        unseen = getattr(result, "error_in_exec", None)
        if run.error is None and isinstance(unseen, KeyboardInterrupt):
            # A second interrupt came while IPython made the traceback of the first, which it gave up then.
            plain = error_content(KeyboardInterrupt, unseen, ["KeyboardInterrupt: "])
            run.fail(core.seams.attempt("the traceback", lambda: self._interrupt(unseen), plain))
            core.scribe.put(run, "error", **(run.error or {}))
        core.scribe.put(
            run,
            "done",
            count=run.count,
            status=status,
            expressions=self._expressions,
            payload=payloads,
            error=error_of(run, status, result, self._shell),
            live=core.seams.attempt("counting what goes on", lambda: live(core, run), 0),
        )
        core.scribe.flush()
        if not run.keeps_history and self._mark is not None:
            self._mark.restore_count(self._shell)
        self._expressions, self._info = {}, None
        frame = core.seams.attempt("the frame", lambda: frame_of(core, run, status))
        if frame is not None:
            self._print(frame)
        core.runs.finish(run, status)
        for action in self.after:
            core.seams.attempt("what follows a cell", action)

    def _interrupt(self, error: KeyboardInterrupt) -> dict[str, Any]:
        tb = without_agent(error, error.__traceback__)
        lines = self._shell.InteractiveTB.structured_traceback(type(error), error, tb, tb_offset=1)
        return error_content(type(error), error, lines)

    def _switch_off(self, run: Run) -> None:
        for name, part in reversed(self.around.items()):
            self._core.seams.attempt(name, partial(part.end, run))
        if self._interactivity is not None:
            self._shell.ast_node_interactivity, self._interactivity = self._interactivity, None

    def _frame(self, kind: str, **content: Any) -> str:
        return wire.make_frame({"kind": kind, "nonce": self._core.nonce, **content})


def _carries(info: Any, run: Run) -> bool:
    """Whether this cell is the one that came with the run's trailer."""
    trailer = wire.split_trailer(getattr(info, "raw_cell", ""))[1]
    return trailer is not None and trailer.get("run") == run.id
