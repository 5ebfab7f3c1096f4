"""`dbk-local serve` and `dbk-local run`: what they print, pass on and leave behind."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
import urllib.request

import psutil
import pytest

COMMAND = [sys.executable, "-m", "dbk_local"]
QUICK = ["--set", "spark=off"]
DEADLINE_S = 60


def finish(*arguments, **more):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=DEADLINE_S, **more)


@pytest.fixture
def start():
    """Start the command; whatever is left of it is ended."""
    started = []

    def start(*arguments, **more):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([*COMMAND, *arguments], start_new_session=True, **{**pipes, **more}))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE_S)
        process.stdin.close()
        process.stdout.close()


def family(process):
    """A process and all it started, as they are now."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def alive(processes):
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_serve_says_in_json_where_it_is_and_ends_with_its_stdin(start, until):
    process = start("serve", "--json", "--until-eof", *QUICK)
    about = json.loads(process.stdout.readline())
    everything = family(process)

    process.stdin.close()

    assert set(about) == {"host", "token", "cluster_id", "user_name", "pid", "spark_version"}
    assert process.wait(DEADLINE_S) == 0
    until(lambda: not alive(everything))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_ends_orderly_on_a_signal(start, until, number):
    process = start("serve", "--json", *QUICK)
    process.stdout.readline()
    everything = family(process)

    process.send_signal(number)

    assert process.wait(DEADLINE_S) == 0
    until(lambda: not alive(everything))


def test_the_banner_has_the_variables_to_export(start):
    process = start("serve", *QUICK)
    text = ""
    while "Ctrl-C" not in text:
        text += process.stdout.readline()
    host = re.search(r"DATABRICKS_HOST=(\S+)", text)[1]
    token = re.search(r"DATABRICKS_TOKEN=(\S+)", text)[1]
    request = urllib.request.Request(f"{host}/api/2.0/preview/scim/v2/Me", headers={"Authorization": f"Bearer {token}"})

    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        assert json.load(answer)["userName"] == "dev@example.com"

    assert f"{host}/#token={token}" in text


def test_serve_takes_options_a_preset_a_folder_and_a_stopped_cluster(start, tmp_path):
    process = start(
        *("serve", "--json", *QUICK, "--runtime", "15.4", "--access-mode", "standard", "--folder", str(tmp_path / "f")),
        *("--cluster-state", "TERMINATED", "--set", "user_name=me@example.com", "--set", "latency_s=0.5"),
    )
    about = json.loads(process.stdout.readline())
    request = urllib.request.Request(
        f"{about['host']}/_local/status", headers={"Authorization": f"Bearer {about['token']}"}
    )
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        status = json.load(answer)

    assert about["user_name"] == "me@example.com"
    assert status["clusters"][0]["state"] == "TERMINATED"
    assert (status["options"]["runtime"], status["options"]["access_mode"]) == ("15.4", "standard")
    assert status["options"]["latency_s"] == 0.5
    assert (tmp_path / "f" / "workspace" / "Users" / "me@example.com").is_dir()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["serve", "--host", "0.0.0.0"], "is not a loopback address"),
        (["serve", "--set", "nonsense=1"], "there is no option 'nonsense'"),
        (["serve", "--runtime", "9.1"], "--runtime: invalid choice: '9.1'"),
        (["serve", "--fault", "{}"], "There is no fault ''"),
        (["serve", "--fault", "nonsense"], "is not JSON"),
        (["run", "--fault", "[]", "--", "true"], "is not a JSON object"),
        (["run", "--set", "nonsense=1", "--", "true"], "there is no option 'nonsense'"),
        (["serve", "--port", "99999"], "Port 99999 of 127.0.0.1 cannot be had: there is no such port."),
        (["serve", "--folder", "/dev/null/x"], "/dev/null/x cannot be used: Not a directory."),
        (["run", "--folder", "/dev/null/x", "--", "true"], "/dev/null/x cannot be used: Not a directory."),
    ],
)
def test_a_foreseeable_mistake_is_one_message(arguments, text):
    done = finish(*arguments)

    assert (done.returncode, text in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_a_port_or_a_folder_that_is_in_use_is_named(start, tmp_path):
    about = json.loads(start("serve", "--json", *QUICK, "--folder", tmp_path / "f").stdout.readline())
    port = about["host"].rpartition(":")[2]

    same_port = finish("serve", *QUICK, "--port", port)
    same_folder = finish("serve", *QUICK, "--folder", tmp_path / "f")
    run = finish("run", *QUICK, "--folder", tmp_path / "f", "--", "true")

    assert (same_port.returncode, same_folder.returncode, run.returncode) == (2, 2, 2)
    assert f"Port {port} of 127.0.0.1 cannot be had: Address already in use." in same_port.stderr
    assert "is in use by another workspace." in same_folder.stderr
    assert "is in use by another workspace." in run.stderr
    assert "Traceback" not in same_port.stderr + same_folder.stderr + run.stderr


def test_a_workspace_that_is_started_again_on_its_folder_knows_its_token(start, tmp_path):
    arguments = ("serve", "--json", "--until-eof", *QUICK, "--folder", tmp_path / "f")
    first = start(*arguments)
    token = json.loads(first.stdout.readline())["token"]
    first.stdin.close()
    first.wait(DEADLINE_S)

    (tmp_path / "g").mkdir()
    again = json.loads(start(*arguments).stdout.readline())["token"]
    other = json.loads(start(*arguments[:-1], tmp_path / "g").stdout.readline())["token"]

    assert again == token != other
    assert stat.S_IMODE((tmp_path / "f" / ".token").stat().st_mode) == 0o600


def test_a_token_that_others_could_read_is_replaced(start, tmp_path):
    (tmp_path / ".token").write_text("dapi1\n")

    token = json.loads(start("serve", "--json", *QUICK, "--folder", tmp_path).stdout.readline())["token"]

    assert token != "dapi1"
    assert (tmp_path / ".token").read_text() == f"{token}\n"


def test_faults_can_be_given_on_the_command_line(start):
    process = start("serve", "--json", *QUICK, "--fault", '{"route": "GET /api/2.0/preview/scim/v2/Me", "kind": "503"}')
    about = json.loads(process.stdout.readline())
    headers = {"Authorization": f"Bearer {about['token']}"}
    request = urllib.request.Request(f"{about['host']}/api/2.0/preview/scim/v2/Me", headers=headers)

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=DEADLINE_S)

    with caught.value as answer:
        assert answer.code == 503


