"""Line magics that Databricks adds to IPython."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dbk_local._driver._environment import ContextEnvironment

if TYPE_CHECKING:
    from dbk_local._driver._dbutils import DbUtils
    from dbk_local._driver._shell import CommandShell

# Allowed range of the output limit, in MB (docs: known limitations of notebooks).
_MIN_MB, _MAX_MB = 1, 20


def register_magics(shell: CommandShell, dbutils: DbUtils, environment: ContextEnvironment) -> None:
    """Make `%pip`, `%restart_python` and `%set_cell_max_output_size_in_mb` what they are on Databricks."""

    def pip(line: str) -> None:
        """Install packages for this context only."""
        environment.pip(shlex.split(line))

    def restart_python(line: str) -> None:  # noqa: ARG001 - a magic takes its line
        """Replace Python by a fresh one."""
        dbutils.library.restartPython()

    def set_cell_max_output_size_in_mb(line: str) -> None:
        """Set how much output later commands may have."""
        size = int(line)
        if not _MIN_MB <= size <= _MAX_MB:
            raise ValueError(f"the output size must be {_MIN_MB} to {_MAX_MB} MB, not {size}")
        shell.output_cap_mb = size

    for magic in (pip, restart_python, set_cell_max_output_size_in_mb):
        shell.register_magic_function(magic, "line", magic.__name__)
