"""`%run ./other`: the cells of another notebook or file, in this namespace."""

from __future__ import annotations

import ast
import inspect
import json
import linecache
import os
import shlex
from typing import Any

from .core import Core
from .notebook_source import Cell, is_notebook, split_cells, strip_magic


class NotebookRunner:
    """Takes over `%run` for notebooks, and leaves ordinary scripts and options to IPython."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._shell = core.shell
        self._ordinary: Any = None
        # Folders of the notebooks that run just now: a path is relative to the innermost.
        self._folders: list[str] = []

    def install(self) -> None:
        """Register our `%run` in place of IPython's."""
        from IPython.core.magic import no_var_expand

        self._ordinary = self._shell.find_line_magic("run")

        def run(line: str) -> Any:  # a bound method takes no attributes
            return self.run(line)

        run.__doc__ = f"{self.run.__doc__}\n\n{self._ordinary.__doc__ or ''}"
        self._shell.register_magic_function(no_var_expand(run), "line", "run")
        self._core.seams.on_undo(lambda: self._shell.register_magic_function(self._ordinary, "line", "run"))

    def run(self, line: str) -> Any:
        """Run a notebook inline, `%run ./folder/notebook $name="value"`; anything else is IPython's `%run`."""
        path = None if line.lstrip().startswith("-") else self._find(line)
        if path is None:
            return self._ordinary(self._shell.var_expand(line))
        for name, value in _parameters(line).items():
            dbutils = self._shell.user_ns.get("dbutils")
            if dbutils is not None:
                dbutils.widgets.text(name, value)
        self._folders.append(os.path.dirname(path))
        try:
            for number, cell in enumerate(_cells(path), 1):
                self._run_cell(cell, path if path.endswith(".py") else f"{path}#cell{number}")
        finally:
            self._folders.pop()
        return None

    def _find(self, line: str) -> str | None:
        """The notebook that the line names; None when it is an ordinary script, or not there and looks like one."""
        words = shlex.split(line)
        if not words:
            return None
        name = os.path.expanduser(words[0])
        base = self._folders[-1] if self._folders else os.getcwd()
        places = [os.path.normpath(os.path.join(base, name))]
        if name.startswith("/"):
            places.append("/Workspace" + name)
        for place in places:
            for path in (place, place + ".py", place + ".ipynb"):
                if os.path.isfile(path):
                    return None if path == place and _is_script(path) else path
        if os.path.splitext(name)[1] in (".py", ".ipynb", ".ipy"):
            return None
        from IPython.core.error import UsageError

        raise UsageError(f"%run: there is no notebook {name!r} (nor .py, nor .ipynb) in {base}")

    def _run_cell(self, cell: Cell, filename: str) -> None:
        shell = self._shell
        # The empty lines in front make the numbers in a traceback those of the file.
        source = "\n" * (cell.line - 1) + shell.transform_cell(cell.source)
        if not os.path.exists(filename):
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        tree = ast.parse(source, filename)
        flags = shell.compile.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
        # Running the user's own notebook in the user's own namespace is what they asked for.
        value = eval(code, shell.user_ns)  # noqa: S307
        if inspect.iscoroutine(value):
            shell.loop_runner(value)


def _is_script(path: str) -> bool:
    if not path.endswith(".py"):
        return not path.endswith(".ipynb")
    with open(path, encoding="utf-8", errors="replace") as file:
        return not is_notebook(file.readline())


def _cells(path: str) -> list[Cell]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return [Cell(strip_magic(source if isinstance(source, str) else "".join(source)), 1) for source in sources]
    return split_cells(text) if is_notebook(text) else [Cell(text, 1)]


def _parameters(line: str) -> dict[str, str]:
    """`$name="value"` after the path."""
    words = [word[1:] for word in shlex.split(line)[1:] if word.startswith("$") and "=" in word]
    return {name: value for name, _, value in (word.partition("=") for word in words)}
