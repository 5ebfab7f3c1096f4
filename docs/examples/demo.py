"""Run the quick-start notebook on an embedded Databricks workspace, and show it as it runs.

    python docs/examples/demo.py [--output FILE] [NOTEBOOK]

Starts the workspace, lets the installed "Databricks Session" kernel run every cell on its cluster, prints each cell and
its output as it comes, and writes the executed notebook. Exit status 1 when a cell failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

import nbformat
from dbk_local import Workspace
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

QUICKSTART = Path(__file__).resolve().parent / "quickstart" / "quickstart.ipynb"
CELL_TIMEOUT_S = 600


class Narrator(NotebookClient):
    """A notebook client that prints what it runs and what comes back, at once."""

    async def async_execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        if cell.cell_type == "code":
            print("\n" + "\n".join(f">>> {line}" for line in cell.source.splitlines()), flush=True)
        elif cell.cell_type == "markdown":
            print("\n" + cell.source, flush=True)
        return await super().async_execute_cell(cell, cell_index, **options)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        narrate(msg["msg_type"], msg["content"])
        return super().process_message(msg, cell, cell_index)


def narrate(kind: str, content: dict[str, Any]) -> None:
    """Print one output message the way a terminal can show it."""
    if kind == "stream":
        print(content["text"], end="", flush=True)
    elif kind in ("display_data", "execute_result"):
        data = content["data"]
        image = next((mime for mime in data if mime.startswith("image/")), None)
        print(f"[{image}: open the executed notebook to see it]" if image else data.get("text/plain", ""), flush=True)
    elif kind == "error":
        print("\n".join(content["traceback"]), flush=True)


def run(notebook: Path, output: Path) -> bool:
    """Run the notebook in its own folder and write it with its outputs; false when a cell failed."""
    book = nbformat.read(notebook, as_version=4)
    client = Narrator(
        book, kernel_name="databricks", timeout=CELL_TIMEOUT_S, resources={"metadata": {"path": str(notebook.parent)}}
    )
    try:
        client.execute()
    except CellExecutionError:
        return False
    finally:
        nbformat.write(book, output)
    return True


def only_this_workspace(variables: dict[str, str]) -> None:
    """Point every Databricks client of this process and its children at the embedded workspace alone."""
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "DBK_"))]:
        del os.environ[name]
    os.environ.update(variables, DATABRICKS_CONFIG_FILE=os.devnull)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", nargs="?", type=Path, default=QUICKSTART, metavar="NOTEBOOK")
    parser.add_argument("--output", type=Path, help="where the executed notebook goes (default: here)", metavar="FILE")
    options = parser.parse_args()
    output = options.output or Path.cwd() / f"{options.notebook.stem}.executed.ipynb"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("Starting an embedded Databricks workspace ...", flush=True)
    with Workspace() as workspace:
        print(f"{workspace.host}, cluster {workspace.cluster_id}; the first Spark cell also starts Java", flush=True)
        only_this_workspace(workspace.env())
        done = run(options.notebook.resolve(), output)
    print(f"\n{'Done' if done else 'A cell failed'}. The executed notebook: {output}\n\nNext:")
    print("  .venv/bin/hatch run jupyter:lab    open it in JupyterLab, on an embedded workspace")
    print("  or set DATABRICKS_HOST, DATABRICKS_TOKEN and DATABRICKS_CLUSTER_ID, run `jupyter lab`,")
    print('  and choose the kernel "Databricks Session" to run it on a real cluster.')
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
