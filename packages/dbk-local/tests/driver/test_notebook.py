"""The notebook environment without Spark: display, dbutils, magics."""

import json
import sys
from pathlib import Path

import pytest


class TestDisplay:
    def test_a_pandas_frame_is_a_table_with_spark_types(self, context):
        pytest.importorskip("pandas")
        code = (
            "import pandas as pd\nprint('lost')\n"
            "display(pd.DataFrame({'n': [1, 2], 'x': [0.5, None], 's': ['a', None], 'b': [True, False],\n"
            "    't': pd.to_datetime(['2024-01-02 03:04:05', None])}))"
        )

        results = context.run(code)

        assert results["resultType"] == "table"
        assert results["isJsonSchema"] is True
        assert results["truncated"] is False
        assert results["data"] == [
            [1, 0.5, "a", True, "2024-01-02T03:04:05.000+00:00"],
            [2, None, None, False, None],
        ]
        types = [json.loads(column["type"]) for column in results["schema"]]
        assert types == ["long", "double", "string", "boolean", "timestamp"]
        assert {column["metadata"] for column in results["schema"]} == {"{}"}

    @pytest.mark.parametrize(("rows", "limit"), [(10_000, 10_000), (10_001, 10_000)])
    def test_a_table_ends_at_its_rows(self, context, rows, limit):
        pytest.importorskip("pandas")

        results = context.run(f"import pandas as pd\ndisplay(pd.DataFrame({{'n': range({rows})}}))")

        assert len(results["data"]) == limit
        assert results["truncated"] is (rows > limit)

    def test_a_table_ends_at_its_bytes(self, context):
        pytest.importorskip("pandas")

        results = context.run(
            "import pandas as pd\ndisplay(pd.DataFrame({'s': ['x' * 96] * 1000}))", table_bytes=10_000
        )

        assert len(results["data"]) == 100
        assert results["truncated"] is True

    def test_a_list_of_files_is_a_table(self, driver, context):
        (driver.truth.dbfs_root / "list").mkdir()
        (driver.truth.dbfs_root / "list" / "a.txt").write_text("abc")

        results = context.run("display(dbutils.fs.ls('/list'))")

        assert [column["name"] for column in results["schema"]] == ["path", "name", "size", "modificationTime"]
        assert results["data"][0][:3] == ["dbfs:/list/a.txt", "a.txt", 3]

    def test_html_is_the_text(self, context):
        assert context.text("print('lost')\ndisplayHTML('<b>x</b>')") == "<b>x</b>"

    def test_other_objects_are_shown_as_text(self, context):
        assert context.text("display({'a': 1})\ndisplay('b')") == "{'a': 1}\n'b'"


FIGURE = "import matplotlib.pyplot as plt\nprint('lost')\n_ = plt.plot([1, 2])\n"


class TestFigures:
    @pytest.fixture(autouse=True)
    def _needs_matplotlib(self):
        pytest.importorskip("matplotlib")

    def test_one_figure_is_an_image(self, context):
        results = context.run(FIGURE, figures="image")

        assert results["resultType"] == "image"
        assert results["fileName"].startswith("data:image/png;base64,iVBOR")

    def test_several_figures_are_images(self, context):
        results = context.run(FIGURE + "plt.show()\n" + FIGURE, figures="image")

        assert results["resultType"] == "images"
        assert len(results["fileNames"]) == 2

    def test_one_figure_is_images_where_the_runtime_says_so(self, context):
        results = context.run(FIGURE, figures="images")

        assert results["resultType"] == "images"
        assert len(results["fileNames"]) == 1

    def test_no_figure_comes_where_the_runtime_gives_none(self, context):
        assert "<Figure size" in context.text(FIGURE, figures="none")