def test_run_gives_a_command_the_workspace_and_passes_on_its_exit_status():
    code = "import os, sys; print(os.environ['DATABRICKS_HOST'], len(os.environ['DATABRICKS_TOKEN'])); sys.exit(7)"

    done = finish("run", *QUICK, "--", sys.executable, "-c", code)

    assert done.returncode == 7
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.stderr == ""


def test_run_passes_on_arguments_and_the_end_by_a_signal():
    code = "import os, signal, sys; print(sys.argv[1:]); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)"

    done = finish("run", *QUICK, "--", sys.executable, "-c", code, "--flag", "a b", "--")

    assert done.stdout == "['--flag', 'a b', '--']\n"
    assert done.returncode == 128 + signal.SIGKILL


def test_run_of_what_is_not_there_exits_like_a_shell():
    done = finish("run", *QUICK, "--", "no-such-command")

    assert done.returncode == 127
    assert "no-such-command: No such file or directory" in done.stderr


def test_run_passes_on_a_signal_waits_and_leaves_nothing(start, until):
    code = (
        "import os, signal, sys\n"
        "def end(*_):\n    os.write(1, b'told\\n'); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True)\nsignal.pause()"
    )
    process = start("run", *QUICK, "--", sys.executable, "-c", code)
    assert process.stdout.readline() == "up\n"
    everything = family(process)

    process.send_signal(signal.SIGTERM)

    assert process.stdout.readline() == "told\n"
    assert process.wait(DEADLINE_S) == 3
    until(lambda: not alive(everything))


def test_run_can_use_the_workspace_from_its_command():
    code = (
        "import json, os, urllib.request as u\n"
        "r = u.Request(os.environ['DATABRICKS_HOST'] + '/api/2.1/clusters/get?cluster_id=' + "
        "os.environ['DATABRICKS_CLUSTER_ID'], headers={'Authorization': 'Bearer ' + os.environ['DATABRICKS_TOKEN']})\n"
        "print(json.load(u.urlopen(r))['state'])"
    )

    assert finish("run", *QUICK, "--", sys.executable, "-c", code).stdout == "RUNNING\n"


def test_run_takes_faults_too():
    code = (
        "import os, urllib.request as u, urllib.error as e\n"
        "try:\n    u.urlopen(os.environ['DATABRICKS_HOST'] + '/.well-known/databricks-config')\n"
        "except e.HTTPError as error:\n    print(error.code)"
    )

    done = finish("run", *QUICK, "--fault", '{"kind": "503"}', "--", sys.executable, "-c", code)

    assert done.stdout == "503\n"


def test_the_options_and_faults_are_listed():
    listed = finish("options").stdout

    for text in ("--set NAME=VALUE", "results_while_running='null'", "--fault JSON", "  429 retry_after\n"):
        assert text in listed


def test_the_routes_are_listed():
    assert "POST    /api/1.2/commands/execute" in finish("routes").stdout


def test_no_command_is_wrong_usage_and_the_version_is_told():
    assert finish().returncode == 2
    assert finish("--version").stdout.startswith("dbk-local ")


def test_verbose_says_each_request_and_never_the_token():
    code = (
        "import os, urllib.request as u; h = os.environ['DATABRICKS_HOST']; t = os.environ['DATABRICKS_TOKEN']; "
        "u.urlopen(u.Request(h + '/api/2.0/preview/scim/v2/Me', headers={'Authorization': 'Bearer ' + t})); print(t)"
    )

    done = finish("run", "--verbose", "--", sys.executable, "-c", code)

    assert "GET /api/2.0/preview/scim/v2/Me: 200" in done.stderr
    assert done.stdout.strip()
    assert done.stdout.strip() not in done.stderr
    assert "GET" not in finish("run", "--", sys.executable, "-c", code).stderr
