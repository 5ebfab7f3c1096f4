"""The release workflow, as far as it runs without GitHub: its steps, its order, and that GitHub accepts the files.

`test_wheels.py` runs its building and checking steps; `tox -e wheels` is the step between them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
AGREE = "The tag, the five versions and the changelog agree"


@pytest.fixture(scope="module")
def jobs(root):
    return yaml.safe_load((root / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]


@pytest.fixture
def tree(root, tmp_path):
    """The files that the first step reads: version 3.1.4, with a heading for it."""
    version = tomllib.loads((root / "packages/dbk-config/pyproject.toml").read_text())["project"]["version"]
    for file in (root / "packages").glob("*/pyproject.toml"):
        copy = tmp_path / "packages" / file.parent.name / file.name
        copy.parent.mkdir(parents=True)
        copy.write_text(file.read_text().replace(version, "3.1.4"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/changelog.md").write_text("# Changelog\n\n## 3.1.4\n\n- New.\n")
    return tmp_path


def test_the_steps_of_the_build_are_those_that_are_tested(jobs):
    steps = {step["name"]: step["run"] for step in jobs["build"]["steps"] if "run" in step}

    assert list(steps) == [
        AGREE,
        "Tools",
        "The wheels work in a clean environment",
        "Build",
        "Check what was built",
    ]
    assert steps["The wheels work in a clean environment"] == "tox -e wheels"


def test_a_tag_that_agrees_is_released(tree, run_release_step):
    done = run_release_step(AGREE, tree, GITHUB_REF_NAME="v3.1.4")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("tag", ["v3.1", "v3.1.40", "v3x1.4", "v2.0.0", "release"])
def test_a_tag_of_another_version_is_not_released(tree, run_release_step, tag):
    done = run_release_step(AGREE, tree, GITHUB_REF_NAME=tag)

    assert done.returncode == 1
    assert "packages/dbk-config/pyproject.toml is not version" in done.stdout


@pytest.mark.parametrize("package", ["dbk-config", "dbk-session", "jupyter-databricks-kernel"])
def test_a_package_of_another_version_is_named(tree, run_release_step, package):
    file = tree / "packages" / package / "pyproject.toml"
    file.write_text(file.read_text().replace('version = "3.1.4"', 'version = "3.1.3"'))

    done = run_release_step(AGREE, tree, GITHUB_REF_NAME="v3.1.4")

    assert (done.returncode, done.stdout) == (1, f"packages/{package}/pyproject.toml is not version 3.1.4\n")


@pytest.mark.parametrize("heading", ["## 3.1.3", "# 3.1.4", "## 3.1.4.dev0", ""])
def test_a_changelog_without_the_version_is_not_released(tree, run_release_step, heading):
    (tree / "docs/changelog.md").write_text(f"# Changelog\n\n{heading}\n")

    done = run_release_step(AGREE, tree, GITHUB_REF_NAME="v3.1.4")

    assert (done.returncode, done.stdout) == (1, "docs/changelog.md has no heading 3.1.4\n")


def test_every_package_is_published_after_all_that_it_needs(root, jobs):
    projects = {
        file.parent.name: tomllib.loads(file.read_text())["project"]
        for file in (root / "packages").glob("*/pyproject.toml")
    }
    published = []
    before = "build"
    while following := [name for name, job in jobs.items() if job.get("needs") == before]:
        (before,) = following
        stage = [name.replace("_", "-") for name in jobs[before]["strategy"]["matrix"]["package"]]
        for name in stage:
            lists = [projects[name]["dependencies"], *projects[name].get("optional-dependencies", {}).values()]
            needs = {re.split(r"[\[=<>~! ]", text)[0] for texts in lists for text in texts}
            assert needs & set(projects) - {name} <= set(published), name
        published += stage

    assert sorted(published) == sorted(projects)
    assert len(jobs) == len({job.get("needs") for job in jobs.values()})


def test_only_publishing_may_ask_for_a_token_and_it_runs_nothing_of_ours(jobs):
    for name, job in jobs.items():
        assert job["permissions"] == ({"contents": "read"} if name == "build" else {"id-token": "write"})
        if name != "build":
            assert job["environment"] == "pypi-${{ matrix.package }}"
            assert [step["run"] for step in job["steps"] if "run" in step] == [
                "mkdir dist && mv all/${{ matrix.package }}-* dist/"
            ]


def test_the_files_of_each_package_are_found_by_its_name(jobs, tmp_path):
    (publish,) = {step["run"] for job in jobs.values() for step in job["steps"] if "matrix" in step.get("run", "")}
    (tmp_path / "all").mkdir()
    for name in ("dbk_config-1-py3-none-any.whl", "dbk_config-1.tar.gz", "dbk_sync-1.tar.gz"):
        (tmp_path / "all" / name).touch()

    subprocess.run(
        ["bash", "-ec", publish.replace("${{ matrix.package }}", "dbk_config")], cwd=tmp_path, check=True, timeout=60
    )

    assert sorted(file.name for file in (tmp_path / "dist").iterdir()) == [
        "dbk_config-1-py3-none-any.whl",
        "dbk_config-1.tar.gz",
    ]


def test_every_action_is_pinned_by_its_hash(root):
    for file in (root / ".github/workflows").glob("*.yml"):
        for line in re.findall(r"uses: (.+)", file.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize(
    ("schema", "files"),
    [("github-workflows", "workflows/*.yml"), ("github-issue-forms", "ISSUE_TEMPLATE/*.yml")],
)
def test_github_accepts_the_files(root, schema, files):
    if not shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)):
        pytest.skip("check-jsonschema is not installed")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]

    done = subprocess.run(
        [*command, *sorted((root / ".github").glob(files))], capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stdout
