"""What users install: the five wheels, together, in an environment that has never seen the source tree."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import zipfile

import pytest

pytestmark = pytest.mark.spark
PACKAGES = ["dbk-config", "dbk-local", "dbk-session", "dbk-sync", "jupyter-databricks-kernel"]


@pytest.fixture(scope="module")
def dist(root, tmp_path_factory, run_release_step):
    """The wheels and source archives of all five, built by the release workflow's own step from a copy of the tree."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("release")
    shutil.copytree(root / "packages", folder / "packages", ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
    built = run_release_step("Build", folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def installed(dist, tmp_path_factory):
    """A Python with the five wheels in it; what they depend on is lent by the environment of the tests."""
    venv = tmp_path_factory.mktemp("wheels") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    command = [
        python,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--pre",
        "--find-links",
        dist,
        *PACKAGES,
    ]
    subprocess.run(command, check=True, capture_output=True)
    (own,) = venv.glob("lib/python*/site-packages")
    # A path line of a .pth file adds the folder alone: editable installs, which are .pth files in it, stay out.
    (own / "lent.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    return python


def test_each_package_gives_a_wheel_and_a_source_archive(dist):
    names = sorted(file.name for file in dist.iterdir())

    assert len([name for name in names if name.endswith(".whl")]) == len(PACKAGES)
    assert len([name for name in names if name.endswith(".tar.gz")]) == len(PACKAGES)


def test_the_release_takes_what_was_built(dist, run_release_step):
    pytest.importorskip("twine")

    checked = run_release_step("Check what was built", dist.parent)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("PASSED") == 2 * len(PACKAGES)


def test_no_wheel_carries_tests_or_notes(dist):
    for wheel in dist.glob("*.whl"):
        tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
        assert len([top for top in tops if not top.endswith((".dist-info", ".data"))]) == 1, tops


def test_the_kernelspec_comes_with_the_wheel(installed):
    kernels = installed.parents[1] / "share/jupyter/kernels"

    assert [folder.name for folder in kernels.iterdir()] == ["databricks"]
    assert {"kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"} <= {
        file.name for file in (kernels / "databricks").iterdir()
    }


def test_the_demo_runs_from_the_wheels(installed, root, tmp_path):
    pytest.importorskip("pyspark")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))}
    environment |= {"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": f"{installed.parent}:{os.environ['PATH']}"}
    where = "import dbk_session; print(dbk_session.__file__)"
    origin = subprocess.run([installed, "-c", where], capture_output=True, text=True, check=True, env=environment)

    demo = subprocess.run(
        [installed, root / "docs/examples/demo.py", "--output", tmp_path / "out.ipynb"],
        capture_output=True, text=True, timeout=240, env=environment, cwd=tmp_path,
    )  # fmt: skip

    assert origin.stdout.startswith(str(installed.parents[1]))
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "caught: TABLE_OR_VIEW_NOT_FOUND" in demo.stdout


def test_the_readmes_push_runs_in_an_empty_project(installed, root, tmp_path):
    (block,) = re.findall(r"^```bash\n(python3 [^`]*dbk-sync push[^`]*)^```$", (root / "README.md").read_text(), re.M)
    setup, _, rest = block.partition("\n")
    (tmp_path / ".venv").symlink_to(installed.parents[1])
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    run = subprocess.run(
        ["bash", "-euc", rest], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )

    # What the first line installs is what `installed` has: dbk-sync and all that it needs of ours.
    assert setup.endswith("pip install -q packages/dbk-config packages/dbk-sync")
    assert (run.returncode, run.stdout) == (0, "")
    assert f"No file is selected in {tmp_path}/my-project." in run.stderr
    assert "Name a target" in run.stderr
