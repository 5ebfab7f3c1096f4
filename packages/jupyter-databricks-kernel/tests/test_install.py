"""The kernelspec: what `pip install` brings, and what the installer writes."""

import json
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import pytest
from jupyter_databricks_kernel.errors import InstallError, SecretInKernelSpec
from jupyter_databricks_kernel.install import SOURCE, Spec, install, main, uninstall


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "user"))
    return tmp_path / "user" / "kernels"


def document(folder: Path):
    return json.loads((folder / "kernel.json").read_text("utf-8"))


def test_check_05_the_packaged_spec_has_logos_and_the_right_modes():
    spec = document(SOURCE)

    assert spec["argv"][1:] == ["-P", "-m", "jupyter_databricks_kernel", "-f", "{connection_file}"]
    assert spec["display_name"] == "Databricks Session"
    assert spec["language"] == "python"
    assert spec["interrupt_mode"] == "message"
    assert spec["metadata"]["debugger"] is False
    for name, size in (("logo-32x32.png", 32), ("logo-64x64.png", 64)):
        png = (SOURCE / name).read_bytes()
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(png[16:20]) == int.from_bytes(png[20:24]) == size
    assert b"<svg" in (SOURCE / "logo-svg.svg").read_bytes()


def test_check_05_pip_install_alone_brings_the_spec():
    installed = {str(item) for item in files("jupyter-databricks-kernel") or []}

    assert any(item.endswith("share/jupyter/kernels/databricks/kernel.json") for item in installed)


def test_it_is_written_for_the_user_with_the_running_interpreter(user):
    folder = install(Spec())

    assert folder == user / "databricks"
    assert document(folder)["argv"][0] == sys.executable
    assert sorted(item.name for item in folder.iterdir()) == [
        "kernel.json",
        "logo-32x32.png",
        "logo-64x64.png",
        "logo-svg.svg",
    ]


def test_the_word_install_after_the_kernel_itself_is_understood(user):
    command = [sys.executable, "-m", "jupyter_databricks_kernel", "install"]

    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    assert said == f"Installed 'Databricks Session' in {user / 'databricks'}\n"
    assert document(user / "databricks")["argv"][0] == sys.executable


def test_several_entries_stand_side_by_side(user):
    install(Spec())
    install(Spec("databricks-dev", env={"DATABRICKS_CONFIG_PROFILE": "dev"}))

    assert document(user / "databricks")["display_name"] == "Databricks Session"
    assert document(user / "databricks-dev")["display_name"] == "Databricks Session (databricks-dev)"
    assert document(user / "databricks-dev")["env"] == {"DATABRICKS_CONFIG_PROFILE": "dev"}


def test_the_command_line_writes_profile_cluster_and_variables(tmp_path, capsys):
    names = ["--name", "dbx", "--display-name", "Big one"]
    values = ["--profile", "dev", "--cluster-id", "0123-456789-abc", "--env", "DBK_CHANNEL=result"]

    status = main(["--prefix", str(tmp_path), *names, *values])

    folder = tmp_path / "share/jupyter/kernels/dbx"
    assert status == 0
    assert str(folder) in capsys.readouterr().out
    assert document(folder)["display_name"] == "Big one"
    assert document(folder)["env"] == {
        "DATABRICKS_CLUSTER_ID": "0123-456789-abc",
        "DATABRICKS_CONFIG_PROFILE": "dev",
        "DBK_CHANNEL": "result",
    }


@pytest.mark.parametrize(
    "pair", ["DATABRICKS_TOKEN=x", "DATABRICKS_CLIENT_SECRET=x", "MY_PASSWORD=x", "NOTE=dapi0123456789abcdef"]
)
def test_a_secret_is_refused_and_nothing_is_written(pair, tmp_path, capsys):
    status = main(["--prefix", str(tmp_path), "--env", pair])

    error = capsys.readouterr().err
    assert status == 1
    assert "plain file that others can read" in error
    assert "--profile" in error
    assert "dapi0123456789abcdef" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_refused_by_the_library_too():
    with pytest.raises(SecretInKernelSpec, match="DATABRICKS_TOKEN"):
        Spec(env={"DATABRICKS_TOKEN": "x"})


def test_a_name_that_jupyter_would_not_find_is_refused():
    with pytest.raises(InstallError, match="'a b' is not a kernel name"):
        Spec("a b")


def test_uninstall_removes_what_was_installed(user):
    install(Spec())

    assert uninstall("databricks") == user / "databricks"
    assert not (user / "databricks").exists()


def test_uninstall_of_nothing_says_where_it_looked(user, capsys):
    assert main(["uninstall", "--name", "nope"]) == 1
    assert str(user / "nope") in capsys.readouterr().err


def test_uninstall_leaves_other_kernels_alone(user, capsys):
    folder = user / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text('{"argv": ["python", "-m", "ipykernel_launcher"]}')

    assert main(["uninstall", "--name", "python3"]) == 1
    assert "another kernel" in capsys.readouterr().err
    assert folder.exists()


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path, capsys):
    (tmp_path / "share").write_text("in the way")

    assert main(["--prefix", str(tmp_path)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_it_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "jupyter_databricks_kernel.install", "--prefix", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "share/jupyter/kernels/databricks/kernel.json").is_file()
