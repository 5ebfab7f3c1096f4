"""Which package may import which, read from the syntax trees of the sources."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

ALLOWED = {
    "dbk_config": set(),
    "dbk_session": {"dbk_config"},
    "dbk_sync": {"dbk_config"},
    "jupyter_databricks_kernel": {"dbk_config", "dbk_session", "dbk_sync"},
    "dbk_local": set(),
}
# The one way out: `dbk-sync push cluster:ID` needs a session, which the extra `dbk-sync[cluster]` installs.
LAZY = {("dbk_sync", "_cluster.py", "dbk_session")}


def modules_of(root, package):
    (folder,) = (root / "packages").glob(f"*/src/{package}")
    return sorted(folder.rglob("*.py"))


def imported(tree):
    """Top-level names of every import statement, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_the_siblings_it_may(root, package):
    siblings = set(ALLOWED) - {package}

    found = {
        (package, file.name, name)
        for file in modules_of(root, package)
        for name in set(imported(ast.parse(file.read_text())))
        if name in siblings - ALLOWED[package]
    }

    assert found <= LAZY


@pytest.mark.parametrize("package", ["dbk_session", "dbk_sync"])
def test_code_for_the_driver_needs_nothing_that_a_driver_lacks(root, package):
    guests = {"IPython", "comm", "matplotlib", "pandas", "pyspark", "_dbk_agent", "dbruntime", "matplotlib_inline"}
    (folder,) = (root / "packages").glob(f"*/src/{package}/driver")

    for file in folder.glob("*.py"):
        if file.name == "__init__.py":  # runs on the client: it packs the others
            continue
        strangers = set(imported(ast.parse(file.read_text()))) - sys.stdlib_module_names - guests
        assert not strangers, f"{file.name}: {strangers}"


def test_pytest_finds_nothing_but_the_plugin_light_to_import(root):
    code = (
        "import sys, dbk_local.pytest_plugin; print([m for m in ('tornado', 'IPython', 'pyspark') if m in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert loaded == "[]"
