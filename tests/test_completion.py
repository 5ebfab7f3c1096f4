"""Every command tells the shells that ask it which words can follow."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys

import pytest

PARSERS = {
    "dbk-config": "dbk_config._cli",
    "dbk-session": "dbk_session._cli",
    "dbk-sync": "dbk_sync._cli",
    "dbk-local": "dbk_local._cli",
}


@pytest.fixture(params=PARSERS)
def parser(request):
    return importlib.import_module(PARSERS[request.param]).make_parser()


@pytest.fixture
def script(parser):
    """script(shell) -> what the command prints for that shell."""

    def ask(shell):
        command = [sys.executable, "-m", PARSERS[parser.prog].partition(".")[0], "completion", shell]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    return ask


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_valid_in_its_shell(script, shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (tmp_path / "script").write_text(script(shell))

    done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dbk-config c", {"check", "completion"}),
        ("dbk-session run --ch", {"--channel"}),
        ("dbk-session exec --channel p", {"plain"}),
        ("dbk-sync w", {"watch"}),
        ("dbk-sync push --no-u", {"--no-use-gitignore"}),
        ("dbk-local spark i", {"install"}),
        ("dbk-local spark install 16", {"16.4"}),
        ("dbk-local serve --access-mode s", {"standard"}),
        ("dbk-local run --cluster-state TERMINATED --ru", {"--runtime"}),
    ],
)
def test_bash_completes(line, offered):
    name = line.split()[0]
    code = f"""{name}() {{ '{sys.executable}' -m {name.replace("-", "_")} "$@"; }}
    eval "$({name} completion bash)"; COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9 COMPREPLY=()
    _python_argcomplete {name}; echo "${{COMPREPLY[@]}}"
    """

    done = subprocess.run(["bash", "-uc", code], check=True, capture_output=True, text=True, timeout=60)

    assert set(done.stdout.split()) == offered
