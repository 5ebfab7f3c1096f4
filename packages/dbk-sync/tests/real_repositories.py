"""Real repositories, judged by git.

    python packages/dbk-sync/tests/real_repositories.py [--least 100] PLACE...

A place is a file with addresses to clone, one a line (`repositories.txt` beside this script is such a list), or a
directory with git repositories in it. The newest commit of each is laid out with its ignore files as they are and all
other files empty, since only their names matter; files with names that are often ignored are planted in a third of its
directories; and what `dbk-sync ls -z` lists is compared with `git ls-files -o --exclude-standard -z` on an empty
index, for the whole and for one of its directories. Links are not compared: which of them can be sent is no question
of rules; nor is `.databricks`, which always stays. Nothing of a repository is run: no hook, no filter, no submodule.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLANTED = (
    *(b"__pycache__/m.cpython-311.pyc", b"build/out.o", b"node_modules/p/index.js", b".env", b"debug.log", b"a.o"),
    *(b"target/a.class", b"dist/b.whl", b".DS_Store", b".idea/w.xml", b"tmp/z", b".a.swp", b"Thumbs.db", b"vendor/q"),
    *(b"coverage.xml", b".venv/bin/python", b"bin/x", b"out/y", b"a.bak", b"a~", b"lib/c.so", b"logs/d.txt", b"e.orig"),
    *(b".vscode/settings.json", b"Makefile.in", b"config.status", b".coverage", b"htmlcov/i.html", b"x.tmp", b"core"),
    *(
        b"obj/f.dll",
        b"packages/g.nupkg",
        b"a.pdf",
        b"data/h.csv",
        b"Debug/i.exe",
        b".terraform/j",
        b"x.tfstate",
        b"k.pyc",
    ),
)
_LINK, _SUBMODULE = b"120000", b"160000"


@dataclass
class Counts:
    """What was compared so far."""

    repositories: int = 0
    files: int = 0
    ignore_files: int = 0
    selected: int = 0
    different: int = 0

    def __str__(self) -> str:
        return (
            f"{self.repositories} repositories, {self.files} files, {self.ignore_files} ignore files: "
            f"{self.selected} selected, {self.different} repositories different"
        )


class Judge:
    """Lays out repositories below `scratch` and compares; no configuration of the user reaches git."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.counts = Counts()
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CEILING_DIRECTORIES": str(scratch),
        }

    def repository(self, git_dir: Path, name: str) -> list[str]:
        """The differences in one repository, a line each."""
        root = self._scratch / "tree"
        try:
            directories = self._lay_out(git_dir, root)
            chance = random.Random(name)
            self._plant(root, directories, chance)
            problems = [line for source in (b"", chance.choice(directories)) for line in self._compared(root, source)]
        finally:
            shutil.rmtree(root, ignore_errors=True)
        self.counts.repositories += 1
        self.counts.different += bool(problems)
        return [f"{name}: {problem}" for problem in problems]

    @contextmanager
    def cloned(self, address: str) -> Iterator[Path]:
        """The newest commit of a repository somewhere else.

        Raises:
            subprocess.CalledProcessError: It cannot be had.
        """
        target = self._scratch / "clone"
        words = ("clone", "-q", "--bare", "--depth", "1", "--no-tags", "--template=", "--", address, str(target))
        try:
            self._git(*words, cwd=self._scratch)
            yield target
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def _lay_out(self, git_dir: Path, root: Path) -> list[bytes]:
        """Makes the tree; gives its directories, the root first as an empty name."""
        self._git("init", "-q", "--template=", str(root), cwd=self._scratch)
        listed = self._git(f"--git-dir={git_dir}", "ls-tree", "-r", "-z", "HEAD", cwd=self._scratch)
        directories: dict[bytes, None] = {b"": None}
        for line in listed.split(b"\0")[:-1]:
            about, _, path = line.partition(b"\t")
            mode, _, object_id = about.split(b" ")
            whole = os.path.join(os.fsencode(root), path)
            folder = os.path.dirname(path)
            if mode == _SUBMODULE:
                os.makedirs(whole, exist_ok=True)
                continue
            if folder not in directories:
                directories[folder] = None
                os.makedirs(os.path.dirname(whole), exist_ok=True)
            if mode == _LINK:
                os.symlink(b"nowhere", whole)
                continue
            is_rules = os.path.basename(path) == b".gitignore"
            content = self._content(git_dir, object_id) if is_rules else b""
            Path(os.fsdecode(whole)).write_bytes(content)
            self.counts.files += 1
            self.counts.ignore_files += is_rules
        return list(directories)

    def _content(self, git_dir: Path, object_id: bytes) -> bytes:
        return self._git(f"--git-dir={git_dir}", "cat-file", "blob", object_id.decode(), cwd=self._scratch)

    def _plant(self, root: Path, directories: list[bytes], chance: random.Random) -> None:
        for folder in directories:
            if folder and chance.random() > 1 / 3:
                continue
            for name in PLANTED if not folder else chance.sample(PLANTED, 6):
                whole = os.path.join(os.fsencode(root), folder, name)
                if os.path.lexists(whole) or self._is_taken(whole, os.fsencode(root)):
                    continue
                os.makedirs(os.path.dirname(whole), exist_ok=True)
                Path(os.fsdecode(whole)).touch()
                self.counts.files += 1

    @staticmethod
    def _is_taken(whole: bytes, root: bytes) -> bool:
        """Whether something above it is a file or a link."""
        while (whole := os.path.dirname(whole)) != root:
            if os.path.islink(whole) or os.path.isfile(whole):
                return True
        return False

    def _compared(self, root: Path, below: bytes) -> list[str]:
        source = os.path.join(os.fsencode(root), below)
        theirs = self._git("ls-files", "-o", "--exclude-standard", "-z", cwd=source)
        command = [sys.executable, "-m", "dbk_sync", "ls", source, "-z"]
        ours = subprocess.run(command, env=self._environ, stdout=subprocess.PIPE, check=True).stdout
        git, mine = (
            {path for path in text.split(b"\0")[:-1] if not os.path.islink(os.path.join(source, path))}
            for text in (theirs, ours)
        )
        git = {path for path in git if b".databricks" not in path.split(b"/")}
        self.counts.selected += len(mine)
        place = os.fsdecode(below) or "."
        return [
            *(f"{place}: {path!r} is selected, not by git" for path in sorted(mine - git)),
            *(f"{place}: {path!r} is left out, not by git" for path in sorted(git - mine)),
        ]

    def _git(self, *words: str, cwd: Path | bytes) -> bytes:
        return subprocess.run(["git", *words], cwd=cwd, env=self._environ, stdout=subprocess.PIPE, check=True).stdout


