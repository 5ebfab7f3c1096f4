"""Databricks magics and `%run`."""

import json

import pytest
from dbk_session.driver.agent.notebook_source import Cell, is_notebook, split_cells, strip_magic
from dbk_session.driver.agent.sql import split_statements

NAMES = """
class Frame:
    def __init__(self, query): self.columns = ['q']; self.query = query
    def __repr__(self): return self.query
class Spark:
    asked = []
    def sql(self, query):
        self.asked.append(query)
        return Frame(query)
class Files:
    def ls(self, path): return [{'path': path, 'size': 1}]
    def head(self, path): return 'head of ' + path
    def rm(self, path, recurse=False): return (path, recurse)
class DbUtils:
    fs = Files()
spark, dbutils = Spark(), DbUtils()
"""


@pytest.fixture(scope="module")
def named(driver):
    driver.run(NAMES)
    return driver


def test_sql_cells_leave_the_last_result_and_show_it(named):
    outcome = named.run("# a title\n%sql\nSELECT 1; SELECT ';' -- last;\n")

    assert outcome.of("display")[0]["data"]["text/plain"] == "SELECT ';' -- last;"
    assert named.run("_sqldf.query, spark.asked[-2:]").result == (
        "(\"SELECT ';' -- last;\", ['SELECT 1', \"SELECT ';' -- last;\"])"
    )


@pytest.mark.parametrize("cell", ["%sql SELECT {x} $y", "%%sql\nSELECT {x} $y", "# MAGIC %sql\n# MAGIC SELECT {x} $y"])
def test_sql_is_taken_as_it_is_written(named, cell):
    named.run(cell)

    assert named.run("_sqldf").result == "SELECT {x} $y"


def test_a_line_of_sql_has_a_value(named):
    assert named.run("df = %sql SELECT 7\ndf.query").result == "'SELECT 7'"


def test_an_extension_keeps_its_own_sql_magic(make_driver):
    driver = make_driver()
    driver.run(
        "get_ipython().register_magic_function(lambda line, cell=None: print('theirs', line), 'line_cell', 'sql')"
    )

    assert driver.run("%sql select 1").text() == "theirs select 1\n"


def test_fs_commands_go_to_dbutils(named):
    assert named.run("%fs ls /data").of("display")[0]["data"]["text/plain"] == "path   size\n/data     1"
    assert named.run("%fs head '/a b'").text() == "head of /a b\n"
    assert named.run("x = %fs rm -r /old\nx").result == "('/old', True)"


def test_markdown_is_shown(named):
    assert named.run("%md\n# Title\ntext").of("display")[0]["data"]["text/markdown"] == "# Title\ntext"


def test_shell_cells_run_in_bash_with_live_output(named):
    outcome = named.run("%sh\nfor i in 1 2; do echo $i; done\necho bad >&2\nfalse")

    assert outcome.text() == "1\n2\n"
    assert outcome.text("stderr") == "bad\n"
    assert outcome.frame["status"] == "ok"


def test_a_shell_cell_fails_when_it_is_told_to(named):
    assert named.run("%sh -e\nexit 3").error == ("CalledProcessError", "Command '%sh' returned non-zero exit status 3.")


def test_python_cells_are_python(named):
    assert named.run("%python\n3 + 4").result == "7"
    assert named.run("# MAGIC %python\n# MAGIC 3 + 5").result == "8"


def test_languages_of_the_client_are_refused_with_a_word(named):
    outcome = named.run("%scala\nval x = 1")

    assert "%scala cells are not run by Python" in outcome.text("stderr")
    assert outcome.done["error"]["ename"] == "UsageError"


def test_pip_passes(named):
    assert "pip" in named.run("%pip --version").text()


def test_a_notebook_runs_inline_with_true_lines_in_its_traceback(named, tmp_path):
    (tmp_path / "other.py").write_text(
        "# Databricks notebook source\nvalue = 5\n# COMMAND ----------\n# MAGIC %md\n# MAGIC *hi*\n"
        "# COMMAND ----------\ndef boom():\n    return 1/0\nprint('ran', value)\n"
    )

    outcome = named.run(f"%run {tmp_path}/other")

    assert outcome.text() == "ran 5\n"
    assert outcome.of("display")[0]["data"]["text/markdown"] == "*hi*"
    assert named.run("value").result == "5"
    traceback = "".join(named.run("boom()").of("error")[0]["traceback"])
    assert "other.py" in traceback
    assert "8" in traceback


def test_notebooks_run_each_other_relative_to_themselves(named, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "first.py").write_text("# Databricks notebook source\n# MAGIC %run ./sub/second\n")
    (tmp_path / "sub" / "second.py").write_text("# Databricks notebook source\n# MAGIC %run ./third\n")
    cells = [
        {"cell_type": "markdown", "source": "# no code"},
        {"cell_type": "code", "source": ["import asyncio\n", "await asyncio.sleep(0)\n", "third = 3"]},
    ]
    (tmp_path / "sub" / "third.ipynb").write_text(json.dumps({"cells": cells}))

    assert named.run(f"%run {tmp_path}/first").frame["status"] == "ok"
    assert named.run("third").result == "3"


def test_a_plain_file_runs_inline_without_its_extension_and_as_ipython_does_it_with_one(named, tmp_path):
    (tmp_path / "plain.py").write_text("where = __name__\n")

    named.run(f"%run {tmp_path}/plain")
    inline = named.run("where").result
    named.run(f"%run -n {tmp_path}/plain.py")
    ordinary = named.run("where").result

    assert (inline, ordinary) == ("'__main__'", "'plain'")


def test_a_notebook_that_is_not_there_is_named(named):
    outcome = named.run("%run ./no_such")

    assert "no notebook './no_such'" in outcome.text("stderr")
    assert outcome.frame["status"] == "error"


def test_a_notebook_file_is_split_into_cells_with_their_lines():
    text = (
        "# Databricks notebook source\n# DBTITLE 1,Title\nx = 1\n\n# COMMAND ----------\n\n# COMMAND ----------\n"
        "# MAGIC %sql\n# MAGIC SELECT 1\n# MAGIC\n# MAGIC -- end\n"
    )

    assert is_notebook(text)
    assert split_cells(text) == [Cell("x = 1", 3), Cell("%sql\nSELECT 1\n\n-- end", 8)]


def test_magic_comments_are_taken_off_and_other_comments_stay():
    assert strip_magic("# MAGIC %sh\n# MAGIC ls") == "%sh\nls"
    assert strip_magic("# MAGICAL\nx") == "# MAGICAL\nx"


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a; b", ["a", "b"]),
        ("a;", ["a"]),
        (";;", []),
        ("select ';' as x; b", ["select ';' as x", "b"]),
        ("select 'it''s;' ; b", ["select 'it''s;'", "b"]),
        (r"select 'a\';b'; c", [r"select 'a\';b'", "c"]),
        ("-- only a comment;\n", []),
        ("a -- x;y\n; b /* ; */", ["a -- x;y", "b /* ; */"]),
        ("select `a;b`", ["select `a;b`"]),
        ("", []),
    ],
)
def test_sql_is_split_where_a_statement_ends(text, statements):
    assert split_statements(text) == statements
