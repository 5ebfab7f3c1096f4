"""The completion scripts of all commands load in their shells and offer the commands and options there are."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys

import pytest

PARSERS = {
    "dbk-config": "dbk_config.__main__",
    "dbk-session": "dbk_session._cli",
    "dbk-sync": "dbk_sync._cli",
    "dbk-local": "dbk_local.__main__",
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


def all_options(parser):
    """The options of every subcommand, theirs included: {what is typed before them: the options}."""
    for action in parser._actions:
        if action.nargs == "A...":
            for each in action.choices.values():
                yield each.prog, {option for action in each._actions for option in action.option_strings}
                yield from all_options(each)


def test_fish_offers_every_subcommand_and_every_option(parser, script, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("no fish here")
    options = dict(all_options(parser))
    subcommands = {prog.split()[1] for prog in options}
    lines = [f"{parser.prog} ", *(f"{prog} -" for prog in options)]
    asked = "\n".join(f"complete -C'{line}'; echo END" for line in lines)
    (tmp_path / "script").write_text(f"{script('fish')}\n{asked}")

    done = subprocess.run(["fish", tmp_path / "script"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    offered = [{row.partition("\t")[0] for row in part.splitlines() if row} for part in done.stdout.split("END\n")]

    assert done.stderr == ""
    assert offered[0] == subcommands
    assert dict(zip(options, offered[1:], strict=False)) == options


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("spark i", {"install"}),
        ("spark install 16", {"16.4"}),
        ("serve --access-mode s", {"standard"}),
        ("run --cluster-state TERMINATED --ru", {"--runtime"}),
        ("run -- pytest --ver", set()),  # nothing of ours, hence files
    ],
)
def test_bash_completes_dbk_local(line, offered):
    words = ["dbk-local", *line.split(" ")]
    code = f"eval \"$('{sys.executable}' -m dbk_local completion bash)\"; COMP_WORDS=({' '.join(words)}); "
    code += f'COMP_CWORD={len(words) - 1}; _dbk_local; echo "${{COMPREPLY[@]}}"'

    done = subprocess.run(["bash", "-euc", code], check=True, capture_output=True, text=True, timeout=60)

    assert set(done.stdout.split()) == offered


def test_the_two_copies_of_the_module_are_alike(root):
    copies = sorted(root.glob("packages/*/src/*/_completion.py"))

    assert [copy.parent.name for copy in copies] == ["dbk_config", "dbk_local"]
    assert copies[0].read_bytes() == copies[1].read_bytes()