def git_dirs(folder: Path) -> Iterator[Path]:
    """The repositories in a directory: git directories themselves, or work trees that have one."""
    for path, folders, files in os.walk(folder):
        if "HEAD" in files and "objects" in folders:
            yield Path(path)
            folders.clear()
        folders.sort()


def judged(judge: Judge, place: Path) -> Iterator[list[str]]:
    """The differences in each repository of a place, one after the other; what cannot be had is told on stderr."""
    if place.is_dir():
        for found in git_dirs(place):
            yield judge.repository(found, str(found.relative_to(place)))
        return
    lines = (line.partition("#")[0].strip() for line in place.read_text(encoding="utf-8").splitlines())
    for address in filter(None, lines):
        try:
            with judge.cloned(address) as found:
                yield judge.repository(found, address)
        except subprocess.CalledProcessError as error:
            print(f"{address}: cannot be had: git ended with {error.returncode}", file=sys.stderr)


def main() -> int:
    """Compares; the exit code tells whether all agreed with git, and whether there were enough of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help="list of addresses, or directory")
    parser.add_argument("--least", type=int, default=1, metavar="N", help="fail when there are fewer (default: 1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        judge = Judge(Path(scratch).resolve())
        for place in chosen.places:
            for problems in judged(judge, place):
                print("\n".join([*problems[:20], ""]), end="", flush=True)
    print(judge.counts, file=sys.stderr)
    return 1 if judge.counts.different or judge.counts.repositories < chosen.least else 0


if __name__ == "__main__":
    sys.exit(main())