class TestFs:
    @pytest.fixture
    def root(self, driver: object) -> Path:
        return driver.truth.dbfs_root

    def test_put_head_and_ls(self, context, root):
        assert context.text("dbutils.fs.put('dbfs:/put/a.txt', 'héllo')") == "Wrote 6 bytes.\nTrue"
        assert (root / "put" / "a.txt").read_bytes() == "héllo".encode()
        assert context.text("dbutils.fs.head('/put/a.txt')") == "'héllo'"
        assert context.text("dbutils.fs.head('/put/a.txt', 1)") == "[Truncated to first 1 bytes]\n'h'"
        assert context.text("dbutils.fs.ls('/put')[0][:3]") == "('dbfs:/put/a.txt', 'a.txt', 6)"
        assert context.text("[(f.name, f.size, f.isDir()) for f in dbutils.fs.ls('/') if f.name == 'put/']") == (
            "[('put/', 0, True)]"
        )

    def test_put_keeps_what_is_there(self, context):
        context.text("dbutils.fs.put('/keep.txt', 'a')")

        assert "FileAlreadyExistsException" in context.run("dbutils.fs.put('/keep.txt', 'b')")["summary"]
        assert context.text("dbutils.fs.put('/keep.txt', 'bc', True)") == "Wrote 2 bytes.\nTrue"

    def test_cp_and_mv_between_the_driver_dbfs_and_volumes(self, context, driver, tmp_path):
        (tmp_path / "in.bin").write_bytes(b"\x00\xff")

        context.text(f"dbutils.fs.cp('file:{tmp_path}/in.bin', 'dbfs:/cp/in.bin')")
        context.text("dbutils.fs.cp('/cp', '/Volumes/c/s/v/copy', recurse=True)")
        context.text(f"dbutils.fs.mv('dbfs:/Volumes/c/s/v/copy/in.bin', 'file:{tmp_path}/out.bin')")

        assert (driver.truth.dbfs_root / "cp" / "in.bin").read_bytes() == b"\x00\xff"
        assert (tmp_path / "out.bin").read_bytes() == b"\x00\xff"
        assert context.text("dbutils.fs.ls('/Volumes/c/s/v/copy')") == "[]"

    def test_the_driver_sees_its_mounts_by_name(self, context, driver):
        (driver.truth.workspace_root / "nb.txt").write_text("w")

        assert context.text("dbutils.fs.head('file:/Workspace/nb.txt')") == "'w'"

    def test_rm_wants_recurse_for_a_full_folder(self, context):
        context.text("dbutils.fs.put('/rm/a/b.txt', 'x')")

        assert "Directory is not empty" in context.run("dbutils.fs.rm('/rm')")["summary"]
        assert context.text("dbutils.fs.rm('/rm', True)\n").strip() == "True"
        assert context.text("dbutils.fs.rm('/rm', True)") == "False"

    def test_what_is_missing_is_an_error(self, context):
        assert "java.io.FileNotFoundException" in context.run("dbutils.fs.ls('/nope')")["summary"]

    def test_no_path_leads_out_of_dbfs(self, context, root):
        context.text("dbutils.fs.put('dbfs:/../../escape.txt', 'x', True)")

        assert (root / "escape.txt").exists()

    def test_standard_mode_refuses_local_files(self, context):
        results = context.run("dbutils.fs.ls('file:/tmp')", access_mode="standard")

        assert "IllegalAccessException" in results["summary"]

    def test_a_disabled_root_says_so_and_volumes_stay(self, context):
        context.text("dbutils.fs.mkdirs('/Volumes/c/s/v')")  # is there

        assert "[DBFS_DISABLED]" in context.run("dbutils.fs.ls('/')", dbfs_enabled=False)["summary"]
        assert "error" not in context.run("dbutils.fs.ls('/Volumes/c/s/v')", dbfs_enabled=False)["resultType"]

    @pytest.mark.parametrize(
        "call",
        [
            "mkdirs('/Volumes/c/s/nope/x')",
            "put('dbfs:/Volumes/nope/s/v/x', 'x')",
            "cp('dbfs:/there', '/Volumes/c/nope/v/x')",
            "mv('dbfs:/there', '/Volumes/c/s')",
            "rm('/Volumes/c/s/v', True)",
            "mv('/Volumes/c/s', '/away', True)",
        ],
    )
    def test_volumes_are_made_and_removed_by_the_catalog(self, driver, context, call):
        (driver.truth.dbfs_root / "there").write_text("x")

        assert "ExecutionError" in context.run(f"dbutils.fs.{call}")["summary"]

        assert (driver.truth.volumes_root / "c" / "s" / "v").is_dir()
        assert [path.name for path in driver.truth.volumes_root.glob("*/*")] == ["s"]

    def test_results_are_json(self, context):
        assert json.loads(context.text("import json\ndbutils.notebook.exit(json.dumps(dbutils.fs.mounts()))"))


class TestWidgetsAndSecrets:
    def test_widgets_have_their_defaults(self, context):
        context.text("dbutils.widgets.text('a', '1')\ndbutils.widgets.dropdown('b', 'x', ['x', 'y'])")
        context.text("dbutils.widgets.multiselect('c', 'x', ['x'])\ndbutils.widgets.combobox('d', 'z', ['x'])")

        assert context.text("dbutils.widgets.getAll()") == "{'a': '1', 'b': 'x', 'c': 'x', 'd': 'z'}"
        assert context.text("(dbutils.widgets.get('a'), getArgument('a'), getArgument('no', 'd'))") == "('1', '1', 'd')"

    def test_a_widget_that_is_not_there_is_an_error(self, context):
        context.text("dbutils.widgets.text('a', '1')\ndbutils.widgets.remove('a')")

        assert "InputWidgetNotDefined" in context.run("dbutils.widgets.get('a')")["summary"]
        assert "not one of the choices" in context.run("dbutils.widgets.dropdown('b', 'q', ['x'])")["summary"]

    def test_secrets_come_from_the_file(self, context, tmp_path):
        file = tmp_path / "secrets.json"
        file.write_text(json.dumps({"prod": {"key": "v", "other": "w"}}))

        def text(code: str) -> str:
            return context.text(code, secrets_file=file)

        assert text("dbutils.secrets.get('prod', 'key') == 'v'") == "True"
        assert text("[s.name for s in dbutils.secrets.listScopes()]") == "['prod']"
        assert text("[k.key for k in dbutils.secrets.list(scope='prod')]") == "['key', 'other']"
        assert "does not exist" in context.run("dbutils.secrets.get('prod', 'no')", secrets_file=file)["summary"]

    def test_a_secret_that_was_read_is_not_shown_as_a_literal(self, context, tmp_path):
        file = tmp_path / "secrets.json"
        file.write_text(json.dumps({"prod": {"key": "hush", "longer": "hush-hush", "short": "e"}}))
        told = {"secrets_file": file}

        assert context.text("print('hush')", **told) == "hush"
        assert context.text("dbutils.secrets.get('prod', 'key')", **told) == "'[REDACTED]'"
        assert context.text("a = dbutils.secrets.getBytes('prod', 'longer').decode(); print([a, a[::-1]])", **told) == (
            "['[REDACTED]', 'hsuh-hsuh']"
        )
        assert context.run("import pandas as pd; display(pd.DataFrame({'a': ['hush', 'loud']}))", **told)["data"] == [
            ["[REDACTED]"],
            ["loud"],
        ]
        failed = context.run("raise ValueError('no hush')", **told)
        assert "hush" not in failed["summary"] + failed["cause"]
        assert failed["summary"].endswith("no [REDACTED]")
        assert context.text("dbutils.notebook.exit('hush')", **told) == "[REDACTED]"
        assert context.text("print('there', dbutils.secrets.get('prod', 'short'))", **told) == "there e"


