"""`dbutils.notebook.run`: another notebook in an interpreter of its own."""

import psutil
import pytest
from dbk_local._driver._notebook_source import Cell, NotebookNotFound, NotebookUnsuitable, absolute, cells_of
from dbk_local._notebook_index import NotebookIndex

DEADLINE_S = 60
HEADER = "# Databricks notebook source\n"


def source(*cells):
    return HEADER + "\n\n# COMMAND ----------\n\n".join(cells)


def keep(root, path, text, language="PYTHON"):
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    NotebookIndex(root).add(path, language)


@pytest.fixture
def notebook(driver):
    """Put a notebook into the workspace."""
    return lambda path, *cells: keep(driver.truth.workspace_root, path, source(*cells))


def test_it_has_its_own_names_the_arguments_as_widgets_and_gives_its_exit_value(context, notebook):
    notebook(
        "/a/child",
        "print('unseen')\nassert 'mine' not in globals()",
        "mine = dbutils.widgets.get('x')\ndbutils.widgets.text('x', 'default')",
        "dbutils.notebook.exit(mine + getArgument('x'))",
        "1 / 0",
    )

    assert context.text("mine = 1\ndbutils.notebook.run('/a/child', 60, {'x': 'v'})") == "'vv'"
    assert context.text("mine") == "1"


def test_without_an_exit_it_gives_nothing(context, notebook):
    notebook("/quiet", "1")

    assert context.text("print(dbutils.notebook.run('/Workspace/quiet', 0))") == "None"


def test_relative_paths_and_run_are_of_the_folder_of_the_notebook(context, notebook):
    run = "dbutils.notebook.run('lib/leaf', 60, {'n': name})"
    notebook("/r/parent", "# MAGIC %run ./lib/names", f"dbutils.notebook.exit({run})")
    notebook("/r/lib/names", "name = 'seen'")
    notebook("/r/lib/leaf", "dbutils.notebook.exit(dbutils.widgets.get('n'))")

    assert context.text("dbutils.notebook.run('/r/parent', 60)") == "'seen'"


def test_a_restart_of_its_python_goes_on_with_the_same_widgets(context, notebook):
    notebook(
        "/restarts",
        "old = 1",
        "dbutils.library.restartPython()",
        "dbutils.notebook.exit(dbutils.widgets.get('x') + str('old' in globals()))",
    )

    assert context.text("dbutils.notebook.run('/restarts', 60, {'x': 'kept '})") == "'kept False'"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("'/nope', 60", "FAILED: Unable to access the notebook"),
        ("'/file.py', 60", "FAILED: Unable to access the notebook"),
        ("'/fails', 60", "FAILED: Workload failed"),
        ("'/dies', 60", "FAILED: Workload failed"),
        ("'/scala', 60", "FAILED: Workload failed"),
        ("'/slow', 1", "TIMED_OUT"),
        ("'./relative', 60", "ValueError"),
        ("'/fails', 60, {'n': 1}", "TypeError"),
    ],
)
def test_what_goes_wrong_is_an_error_of_the_cell_that_runs_it(context, driver, notebook, call, said):
    (driver.truth.workspace_root / "file.py").write_text(source("print(1)"))
    notebook("/fails", "def deep():\n    1 / 0\ndeep()")
    notebook("/dies", "import os\nos._exit(3)")
    notebook("/scala", "# MAGIC %scala\n# MAGIC val x = 1")
    notebook("/slow", "import time\ntime.sleep(1000)")

    refused = context.run(f"dbutils.notebook.run({call})")

    assert refused["resultType"] == "error"
    assert said in refused["summary"]


def test_the_error_has_the_traceback_of_the_notebook_as_a_note(context, notebook):
    notebook("/noted", "def deep():\n    1 / 0\ndeep()")
    code = "try: dbutils.notebook.run('/noted', 60)\nexcept Exception as error: print(error.__notes__)"

    assert "ZeroDivisionError" in context.text(code)


