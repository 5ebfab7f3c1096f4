"""Paths of a driver, where the platform can show them, and what is absent by truth."""

import os
import shutil
from pathlib import Path

import pytest
from dbk_local._driver._mounts import mount_places


@pytest.fixture
def mounted(new_driver):
    """Make a driver whose contexts see the places; skips where the platform allows no mount namespace."""

    def make(**truth):
        driver = new_driver(**truth)
        if not driver.process.mounted:
            pytest.skip("no mount namespaces here")
        return driver

    return make


def test_the_places_of_a_driver_are_files_on_this_machine(mounted):
    driver = mounted()
    context = driver.context()

    context.text("open('/dbfs/a.txt', 'w').write('a')\nopen('/Volumes/c/s/v/b.txt', 'w').write('b')")
    context.text("open('/Workspace/c.py', 'w').write('value = 3')\nopen('/local_disk0/d', 'w').close()")

    assert (driver.truth.dbfs_root / "a.txt").read_text() == "a"
    assert (driver.truth.volumes_root / "c/s/v/b.txt").read_text() == "b"
    assert (driver.truth.local_disk / "d").exists()
    assert context.text("import sys\nsys.path.append('/Workspace')\nimport c\nc.value") == "3"
    assert context.text("!cat /dbfs/a.txt") == "a"
    assert context.text("dbutils.fs.head('file:/dbfs/a.txt')") == "'a'"


def test_the_working_directory_is_the_drivers(mounted):
    context = mounted().context()

    assert context.text("import os\nos.getcwd()") == "'/databricks/driver'"


def test_nothing_is_made_at_the_root_of_this_machine(mounted):
    before = sorted(os.listdir("/"))

    mounted().context().text("1")

    assert sorted(os.listdir("/")) == before


def test_everything_else_at_the_root_is_still_there(mounted):
    seen = set(eval(mounted().context().text("import os\nos.listdir('/')")))

    assert set(os.listdir("/")) <= seen


@pytest.mark.parametrize("truth", [{"access_mode": "standard"}, {"dbfs_fuse": False}, {"dbfs_enabled": False}])
def test_dbfs_is_absent_where_a_driver_has_none(mounted, truth):
    context = mounted(**truth).context()

    assert context.text("import os\n(os.path.exists('/dbfs'), os.path.exists('/Volumes'))") == "(False, True)"


REFUSED = [
    "import os\nos.makedirs('/Volumes/c/s/nope/x')",
    "import os\nos.makedirs('/Volumes/nope/s/v')",
    "open('/Volumes/c/s/nope/x', 'w')",
    "open('/Volumes/c/x', 'w')",
    "import shutil\nshutil.rmtree('/Volumes/c')",
    "import os\nos.rename('/Volumes/c/s', '/Volumes/c/t')",
    "import subprocess\nsubprocess.run(['mkdir', '-p', '/Volumes/c/s/nope'], check=True)",
]


@pytest.mark.parametrize("truth", [{}, {"shared_tmp": False}], ids=["shared /tmp", "own /tmp"])
def test_nothing_is_made_or_removed_but_in_a_volume(mounted, skip_if_unguarded, truth):
    driver = mounted(**truth)
    context = driver.context()
    skip_if_unguarded(context)

    for code in REFUSED:
        assert context.run(code)["resultType"] == "error", code

    context.text("import os\nos.makedirs('/Volumes/c/s/v/a/b')\nos.rename('/Volumes/c/s/v/a', '/Volumes/c/s/v/z')")
    root = driver.truth.volumes_root
    found = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*"))]
    assert found == ["c", "c/s", "c/s/v", "c/s/v/z", "c/s/v/z/b"]


@pytest.mark.parametrize("truth", [{}, {"shared_tmp": False}], ids=["shared /tmp", "own /tmp"])
def test_a_new_volume_is_seen_by_contexts_that_are_there(mounted, truth):
    driver = mounted(**truth)
    context = driver.context()
    new = driver.truth.volumes_root / "c" / "s" / "new"
    new.mkdir()

    driver.loop.do(driver.process.show_volume("c.s.new"))
    context.text("open('/Volumes/c/s/new/x', 'w').write('x')")
    shutil.rmtree(new)

    assert context.text("import os\nos.listdir('/Volumes/c/s')") == "['v']"


def test_contexts_share_a_temporary_folder(driver, tmp_path):
    first, second = driver.context(), driver.context()

    first.text(f"open('{tmp_path}/x', 'w').write('x')")

    assert second.text(f"open('{tmp_path}/x').read()") == "'x'"


def test_contexts_may_have_temporary_folders_of_their_own(mounted, tmp_path):
    driver = mounted(shared_tmp=False)
    first, second = driver.context(), driver.context()

    first.text("open('/tmp/mine', 'w').close()")

    assert second.text("import os\nos.path.exists('/tmp/mine')") == "False"
    assert not Path("/tmp/mine").exists()
    assert first.text("import json, IPython, dbk_local\nopen('/dbfs/x', 'w').write('1')") == "1"


def test_nothing_is_tried_where_there_are_no_mount_namespaces(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "darwin")

    assert mount_places({}, tmp_path) is False


def test_a_root_that_cannot_be_built_leaves_the_process_as_it_was(tmp_path):
    before = os.listdir("/")

    assert mount_places({"/x": tmp_path / "missing"}, tmp_path / "root") is False

    assert os.listdir("/") == before