class TestMagics:
    @pytest.fixture
    def wheel(self, tmp_path: Path) -> Path:
        """A package that no index needs to be asked for."""
        import zipfile

        wheel = tmp_path / "dbk_probe-1.0-py3-none-any.whl"
        info = "dbk_probe-1.0.dist-info"
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr("dbk_probe.py", "value = 'probe'\n")
            file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: dbk-probe\nVersion: 1.0\n")
            file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{info}/RECORD", f"dbk_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return wheel

    def test_pip_installs_for_one_context_and_past_a_restart(self, driver, context, wheel):
        other = driver.context()

        text = context.text(f"%pip install --no-index {wheel}\ndbutils.library.restartPython()")

        assert "Successfully installed dbk-probe-1.0" in text
        assert "you may need to restart" in text
        assert context.text("import dbk_probe\ndbk_probe.value") == "'probe'"
        assert context.text("!python -c 'import dbk_probe, IPython; print(dbk_probe.value)'").strip() == "probe"
        assert "ModuleNotFoundError" in other.run("import dbk_probe")["summary"]
        with pytest.raises(ImportError):
            __import__("dbk_probe")
        assert "Successfully uninstalled dbk-probe-1.0" in context.text("%pip uninstall -y dbk-probe")
        other.destroy()

    def test_a_pip_that_fails_is_an_error(self, context, tmp_path):
        results = context.run(f"%pip install --no-index {tmp_path}/none.whl")

        assert "CalledProcessError" in results["summary"]
        assert "returned non-zero exit status 1" in results["summary"]

    def test_restart_python_is_a_magic_too(self, context):
        context.text("x = 1\n%restart_python")

        assert "NameError" in context.run("x")["summary"]

    def test_the_output_size_can_be_set_for_later_commands(self, context):
        context.text("%set_cell_max_output_size_in_mb 1")

        text = context.text("print('x' * 1_500_000)", text_cap_chars=10)

        assert text.startswith("x" * 1_000_000 + "\n*** WARNING: skipped ")
        assert "1 to 20 MB" in context.run("%set_cell_max_output_size_in_mb 30")["summary"]


@pytest.mark.parametrize("language", ["scala", "r"])
def test_other_languages_are_refused(context, language):
    results = context.run("1", language=language)

    assert results["resultType"] == "error"
    assert f"not {language}" in results["summary"]


def test_contexts_run_in_utc(context):
    assert context.text("import time\ntime.tzname[0]") == "'UTC'"


def test_the_interpreter_is_the_hosts_version(context):
    assert context.text("import sys\nsys.version_info[:2]") == str(tuple(sys.version_info[:2]))


WORKSPACE = {"host": "http://127.0.0.1:1", "api_token": "secret", "cluster_id": "0101-1", "user_name": "a@b.c"}


class TestRuntimeModules:
    def test_the_sdk_finds_the_notebooks_names_from_a_module(self, context):
        pytest.importorskip("databricks.sdk")

        assert context.text("from databricks.sdk.runtime import dbutils as theirs\ntheirs is dbutils") == "True"

    def test_the_sdk_logs_in_without_configuration(self, context):
        pytest.importorskip("databricks.sdk")
        code = "from databricks.sdk.runtime import init_runtime_native_auth\nhost, headers = init_runtime_native_auth()"

        context.text(code, **WORKSPACE)

        assert context.text("host, headers()", **WORKSPACE) == (
            "('http://127.0.0.1:1', {'Authorization': 'Bearer secret'})"
        )

    def test_the_repl_context_keeps_its_token_out_of_its_repr(self, context):
        code = "from dbruntime.databricks_repl_context import get_context\nget_context()"

        text = context.text(code, **WORKSPACE)

        assert "clusterId='0101-1'" in text
        assert "secret" not in text
