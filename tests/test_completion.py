"""The completion scripts of all commands load in their shells and offer the commands and options there are."""

from __future__ import annotations

import importlib
import shutil
import subprocess

import pytest

PARSERS = {"dbk-config": "dbk_config.__main__", "dbk-session": "dbk_session._cli", "dbk-sync": "dbk_sync._cli"}


@pytest.fixture(params=PARSERS)
def parser(request):
    return importlib.import_module(PARSERS[request.param]).make_parser()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_valid_in_its_shell(parser, shell, tmp_path):
    from dbk_config.cli import completion_script

    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (tmp_path / "script").write_text(completion_script(parser, shell))

    done = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def test_fish_offers_every_subcommand_and_every_option(parser, tmp_path):
    from dbk_config.cli import completion_script

    if not shutil.which("fish"):
        pytest.skip("no fish here")
    (subcommands,) = (action for action in parser._actions if action.nargs == "A...")
    options = {
        name: {option for action in each._actions for option in action.option_strings}
        for name, each in subcommands.choices.items()
    }
    lines = [f"{parser.prog} ", *(f"{parser.prog} {name} -" for name in options)]
    asked = "\n".join(f"complete -C'{line}'; echo END" for line in lines)
    (tmp_path / "script").write_text(f"{completion_script(parser, 'fish')}\n{asked}")

    done = subprocess.run(["fish", tmp_path / "script"], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    offered = [{row.partition("\t")[0] for row in part.splitlines() if row} for part in done.stdout.split("END\n")]

    assert done.stderr == ""
    assert offered[0] == set(options)
    assert dict(zip(options, offered[1:], strict=False)) == options
