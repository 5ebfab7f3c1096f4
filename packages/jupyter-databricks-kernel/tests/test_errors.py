"""Every row of the troubleshooting table, provoked: a named error, one line, the next step."""

import socket

import pytest

ANSI = "\x1b["


@pytest.fixture
def cell(environment, start_kernel, make_project, workspace):
    """Runs one cell in a kernel of its own whose environment and project are as given; gives its error reply."""

    def run(changes=None, settings="", code="1", without=(), **files):
        env = environment(workspace, **(changes or {}))
        for name in without:
            env.pop(name, None)
        with start_kernel(env, make_project(settings, **files)) as kernel:
            answer = kernel.client.run(code, timeout_s=120)
        assert answer.kinds == ["error"], answer.messages
        assert answer.contents("error")[0]["ename"] == answer.reply["ename"]
        assert "\n" not in answer.reply["evalue"]
        return answer.reply

    return run


def shown(reply):
    return "\n".join(reply["traceback"])


@pytest.mark.parametrize("name", ["DATABRICKS_HOST", "DATABRICKS_CLUSTER_ID"])
def test_a_missing_setting_is_named(cell, name):
    reply = cell(without=[name])

    assert f"{name} not set" in shown(reply)


def test_missing_settings_are_named_together(cell):
    reply = cell(without=["DATABRICKS_HOST", "DATABRICKS_CLUSTER_ID"])

    assert "DATABRICKS_HOST not set" in shown(reply)
    assert "DATABRICKS_CLUSTER_ID not set" in shown(reply)


def test_a_missing_token_is_named(cell):
    assert "DATABRICKS_TOKEN not set" in shown(cell(without=["DATABRICKS_TOKEN"]))


def test_a_wrong_token_is_an_authentication_error(cell):
    reply = cell({"DATABRICKS_TOKEN": "dapi00000000000000000000000000000000"})

    assert reply["ename"] == "AuthenticationError"
    assert "Invalid token" in shown(reply)
    assert "dapi0000" not in shown(reply)


def test_an_unknown_cluster_is_not_found(cell):
    reply = cell({"DATABRICKS_CLUSTER_ID": "0000-000000-nowhere1"})

    assert reply["ename"] == "ClusterNotFound"
    assert "Cluster not found" in shown(reply)


def test_a_workspace_that_nobody_answers_at_is_a_lost_connection(cell):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        reply = cell({"DATABRICKS_HOST": f"http://127.0.0.1:{held.getsockname()[1]}"})

    assert reply["ename"] == "ConnectionLost"
    assert "Connection lost" in shown(reply)


def test_a_project_over_its_limit_is_not_sent_and_nothing_is_started(cell, workspace):
    workspace.reset()
    reply = cell(settings="[tool.jupyter-databricks-kernel.sync]\nmax_size_mb = 0.001", **{"big.txt": "x" * 5000})

    assert reply["ename"] == "FileSizeError"
    assert "limit" in shown(reply)
    assert "max_size_mb" in shown(reply)
    assert workspace.contexts() == []


def test_a_wrong_setting_names_its_file_and_line(cell):
    reply = cell(settings='channel = "pigeon"')

    assert "pyproject.toml" in shown(reply)
    assert "pigeon" in shown(reply)


def test_the_next_cell_reads_a_corrected_setting(environment, start_kernel, make_project, workspace):
    project = make_project('channel = "pigeon"')
    with start_kernel(environment(workspace), project) as kernel:
        assert kernel.client.run("1").status == "error"
        (project / "pyproject.toml").write_text("[tool.jupyter-databricks-kernel]\n", "utf-8")

        assert kernel.client.run("6 * 7").result["text/plain"] == "42"


NOT_IN_COMMANDS = "[tool.jupyter-databricks-kernel.sync]\ninline = false"


@pytest.fixture
def refuse(workspace):
    """Lets the workspace refuse everything under the given paths for want of a permission."""

    def add(*paths):
        for path in paths:
            workspace.fault(
                f"* {path}*", "status", times=None, status=403, code="PERMISSION_DENIED", message="no rights"
            )

    yield add
    workspace.clear_faults()


def told(client):
    """What the kernel has told beside the cells."""
    texts = [message["content"]["text"] for message in client.stray if message["msg_type"] == "stream"]
    return "".join(texts)


def test_a_refused_dbfs_is_named_and_the_files_go_another_way(
    environment, start_kernel, make_project, workspace, refuse
):
    refuse("/api/2.0/dbfs/")
    with start_kernel(environment(workspace), make_project(NOT_IN_COMMANDS)) as kernel:
        answer = kernel.client.run("import greeting\ngreeting.WORD", allow_stdin=True)

    assert answer.result["text/plain"] == "'hello'"
    assert "Permission denied on DBFS" in told(kernel.client)


def test_a_refused_dbfs_without_another_way_is_an_error(cell, refuse):
    refuse("/api/2.0/dbfs/", "/api/2.0/workspace")
    reply = cell(settings=NOT_IN_COMMANDS)

    assert reply["ename"] == "UploadError"
    assert "Permission denied on DBFS" in shown(reply)


def test_a_socket_file_is_skipped_with_a_word_and_the_cell_runs(
    environment, start_kernel, make_project, workspace, monkeypatch
):
    project = make_project()
    monkeypatch.chdir(project)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as served:
        served.bind("served.sock")
        with start_kernel(environment(workspace), project) as kernel:
            answer = kernel.client.run(
                "import greeting, os\ngreeting.WORD, os.path.exists('served.sock')", allow_stdin=True
            )
            kernel.client.run("1", allow_stdin=True)

    assert answer.result["text/plain"] == "('hello', False)"
    assert told(kernel.client).count("Socket file skipped: served.sock") == 1
