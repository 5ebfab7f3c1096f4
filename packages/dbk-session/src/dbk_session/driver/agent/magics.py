"""Databricks magics: `%sql`, `%sh`, `%fs`, `%md`, `%python` at the top of a cell, and `%run` of a notebook.

A notebook on Databricks writes them with one `%` above the rest of the cell; here they become IPython cell magics
before IPython looks at the cell. What is on their line moves into the body, where no `{}` or `$` is expanded.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import partial
from typing import Any

from . import rich
from .core import Core
from .notebook_source import strip_magic
from .shell_command import SHELL_CELL, run_shell
from .sql import split_statements

_FIRST = re.compile(r"%(sql|sh|fs|md|md-sandbox|python|scala|r)(?:[ \t]+(.*))?$", re.DOTALL)
_LANGUAGES = ("scala", "r")


class Magics:
    """The magics and the transformer that leads to them."""

    def __init__(self, core: Core, display: Callable[..., Any]) -> None:
        self._core = core
        self._shell = core.shell
        self._display = display
        # Whoever can run another language from here registers for it: name -> function of the cell's text.
        self.languages: dict[str, Callable[[str], Any]] = {}
        self._given = {name: self._shell.user_ns.get(name) for name in ("spark", "dbutils")}
        self._own = {"sql": self._sql, "fs": self._fs, "md": self._md}

    def install(self) -> None:
        """Register the magics, and the transformer behind the one that takes off the trailer."""
        from IPython.core.magic import no_var_expand

        register = self._shell.register_magic_function
        for name, function in self._own.items():
            register(no_var_expand(_line_cell(function)), "line_cell", name)
        cells: dict[str, tuple[Callable[[str], Any], str]] = {
            "md-sandbox": (self._md, "Show Markdown."),
            SHELL_CELL: (run_shell, "What `%sh` at the top of a cell runs: a script for bash."),
            **{
                name: (partial(self._language, name), f"Run the cell as {name.capitalize()}, as the client does it.")
                for name in _LANGUAGES
            },
        }
        for name, (run, about) in cells.items():
            register(no_var_expand(_cell(run, about)), "cell", name)
        transforms = self._shell.input_transformer_manager.cleanup_transforms
        transforms.insert(0, self.transform)
        self._core.seams.on_undo(lambda: transforms.remove(self.transform))

    def transform(self, lines: list[str]) -> list[str]:
        """A cell that starts with a Databricks magic as the IPython cell magic that does it."""
        changed = self._core.seams.attempt("Databricks magics", lambda: self._rewrite(lines), lines)
        return list(changed)

    def _rewrite(self, lines: list[str]) -> list[str]:
        text = "".join(lines)
        plain = strip_magic(text)
        if plain != text:
            lines = plain.splitlines(keepends=True)
        at = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
        found = _FIRST.match(lines[at].rstrip()) if at is not None else None
        if at is None or found is None or not self._is_ours(found[1]):
            return lines
        name, rest = found[1], found[2] or ""
        if name == "python":
            return [*lines[:at], rest + "\n", *lines[at + 1 :]]
        magic = SHELL_CELL if name == "sh" else name
        return [f"%%{magic}\n", rest + "\n", *lines[at + 1 :]]

    def _is_ours(self, name: str) -> bool:
        """An extension of the user's that has a line magic of this name (jupysql, say) keeps it."""
        function = self._shell.magics_manager.magics["line"].get(name)
        return function is None or name not in self._own or getattr(function, "dbk", False)

    def _runtime(self, name: str) -> Any:
        """What the runtime calls so: the user's name for it, or, after `%reset` has taken that, what it was given."""
        return self._shell.user_ns.get(name, self._given[name])

    def _sql(self, text: str, *, show: bool = True) -> Any:
        """Run statements; the last result is `_sqldf`."""
        frame = None
        for statement in split_statements(text):
            frame = self._runtime("spark").sql(statement)
        if frame is None:
            return None
        self._shell.push({"_sqldf": frame}, interactive=False)
        if not show:
            return frame
        if len(frame.columns):
            self._display(frame)
        else:
            print("OK")
        return None

    def _fs(self, text: str, *, show: bool = True) -> Any:
        """One `dbutils.fs` command a line."""
        answer = None
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                answer = self._fs_command(words)
                if show:
                    self._show(answer)
        return None if show else answer

    def _fs_command(self, words: list[str]) -> Any:
        command, *arguments = words
        recursive = [word for word in arguments if word in ("-r", "--recursive", "--recurse")]
        values: list[Any] = [word for word in arguments if word not in recursive]
        if command == "ls" and not values:
            values = ["/"]
        if recursive:
            values.append(True)
        return getattr(self._runtime("dbutils").fs, command)(*values)

    def _show(self, answer: Any) -> None:
        if isinstance(answer, str):
            print(answer)
        elif answer is not None:
            self._display(answer)

    def _md(self, text: str, *, show: bool = True) -> None:  # noqa: ARG002 - there is nothing but to show it
        """Show Markdown."""
        rich.display(rich.markdown(text.strip("\n")))

    def _language(self, name: str, text: str) -> Any:
        from IPython.core.error import UsageError

        if name not in self.languages:
            raise UsageError(f"%{name} cells are not run by Python; the client has to send them as {name} commands.")
        return self.languages[name](text)


def _cell(function: Callable[[str], Any], about: str) -> Callable[[str, str], Any]:
    """A cell magic; what is on its line is the first line of the cell."""

    def magic(line: str, cell: str) -> Any:
        return function(f"{line}\n{cell}" if line else cell)

    magic.__doc__ = about
    return magic


def _line_cell(function: Callable[..., Any]) -> Callable[..., Any]:
    """A line magic gives its value, as `df = %sql SELECT 1` wants it; a cell magic shows it."""

    def magic(line: str, cell: str | None = None) -> Any:
        if cell is None:
            return function(line, show=False)
        return function(f"{line}\n{cell}" if line else cell)

    magic.__doc__ = function.__doc__
    magic.dbk = True  # type: ignore[attr-defined]
    return magic
