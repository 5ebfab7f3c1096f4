"""Shell completion, in the shells themselves: what is offered for a line that ends where Tab is pressed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

DEADLINE_S = 60
# Line, what is offered; None stands for the files of the folder.
SAME_EVERYWHERE = {
    "dbk-config sh": {"show"},
    "dbk-config --debug che": {"check"},
    "dbk-config get sync.ex": {"sync.exclude", "sync.extract_to"},
    "dbk-config set tok": set(),
    "dbk-config check --cl": {"--cluster-id"},
    "dbk-config completion z": {"zsh"},
    "dbk-config init --file ": None,
    "dbk-config init --profile ": None,
    "dbk-config show --host=": None,
    "nest ou": {"outer"},
    "nest outer i": {"inner"},
    "nest outer inner --si": {"--size"},
    "nest outer inner --size l": {"large"},
    "nest outer fl": {"flat"},
    "nest outer inner -- ": None,
}
# A command whose subcommand has subcommands, and one that ends in another command's words.
NEST = """
from dbk_config import cli
parser = cli.make_parser("dbk-config", "Nests.", example="nest outer", prog="nest")
commands = parser.add_subparsers()
add = {"package": "dbk-config", "run": None, "example": "nest outer"}
outer = cli.add_command(commands, "outer", help="outer", **add).add_subparsers()
inner = cli.add_command(outer, "inner", help="inner", **add)
inner.add_argument("--size", choices=["small", "large"], help="how much")
inner.add_argument("words", nargs="*", help="what to run")
cli.add_command(outer, "flat", help="flat", **add)
cli.add_completion(commands, parser, package="dbk-config")
cli.run_parser(parser)
"""
FILES = {"a.toml", "b.toml"}


def needs(shell):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"no {shell} here")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two files, the current one; the commands `dbk-config` and `nest` are on the path."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "nest.py").write_text(NEST)
    for name, starts in {"dbk-config": "-m dbk_config", "nest": f"'{tmp_path}/nest.py'"}.items():
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {starts} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "ZDOTDIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    for name in FILES:
        (tmp_path / "here" / name).touch()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


BASH = """
asked() {{  # as readline calls it: a word ends at each letter of COMP_WORDBREAKS, so that one may be an =
    COMP_LINE=$1 COMP_POINT=${{#1}} COMP_TYPE=9 COMPREPLY=(); _python_argcomplete "$2"
    printf '%s\\n' "${{COMPREPLY[@]}}" END
}}
eval "$(dbk-config completion bash)"; eval "$(nest completion bash)"
{asked}
"""


@needs("bash")
def test_bash_completes(folder):
    lines = SAME_EVERYWHERE | {"dbk-config --verbose completion ": {"bash", "zsh", "fish"}}
    asked = "\n".join(f"asked '{line}' {line.split()[0]}" for line in lines)

    done = subprocess.run(["bash", "-uc", BASH.format(asked=asked)], capture_output=True, text=True, timeout=120)

    given = [{word.strip() for word in part.split("\n")} - {""} for part in done.stdout.split("END\n")]
    assert done.stderr == ""
    assert dict(zip(lines, given, strict=False)) == {
        line: FILES if offered is None else offered for line, offered in lines.items()
    }


@needs("fish")
def test_fish_completes(folder):
    lines = SAME_EVERYWHERE | {
        "dbk-config completion ": {"bash", "zsh", "fish"},
        "dbk-config check ": set(),
        "dbk-config show -": {"-h", "-v", "--help", "--verbose", "--debug", "--host", "--profile", "--cluster-id"}
        | {"--json", "--version"},
    }
    asked = "\n".join(f"complete -C'{line}'; echo END" for line in lines)
    done = subprocess.run(
        ["fish", "-c", f"dbk-config completion fish | source; nest completion fish | source\n{asked}"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stderr == ""
    given = [{row.partition("\t")[0] for row in part.splitlines() if row} for part in done.stdout.split("END\n")]
    found = dict(zip(lines, given, strict=False))
    assert found.pop("dbk-config show --host=") == {f"--host={name}" for name in FILES}
    assert found == {
        line: FILES if offered is None else offered for line, offered in lines.items() if not line.endswith("=")
    }


ZSH_LOADS = {
    "by eval": "autoload -Uz compinit; compinit -u -D; "
    'eval "$(dbk-config completion zsh)"; eval "$(nest completion zsh)"',
    "from a folder": "mkdir $HOME; fpath=($HOME $fpath); "
    "dbk-config completion zsh > $HOME/_dbk-config; nest completion zsh > $HOME/_nest; "
    "autoload -Uz compinit; compinit -u -D",
}
ZSH = r"""
PROMPT='> '; unsetopt beep; LISTMAX=100000
compadd() {  # the one way by which completions reach the shell: what is told here, a user sees
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits_; builtin compadd -A hits_ "$@"; print -rl -- $hits_ >> $TOLD
    builtin compadd "$@"
}
tab() { zle list-choices; print END >> $TOLD }
zle -N tab; bindkey '^I' tab; bindkey '^U' kill-whole-line
print READY >> $TOLD
"""


@pytest.fixture
def zsh(folder, request):
    """zsh(line) -> the words that an interactive zsh on a terminal offers when Tab is pressed."""
    told = folder / "told"
    told.touch()
    (folder / "setup").write_text(f"{ZSH_LOADS[request.param]}\n{ZSH}")
    outer, inner = pty.openpty()
    environment = os.environ | {"TOLD": str(told), "TERM": "dumb"}
    process = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
    )
    os.close(inner)

    def until(word):
        shown, end_s = b"", time.monotonic() + DEADLINE_S
        while word not in told.read_text().split():
            assert time.monotonic() < end_s, shown
            if select.select([outer], [], [], 0.05)[0]:
                shown += os.read(outer, 65536)

    def ask(line):
        told.write_text("")
        os.write(outer, line.encode() + b"\t")
        until("END")
        os.write(outer, b"\x15")
        return set(told.read_text().split()) - {"END"}

    os.write(outer, f"source {folder}/setup\n".encode())
    until("READY")
    yield ask
    process.kill()
    process.wait(DEADLINE_S)
    os.close(outer)


@needs("zsh")
@pytest.mark.parametrize("zsh", ["by eval"], indirect=True)
def test_zsh_completes(zsh):
    lines = SAME_EVERYWHERE | {"dbk-config completion --v": {"--verbose", "--version"}}

    found = {line: zsh(line) for line in lines}

    assert found.pop("dbk-config show --host=") == {f"--host={name}" for name in FILES}
    assert found == {
        line: FILES if offered is None else offered for line, offered in lines.items() if not line.endswith("=")
    }


@needs("zsh")
@pytest.mark.parametrize("zsh", ["from a folder"], indirect=True)
def test_zsh_completes_by_a_file_in_its_folder_of_completions(zsh):
    lines = ["dbk-config sh", "nest ou", "nest outer inner --size l"]

    assert {line: zsh(line) for line in lines} == {line: SAME_EVERYWHERE[line] for line in lines}