def test_threads_run_notebooks_at_once(context, notebook, tmp_path):
    for own, other in (("a", "b"), ("b", "a")):
        meet = (
            f"import os, time\nopen({str(tmp_path / own)!r}, 'w').close()\n"
            f"while not os.path.exists({str(tmp_path / other)!r}): time.sleep(0.01)"
        )
        notebook(f"/both/{own}", meet, f"dbutils.notebook.exit({own!r})")
    code = (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n"
        "    print(*pool.map(lambda name: dbutils.notebook.run('/both/' + name, 100), 'ab'))"
    )

    assert context.text(code) == "a b"


@pytest.mark.parametrize("end", ["cancel", "destroy"])
@pytest.mark.parametrize("calls", ["main thread", "other thread"])
def test_it_ends_with_the_command_that_runs_it(driver, notebook, tmp_path, wait_until, gone, end, calls):
    sign = tmp_path / "pid"
    notebook("/endless", f"import os, time\nopen({str(sign)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)")
    context = driver.context()
    code = "dbutils.notebook.run('/endless', 0)"
    if calls == "other thread":
        code = f"import threading, time\nthreading.Thread(target=lambda: {code}).start()\ntime.sleep(1000)"
    running = context.start(code)
    wait_until(lambda: sign.exists() and sign.read_text() != "")
    pid = int(sign.read_text())
    assert psutil.pid_exists(pid)

    getattr(context, end)()

    gone(pid)
    if end == "cancel":
        assert running.result(DEADLINE_S).results["cause"].startswith("com.databricks")
        assert context.text("1") == "1"
        context.destroy()
    else:
        assert running.exception(DEADLINE_S) is not None


def test_cells_of_every_kind_become_commands(tmp_path):
    tree = tmp_path / "tree"
    keep(tree, "/inner", source("b = 2"))
    keep(
        tree,
        "/all",
        source(
            "a = 1",
            "# MAGIC %md\n# MAGIC # Title",
            "# MAGIC %sql\n# MAGIC SELECT 1",
            "# MAGIC %sh ls",
            "# MAGIC %fs ls '/a b'",
            "# MAGIC %pip install x",
            "# MAGIC %run ./inner",
            "# MAGIC %r x",
        ),
    )
    query = [
        "-- Databricks notebook source",
        "SELECT 2",
        "",
        "-- COMMAND ----------",
        "-- MAGIC %python",
        "-- MAGIC c = 3",
    ]
    keep(tree, "/query", "\n".join(query), "SQL")

    found = [(cell.language, cell.text.strip()) for cell in cells_of(tree, "/all")]

    assert found == [
        ("python", "a = 1"),
        ("sql", "SELECT 1"),
        ("python", "%%sh\nls"),
        ("python", "dbutils.fs.ls(*['/a b'])"),
        ("python", "%pip install x"),
        ("python", "b = 2"),
        ("r", "x"),
    ]
    assert list(cells_of(tree, "/query")) == [Cell("sql", "SELECT 2"), Cell("python", "\nc = 3")]


def test_a_notebook_that_runs_itself_and_one_that_is_not_there_are_refused(tmp_path):
    tree = tmp_path / "tree"
    keep(tree, "/self", source("# MAGIC %run ./self"))
    keep(tree, "/lost", source("# MAGIC %run ../nope"))

    with pytest.raises(NotebookUnsuitable, match="20 levels"):
        list(cells_of(tree, "/self"))
    with pytest.raises(NotebookNotFound, match=r"^/nope$"):
        list(cells_of(tree, "/lost"))


def test_paths_have_one_form():
    assert absolute("../b", "/a/c") == "/a/b"
    assert absolute("/Workspace/a//b/", None) == "/a/b"
    assert absolute("/../../etc/passwd", None) == "/etc/passwd"
    assert absolute("b", None) is None
