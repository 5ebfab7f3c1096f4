"""The five packages are one release: one version, exact pins on each other, one licence."""

from __future__ import annotations

import importlib.util
import shutil
import tomllib
from importlib.metadata import version

import pytest

PACKAGES = ["dbk-config", "dbk-local", "dbk-session", "dbk-sync", "jupyter-databricks-kernel"]


@pytest.fixture
def projects(root):
    return {
        file.parent.name: tomllib.loads(file.read_text())["project"]
        for file in sorted((root / "packages").glob("*/pyproject.toml"))
    }


def pins(project):
    """Sibling requirement texts of a project, extras of its own included."""
    lists = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    return [text for texts in lists for text in texts if text.split("==")[0].split("[")[0] in PACKAGES]


def test_there_are_five_packages_named_after_their_folders(projects):
    assert [project["name"] for project in projects.values()] == list(projects) == PACKAGES


def test_all_packages_have_one_version(projects):
    assert len({project["version"] for project in projects.values()}) == 1


def test_siblings_are_pinned_exactly(projects):
    number = projects["dbk-config"]["version"]

    wrong = [text for project in projects.values() for text in pins(project) if not text.endswith(f"=={number}")]

    assert wrong == []


@pytest.mark.parametrize("name", PACKAGES)
def test_the_installed_version_is_the_one_of_the_tree(projects, name):
    assert version(name) == projects[name]["version"]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_carries_what_an_index_shows(root, projects, name):
    folder = root / "packages" / name
    (typed,) = folder.glob("src/*/py.typed")

    assert (folder / "LICENSE").read_text() == (root / "LICENSE").read_text()
    assert (folder / "README.md").read_text().startswith(f"# {name}\n")
    assert typed.read_text() == ""
    assert projects[name]["requires-python"] == ">=3.11"


def test_bump_rewrites_every_version_and_pin_and_nothing_else(root, tmp_path):
    spec = importlib.util.spec_from_file_location("bump", root / ".github/scripts/bump.py")
    bump = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bump)
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        shutil.copy(root / "packages" / name / "pyproject.toml", tmp_path / name)
    before = {name: (tmp_path / name / "pyproject.toml").read_text() for name in PACKAGES}
    number = tomllib.loads(before["dbk-config"])["project"]["version"]

    bump.bump(tmp_path, "9.8.7")

    for name in PACKAGES:
        assert (tmp_path / name / "pyproject.toml").read_text() == before[name].replace(number, "9.8.7")
    assert bump.main([]) == bump.main(["not a version"]) == 2
