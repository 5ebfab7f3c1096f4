"""Results, displays and tracebacks: IPython's display hook, display publisher and `_showtraceback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import tracebacks
from .content import clean, error_content
from .core import Core


class Outputs:
    """Hooks that turn what a cell shows into records."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._shell = core.shell

    def install(self) -> None:
        """Hook the shell's display hook, display publisher and traceback printer."""
        shell, seams, wanted = self._shell, self._core.seams, self._core.recording
        hook, publisher = shell.displayhook, shell.display_pub
        seams.replace(hook, "start_displayhook", self._start, wanted)
        seams.replace(hook, "write_output_prompt", self._nothing, wanted)
        seams.replace(hook, "write_format_data", self._result, wanted)
        seams.replace(hook, "finish_displayhook", self._finish, wanted)
        seams.replace(hook, "quiet", self._quiet, wanted)
        seams.replace(publisher, "publish", self._publish, wanted)
        seams.replace(publisher, "clear_output", self._clear, wanted)
        seams.replace(shell, "_showtraceback", self._show_traceback, wanted)
        seams.replace(shell, "_get_exc_info", self._exception, wanted)
        self._offer_all_types()
        self._choose_colors()
        hook._is_active = False

    def _offer_all_types(self) -> None:
        """A terminal shell formats plain text only; a front end wants what there is."""
        formatter = self._shell.display_formatter
        if "text/html" not in formatter.active_types:
            self._core.seams.put(formatter, "active_types", formatter.format_types)

    def _choose_colors(self) -> None:
        """Colours that can be read on light and on dark: a front end has either. IPython 8 takes the lower case too."""
        shell, before = self._shell, self._shell.colors
        shell.colors = "neutral"
        self._core.seams.on_undo(lambda: setattr(shell, "colors", before))

    def _start(self, _original: Callable[..., Any]) -> None:
        # IPython 9 asks this too, before it keeps stream output in its own history.
        self._shell.displayhook._is_active = True

    def _finish(self, _original: Callable[..., Any]) -> None:
        self._shell.displayhook._is_active = False

    def _nothing(self, _original: Callable[..., Any]) -> None:
        return

    def _result(self, _original: Callable[..., Any], data: dict[str, Any], metadata: Any = None) -> None:
        run = self._core.current_run()
        if data:
            self._core.put("result", count=run.count, data=clean(data), metadata=clean(metadata or {}))

    def _quiet(self, original: Callable[..., Any]) -> Any:
        run = self._core.runs.active
        if run is None or run.keeps_history:
            return original()
        # IPython looks for the `;` in the last cell of its history, where this one isn't.
        return self._shell.displayhook.semicolon_at_end_of_expression(run.trailer.get("source", ""))

    def _publish(
        self,
        _original: Callable[..., Any],
        data: Any,
        metadata: Any = None,
        source: Any = None,  # noqa: ARG002 - deprecated in IPython, still passed by position
        *,
        transient: Any = None,
        update: bool = False,
        buffers: Any = None,
        **_: Any,
    ) -> None:
        self._core.put(
            "display",
            data=clean(data),
            metadata=clean(metadata or {}),
            transient=clean(transient or {}),
            update=bool(update),
            buffers=clean(buffers or []),
        )

    def _clear(self, _original: Callable[..., Any], wait: bool = False) -> None:
        self._core.put("clear", wait=bool(wait))

    def _show_traceback(self, original: Callable[..., Any], etype: Any, evalue: Any, stb: Any) -> None:
        if tracebacks.ends_notebook(etype):
            # `dbutils.notebook.exit` is no failure: the host makes the exit value the command's result.
            original(etype, evalue, stb)
            return
        run = self._core.current_run()
        if issubclass(etype, KeyboardInterrupt) and run.error is not None and run.error["ename"] == etype.__name__:
            return  # a second one, while the first was on its way out
        content = error_content(etype, evalue, stb)
        run.fail(content, in_display=bool(self._shell.displayhook._is_active))
        # What `%tb` and the reply of an ipykernel read.
        self._shell._last_traceback = list(stb)
        self._core.put("error", **content)

    def _exception(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        etype, evalue, tb = original(*args, **kwargs)
        if evalue is None:
            return etype, evalue, tb
        interrupt = tracebacks.interrupt_behind(evalue)
        if interrupt is not None:
            etype, evalue, tb = type(interrupt), interrupt, interrupt.__traceback__
        return etype, evalue, tracebacks.without_agent(evalue, tb)
