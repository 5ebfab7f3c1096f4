"""What ipykernel's shell has and a plain IPython has not: its line magics, `exit(keep_kernel)`, a debugger that stops.

A context of Databricks runs an ipykernel; where a host is another shell, code should not notice. What is there stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import rich
from .core import Core

_STORE = "IPython.extensions.storemagic"
_NO_EDITOR = (
    "%edit has no editor here: the file is on the driver, and the front end is not. "
    "`%load FILE` brings a file, `%load -s NAME FILE` a function of it, into a cell."
)


class ShellMagics:
    """Registers what is missing."""

    def __init__(self, core: Core) -> None:
        self._shell = core.shell
        self._seams = core.seams

    def install(self) -> None:
        """Add the magics that the shell has not, and the two that mean something else beside a cluster."""
        present = self._shell.magics_manager.magics["line"]
        missing = {
            "less": self.less,
            "more": self.less,
            "man": self.man,
            "clear": self.clear,
            "autosave": self.autosave,
        }
        for name, function in missing.items():
            if name not in present:
                self._shell.register_magic_function(_magic(function), "line", name)
        for name in ("edit", "ed"):
            self._shell.register_magic_function(_magic(self.edit), "line", name)
        if "store" not in present and hasattr(self._shell.magics_manager, "register_lazy"):
            # Loaded when it is used: it opens a database in the driver's home.
            self._shell.magics_manager.register_lazy("store", _STORE)
        self._seams.attempt("pdb", self._debugger)
        self._seams.attempt("exit", self._exit)

    def less(self, line: str) -> None:
        """Show a file of the driver in the pager."""
        from IPython.core import page
        from IPython.core.error import UsageError
        from IPython.utils import openpy

        if not line:
            raise UsageError("Missing filename.")
        if line.endswith(".py"):
            text = self._shell.pycolorize(openpy.read_py_file(line, skip_encoding_cookie=False))
        else:
            with open(line, encoding="utf-8", errors="replace") as file:
                text = file.read()
        page.page(text)

    def man(self, line: str) -> None:
        """Show a manual page of the driver in the pager."""
        from IPython.core import page

        page.page(self._shell.getoutput(f"man {line} | col -b", split=False))

    def clear(self, line: str) -> None:  # noqa: ARG002 - as ipykernel's
        """Clear the terminal."""
        self._shell.system("clear")

    def autosave(self, line: str) -> None:
        """Set how often a classic notebook saves itself, in seconds; 0 for never."""
        from IPython.core.error import UsageError

        try:
            seconds = int(line)
        except ValueError:
            raise UsageError(f"%autosave requires an integer, got {line!r}") from None
        script = f"IPython.notebook.set_autosave_interval({1000 * seconds})"
        rich.display({"application/javascript": script}, raw=True)
        print(f"Autosaving every {seconds} seconds" if seconds else "Autosave disabled")

    def edit(self, line: str) -> None:  # noqa: ARG002 - whatever it names
        """Refuse: no editor of the user's machine can open a file of the driver."""
        from IPython.core.error import UsageError

        raise UsageError(_NO_EDITOR)

    def _debugger(self) -> None:
        """`pdb.set_trace` and `breakpoint` as in an ipykernel: with colours and context, and an interrupt ends them."""
        import pdb

        from IPython.core import debugger

        if pdb.Pdb.__module__ != "pdb" or not hasattr(debugger, "InterruptiblePdb"):
            return
        self._seams.put(debugger, "Pdb", debugger.InterruptiblePdb)
        self._seams.put(pdb, "Pdb", debugger.InterruptiblePdb)
        self._seams.put(pdb, "set_trace", debugger.set_trace)

    def _exit(self) -> None:
        """`exit(keep_kernel=True)` for shells whose `exit` takes nothing."""
        from IPython.core.autocall import ExitAutocall, ZMQExitAutocall

        shell, before = self._shell, self._shell.exiter
        if type(before) is not ExitAutocall:
            return
        made: Any = ZMQExitAutocall(shell)  # type: ignore[no-untyped-call]
        self._take(before, made)
        self._seams.on_undo(lambda: self._take(made, before))

    def _take(self, old: Any, new: Any) -> None:
        self._shell.exiter = new
        names = [name for name in ("exit", "quit") if self._shell.user_ns.get(name) is old]
        self._shell.push(dict.fromkeys(names, new), interactive=False)


def _magic(function: Callable[[str], None]) -> Callable[[str], None]:
    """A plain function: a bound method takes no attributes, and IPython sets some."""

    def magic(line: str) -> None:
        function(line)

    magic.__doc__ = function.__doc__
    return magic
