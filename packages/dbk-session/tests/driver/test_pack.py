"""The bootstrap: one text made of readable modules that need nothing but the standard library and IPython."""

import ast
import sys
from pathlib import Path

import dbk_session.driver as package
import pytest
from dbk_session.driver import bootstrap, control_bootstrap, wire

FOLDER = Path(package.__file__).parent
SHIPPED = sorted([*FOLDER.glob("agent/*.py"), *FOLDER.glob("control/*.py"), FOLDER / "wire.py", FOLDER / "_unpack.py"])
# What a module of the user's interpreter may be asked for, inside a function and only where it is there already.
OPTIONAL = {"IPython", "comm"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_shipped_modules_need_only_the_standard_library(path):
    tree = ast.parse(path.read_text("utf-8"))
    top_level = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module.partition(".")[0]]
        else:
            continue
        for name in names:
            assert name in sys.stdlib_module_names or (name in OPTIONAL and id(node) not in top_level), name


def test_the_texts_are_small_and_always_the_same():
    assert bootstrap() == bootstrap()
    assert len(bootstrap()) < 100_000
    assert len(control_bootstrap()) < 40_000
    assert bootstrap(display_rows=5) != bootstrap()


def test_the_command_is_one_statement_without_a_value_and_with_no_user_text():
    (statement,) = ast.parse(bootstrap(spool_root="'); import os; ('")).body

    assert isinstance(statement, ast.Expr)
    assert "import os" not in bootstrap(spool_root="'); import os; ('")


def test_the_version_is_that_of_the_content(driver):
    assert driver.hello["version"] in bootstrap()
    assert driver.hello["version"] in bootstrap(display_rows=5)
    assert driver.hello["version"] not in control_bootstrap()


def test_nothing_is_left_in_the_users_namespace(make_driver):
    names = "print(sorted(globals()))"
    without = make_driver(install=False)
    expected = without.host.command(names)
    driver = make_driver()

    assert set(ast.literal_eval(driver.host.command(names))) - set(ast.literal_eval(expected)) <= {
        "display",
        "displayHTML",
    }


def test_the_agents_own_tracebacks_show_its_source(driver):
    text = driver.host.command(
        "import sys, traceback\n"
        "try:\n    sys.modules['_dbk_agent'].current().operations._do('exec', None)['x']\n"
        "except TypeError:\n    pass\n"
        "try:\n    sys.modules['_dbk_agent'].current().operations._has({})\n"
        "except KeyError:\n    traceback.print_exc()"
    )

    assert "<_dbk_agent>/_dbk_agent/agent/operations.py" in text
    assert 'run_id = arguments["run"]' in text


def test_its_modules_are_ordinary_modules(driver):
    text = driver.host.command(
        "import inspect, _dbk_agent.agent.cells as cells, _dbk_agent.wire as wire\n"
        "print(cells.__name__, len(inspect.getsource(cells)) > 1000, wire.AGENT)"
    )

    assert text == "_dbk_agent.agent.cells True _dbk_agent\n"


def test_an_interpreter_without_the_agent_says_so(make_driver):
    driver = make_driver(install=False)

    text = driver.host.command(wire.call_text("hello"))

    assert "No module named '_dbk_agent'" in text


def test_installing_takes_little_time(make_driver):
    driver = make_driver(install=False)
    driver.host.command("import time")
    text = driver.host.command(
        f"start = time.perf_counter()\nexec({bootstrap(**driver.options)!r})\n"
        "print('TOOK', time.perf_counter() - start)"
    )

    assert float(text.rpartition("TOOK")[2]) < 10
