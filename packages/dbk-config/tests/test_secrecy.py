"""No output of any command ever has the token in it, whatever goes wrong."""

from __future__ import annotations

import pytest

TOKEN = "dapi" + "0123456789abcdef" * 2
LINES = ("", "--debug")


@pytest.mark.parametrize("debug", LINES)
@pytest.mark.parametrize(
    "text",
    [
        "[tool.jupyter-databricks-kernel]\ntoken = 'TOKEN'\n",
        "[tool.jupyter-databricks-kernel]\nToken = 'TOKEN'\n",
        "[tool.jupyter-databricks-kernel]\nhost = 'https://token:TOKEN@x.example.com'\n",
        "[tool.jupyter-databricks-kernel]\ntoken = 'TOKEN\n",
        "[tool.jupyter-databricks-kernel]\ntoken = TOKEN\n",
        "token 'TOKEN'\n",
    ],
)
@pytest.mark.parametrize("words", [("show",), ("get", "token"), ("check",), ("set", "cluster_id", "a")])
def test_a_project_file_with_a_token_in_it(project, run, monkeypatch, text, words, debug):
    file = project(text.replace("TOKEN", TOKEN))
    monkeypatch.chdir(file.parent)

    _, out, err = run(*words, *debug.split())

    assert TOKEN not in out + err


@pytest.mark.parametrize("debug", LINES)
@pytest.mark.parametrize(
    "text", ["TOKEN\n", "[a]\nTOKEN\n", "[a]\ntoken = TOKEN\ntoken = TOKEN\n", "[DEFAULT]\nhost = https://TOKEN@h\n"]
)
def test_a_broken_configuration_file(tmp_path, profiles, run, monkeypatch, text, debug):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", profiles(text.replace("TOKEN", TOKEN))["DATABRICKS_CONFIG_FILE"])

    code, out, err = run("show", *debug.split())

    assert code == 2
    assert TOKEN not in out + err


@pytest.mark.parametrize("debug", LINES)
@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN} x", f"{TOKEN}\nx", f"{TOKEN}é"])
@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "no host", f"https://user:{TOKEN}@h"])
@pytest.mark.parametrize("words", [("show",), ("show", "--json"), ("check",), ("check", "--json"), ("init", "--yes")])
def test_a_token_of_the_environment(tmp_path, run, monkeypatch, words, host, token, debug):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABRICKS_TOKEN", token)
    monkeypatch.setenv("DATABRICKS_HOST", host)

    _, out, err = run(*words, *debug.split())

    assert TOKEN not in out + err


@pytest.mark.parametrize("debug", LINES)
@pytest.mark.parametrize("words", [("set", "token", TOKEN), ("set", TOKEN, "x"), ("set", "host", f"https://{TOKEN}@h")])
def test_a_token_on_the_command_line(tmp_path, run, monkeypatch, words, debug):
    monkeypatch.chdir(tmp_path)

    code, out, err = run(*words, *debug.split())

    assert code == 2
    assert TOKEN not in out + err
