"""What Databricks adds to a cell, through a kernel process: `%sh`, `%fs`, `%md`, `%run`, `%pip`."""

import json
import zipfile

import pytest

SOURCE = """# Databricks notebook source
first = WORD * 2
# COMMAND ----------
# MAGIC %md
# MAGIC Not code.
# COMMAND ----------
second = len(first)
"""


@pytest.fixture(scope="module")
def kernel(workspace, environment, start_kernel, make_project):
    """A kernel in a project that has notebooks of both kinds."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["Not code."]},
        {
            "cell_type": "code",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": ["third = [1,\n", "3]"],
        },
    ]
    saved = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    project = make_project(**{"other.py": SOURCE, "saved.ipynb": saved})
    with start_kernel(environment(workspace), project) as running:
        yield running


def test_sh_runs_a_shell_where_the_files_are(client):
    answer = client.run("%sh\necho $((6 * 7))\nls greeting.py")

    assert answer.status == "ok"
    assert answer.stdout.split() == ["42", "greeting.py"]


def test_fs_lists_a_folder(client):
    client.run("dbutils.fs.put('/tmp/listed/one.txt', 'x' * 12, True)")

    answer = client.run("%fs ls /tmp/listed")

    assert answer.status == "ok"
    assert "one.txt" in json.dumps(answer.contents("display_data")[0]["data"])


def test_md_shows_markdown(client):
    answer = client.run("%md\n# Title\n*text*")

    (shown,) = answer.contents("display_data")
    assert shown["data"]["text/markdown"] == "# Title\n*text*"


def test_run_executes_a_databricks_source_of_the_project_in_this_namespace(client):
    client.run("WORD = 'hello'")

    answer = client.run("%run ./other")

    assert answer.status == "ok"
    assert client.run("first, second").result["text/plain"] == "('hellohello', 10)"


def test_run_executes_a_saved_notebook_of_the_project(client):
    assert client.run("%run ./saved").status == "ok"

    assert client.run("third").result["text/plain"] == "[1, 3]"


def test_run_of_what_is_not_there_is_an_error(client):
    answer = client.run("%run ./nowhere")

    assert answer.status == "error"
    assert "nowhere" in json.dumps(answer.messages[0]["content"])


@pytest.fixture
def wheel(tmp_path):
    """A package of one module, as a file that pip installs without asking anybody."""
    path = tmp_path / "tiny_thing-1.0-py3-none-any.whl"
    info = "tiny_thing-1.0.dist-info"
    files = {
        "tiny_thing.py": "SIZE = 7\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_pip_then_a_fresh_python_has_the_package_and_says_once_that_variables_are_gone(client, wheel):
    client.run("kept = 1")
    installed = client.run(f"%pip install --no-index --no-deps {wheel}")
    restarted = client.run("dbutils.library.restartPython()")
    found = client.run("import tiny_thing\ntiny_thing.SIZE")
    gone = client.run("kept")
    files = client.run("from greeting import WORD\nWORD")

    assert installed.status == "ok"
    assert restarted.status == "ok"
    assert found.result["text/plain"] == "7"
    assert gone.reply["ename"] == "NameError"
    assert files.result["text/plain"] == "'hello'"
    told = [answer.stderr.count("all variables were reset") for answer in (installed, restarted, found, gone, files)]
    assert (sum(told), told[3:]) == (1, [0, 0])


@pytest.mark.parametrize("language", ["scala", "r"])
def test_a_language_that_the_cluster_does_not_run_is_said_in_one_error_and_python_goes_on(client, language):
    client.run("kept = 1")
    answer = client.run(f"%{language}\n1 + 1")

    assert answer.kinds == ["error"]
    assert language in answer.reply["evalue"]
    assert "\n" not in answer.reply["evalue"]
    assert client.run("import greeting; kept").result["text/plain"] == "1"


def test_a_cell_of_another_language_goes_to_the_context_under_its_language(client, workspace):
    workspace.clear_requests()
    client.run("%scala val x = 1\nx")

    sent = [r.body_json for r in workspace.requests() if r.path == "/api/1.2/commands/execute"]
    (cell,) = [body for body in sent if body["language"] != "python"]
    assert (cell["language"], cell["command"]) == ("scala", "val x = 1\nx")
