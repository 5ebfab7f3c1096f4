"""The IPython shell of a context.

All behaviour sits in IPython's own seams (`displayhook`, `display_pub`, `_showtraceback`): a client that replaces one
of them gets what it would get from the IPython kernel of a Databricks runtime.
"""

from __future__ import annotations

import builtins
import getpass
import sys
from typing import Any, NoReturn

import IPython
from traitlets.config import Config

from dbk_local._driver._emitted import Emitted
from dbk_local._driver._flow import EndOfCommand
from dbk_local._driver._ipython import (
    CachingCompiler,
    DisplayHook,
    DisplayPublisher,
    InteractiveShell,
    StdinNotImplementedError,
)
from dbk_local._driver._own_frames import cut_own_end
from dbk_local._seam import Truth


class CommandCompiler(CachingCompiler):  # type: ignore[misc]  # IPython is untyped here
    """Names cells as Databricks does for code that comes through the API: `<command--1>`, `<command--2>` ..."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002
        return f"<command--{len(self._filename_map) + 1}>"

    def format_code_name(self, name: str) -> tuple[str, str] | None:
        return ("File", name) if name in self._filename_map else None


class CommandDisplayHook(DisplayHook):  # type: ignore[misc]  # as above
    """The value of a last expression: HTML and figures replace the text, anything else is printed."""

    def write_output_prompt(self) -> None:
        if self.shell.truth.out_prefix:
            sys.stdout.write(f"Out[{self.prompt_count}]: ")

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        if self.shell.emitted.add_bundle(format_dict, self.shell.truth.figures):
            return
        text = format_dict.get("text/plain")
        if text is not None:
            # The first line of a long value keeps its column, as IPython does it.
            print("\n" + text if "\n" in text and self.shell.truth.out_prefix else text)


class CommandDisplayPublisher(DisplayPublisher):  # type: ignore[misc]  # as above
    """What `IPython.display.display` shows."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        if not self.shell.emitted.add_bundle(data, self.shell.truth.figures) and "text/plain" in data:
            print(data["text/plain"])

    def clear_output(self, wait: bool = False) -> None:  # noqa: ARG002
        self.shell.emitted.html = None
        self.shell.emitted.images.clear()


class CommandShell(InteractiveShell):  # type: ignore[misc]  # as above
    """One interpreter; `emitted` belongs to the running command, `truth` says what the workspace is like."""

    compiler_class = CommandCompiler
    emitted: Emitted
    truth: Truth

    def __init__(self, truth: Truth, **kwargs: Any) -> None:
        self.truth = truth
        self.emitted = Emitted()
        self.output_cap_mb: int | None = None
        self.secrets_read: set[str] = set()
        super().__init__(
            config=_config(),
            displayhook_class=CommandDisplayHook,
            display_pub_class=CommandDisplayPublisher,
            **kwargs,
        )
        builtins.input = self._no_input  # type: ignore[assignment]  # never returns
        getpass.getpass = self._no_input

    def init_sys_modules(self) -> None:
        super().init_sys_modules()
        sys.modules["__main__"] = self.user_module

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        etype, value, traceback = super()._get_exc_info(exc_tuple)
        if isinstance(value, KeyboardInterrupt):
            cut_own_end(traceback)
        return etype, value, traceback

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        if isinstance(self._get_exc_info(exc_tuple)[1], EndOfCommand):
            return
        super().showtraceback(exc_tuple, *args, **kwargs)

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.emitted.error = {
            "name": etype.__name__,
            "message": str(evalue),
            "traceback": [str(line) for line in stb],
            "summary": None,
        }

    def enable_gui(self, gui: str | None = None) -> None:
        """Accept and ignore: a driver has no screen."""

    def ask_exit(self) -> None:
        """Accept `exit` and `quit`, which have nothing to leave here."""

    @staticmethod
    def _no_input(prompt: str = "", *_args: object, **_kwargs: object) -> NoReturn:  # noqa: ARG004
        raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def _config() -> Config:
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    # IPython 9 spells its themes in lower case, and warns about the old spelling.
    config.InteractiveShell.colors = "linux" if IPython.version_info[0] >= 9 else "Linux"
    config.InteractiveShell.separate_out = ""
    return config
