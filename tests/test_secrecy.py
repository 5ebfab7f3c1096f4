"""The plugin that searches all output for tokens: each way of printing one fails the test that does it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

LEAKS = {
    "captured stdout call": "print(workspace.token)",
    "captured stderr call": "print(workspace.token, file=sys.stderr)",
    "captured stdout teardown": "request.addfinalizer(lambda: print(workspace.token))",
    "the log of dbk.test": "logging.getLogger('dbk.test').debug('with %s', workspace.token)",
    "the log of databricks.sdk": "logging.getLogger('databricks.sdk').debug(workspace.token)",
    "the text of the failure": "assert workspace.token == 'x'",
    "what capsys or capfd gave": "cap = request.getfixturevalue('capsys'); print(workspace.token); cap.readouterr()",
    "the traceback of ValueError": "with pytest.raises(ValueError): fail(workspace.token)",
    "the traceback of KeyError": "with pytest.raises(KeyError): fail_because_of(workspace.token)",
    "what a child process said": "subprocess.run(ECHO, env=workspace.env(), stdout=subprocess.PIPE, check=True)",
    "what a child process said, in lines": "read_lines(ECHO, workspace.env(), True)",
    "what a child process said, in bytes": "read_lines(ECHO, workspace.env(), False)",
    "what a child process said, another's": "subprocess.check_output(ECHO, env={'DATABRICKS_TOKEN': 'of-another'})",
    "what a test reads itself": "request.getfixturevalue('no_token_in')('what a test reads itself', workspace.token)",
    "a message of a kernel": "Session(key=b'').deserialize([b'{}'] * 4 + [workspace.token.encode()])",
}
START = """
import logging, subprocess, sys, warnings
import pytest
from dbk_local import Workspace
from jupyter_client.session import Session

ECHO = ["/bin/sh", "-c", "echo $DATABRICKS_TOKEN"]

def fail(text):
    raise ValueError(text)

def fail_because_of(text):
    try:
        fail(text)
    except ValueError as error:
        raise KeyError("innocent") from error

def read_lines(command, env, text):
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=text) as process:
        return list(process.stdout)

@pytest.fixture(scope="module")
def workspace():
    with Workspace(spark=False) as workspace:
        yield workspace
"""
INNOCENT = """
def test_that_is_innocent(workspace, capsys):
    print(workspace, workspace.host)
    logging.getLogger("dbk").debug("to %s", workspace.host)
    with pytest.raises(KeyError, match="innocent"):
        fail_because_of("nothing")
    read_lines(ECHO, {}, True)
    assert workspace.host in capsys.readouterr().out
"""


WARNING = """
def test_that_warns(workspace):
    warnings.warn(workspace.token)

def test_that_comes_next():
    pass
"""
TELL = """
import json

def pytest_runtest_logreport(report):
    with open("reports.jsonl", "a") as file:
        said = [text for title, text in report.sections if title == "Secrecy"]
        print(json.dumps([report.nodeid.rpartition("::")[2], report.outcome, said]), file=file)
"""


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    """run(*arguments, **tests): pytest with the plugin on files of these names and texts; what ended, and where."""

    def start(*arguments, **tests):
        folder = tmp_path_factory.mktemp("leaking")
        (folder / "tests").mkdir()
        shutil.copy(root / "tests/secrecy.py", folder / "tests")
        (folder / "packages").mkdir()
        (folder / "packages/conftest.py").write_text((root / "packages/conftest.py").read_text() + TELL)
        for name, text in tests.items():
            (folder / f"packages/{name}.py").write_text(START + text)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            folder,
        ]
        command += [*arguments, "packages"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120), folder

    return start


@pytest.fixture(scope="module")
def reports(run):
    """(test, outcome, what the plugin says of it) of every report of one run of the leaking tests."""
    leaks = [f"\ndef test_leak_{n}(workspace, request):\n    {code}\n" for n, code in enumerate(LEAKS.values())]
    ended, folder = run(test_leaks=INNOCENT + "".join(leaks), test_warning=WARNING)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    return [json.loads(line) for line in (folder / "reports.jsonl").read_text().splitlines()]


def test_a_test_that_prints_no_token_passes(reports):
    assert [said for name, outcome, said in reports if name == "test_that_is_innocent" and outcome == "passed"] == [
        [],
        [],
        [],
    ]


@pytest.mark.parametrize(("n", "where"), list(enumerate(LEAKS)), ids=list(LEAKS))
def test_a_test_that_prints_a_token_fails(reports, n, where):
    said = [said for name, outcome, said in reports if name == f"test_leak_{n}" and outcome == "failed"]

    assert len(said) == 1
    assert where.partition(",")[0] in said[0][0]


def test_a_warning_with_a_token_fails_the_next_report(reports):
    said = [said for name, outcome, said in reports if name == "test_that_comes_next" and outcome == "failed"]

    assert said == [["the token of a workspace is in a warning of packages/test_warning.py::test_that_warns"]]


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["in one process", "in a worker"])
def test_a_warning_with_a_token_after_the_last_test_fails_the_run(run, workers):
    if workers:
        pytest.importorskip("xdist")

    ended, _ = run(*workers, test_last=WARNING.partition("def test_that_comes_next")[0])

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "After the last test, the token of a workspace is in a warning of packages/test_last.py::" in ended.stdout
