"""Random trees with random ignore files, judged by git.

    python packages/dbk-sync/tests/fuzz.py [--rounds 50000] [--seed 0]

Each round makes a repository with ignore files at several depths (and, some of the time, `info/exclude`,
`core.excludesFile`, `core.ignoreCase`, patterns on the command line, a source below the root, a nested repository,
planted `.databricks` folders) and compares our selection with `git ls-files -o --exclude-standard`. A round is a
function of its number, so that one that fails can be looked at alone: `--seed NUMBER --rounds 1`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from dbk_sync import GitSpec, ScanOptions, explain, select

ATOMS = [
    *(b"a", b"b", b"c", b"A", b"B", b"ab", b"d", b"e", b"f.py", b".py", b".log", b"-", b"x"),
    *(b"\xe9", b"\xff", b"\xc3\xa9", b"\t", b"\r", b"\x0c", b"\0", b" ", b"  ", b"!", b"#"),
    *(b"*", b"**", b"***", b"?", b"/", b"/", b"/", b"*/", b"/*", b"**/", b"/**", b"\\/"),
    *(b"[ab]", b"[!a]", b"[^b]", b"[a-c]", b"[]a]", b"[!]a]", b"[a", b"[\\]]", b"[a\\-c]", b"[A-C]", b"[--0]"),
    *(b"[c-a]", b"[[:alpha:]]", b"[[:upper:]]", b"[[:digit:]]", b"[[:bad:]]", b"[a/b]", b"[[:]", b"[::]"),
    *(b"[[:alpha:]-z]", b"\\a", b"\\A", b"\\*", b"\\!", b"\\#", b"\\", b"\\ "),
]
NAMES = [
    *(b"a", b"b", b"c", b"A", b"B", b"ab", b"ba", b"d", b"e", b"f.py", b"a.py", b"b.log", b"a b", b"a ", b" a", b"!a"),
    *(b"#a", b"]", b"[a", b"*", b"\\", b"-", b"\xe9", b"\xc3\xa9", b"a\t", b"x1", b"abc", b"a*", b"a\r", b"0"),
]


@dataclass
class Case:
    """What a round compares: a source, the options for us, the same for git, and repositories inside of it."""

    source: bytes
    exclude: list[bytes] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)


class Fuzz:
    """Makes and judges rounds, in one scratch folder, with a git that no configuration but ours reaches."""

    def __init__(self) -> None:
        fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._scratch = os.fsencode(tempfile.mkdtemp(dir=fast))
        self._home = os.path.join(self._scratch, b"home")
        os.mkdir(self._home)
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.fsdecode(self._home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": os.fsdecode(self._scratch),
        }
        template = os.path.join(self._scratch, b"template")
        self._git(self._scratch, "init", "-q", "--template=", template)
        self._git_directory = os.path.join(template, b".git")

    def __enter__(self) -> Fuzz:
        self._before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self._environ)
        return self

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)
        shutil.rmtree(self._scratch)

    def round(self, number: int) -> str:
        """What differs in round `number`, for a person; empty when nothing does."""
        chance = random.Random(number)
        root = os.path.join(self._scratch, b"root")
        try:
            case = self._make(chance, root)
            got = self._got(case)
            # Git has no patterns that reach from a repository into a nested one; ours are compared with `explain` only.
            wanted = got if case.nested and case.exclude else self._wanted(case)
            problems = [] if wanted == got else [f"missing {set(wanted) - set(got)}, extra {set(got) - set(wanted)}"]
            problems += self._explanations(case, chance, set(got))
            problems += self._patterns(chance, root)
            return f"round {number}: {'; '.join(problems)}\n{self._described(root, case)}" if problems else ""
        finally:
            shutil.rmtree(root)
            shutil.rmtree(os.path.join(self._home, b".config"), ignore_errors=True)

    def _make(self, chance: random.Random, root: bytes) -> Case:
        directories = _tree(chance, root)
        self._repository(chance, root)
        case = Case(root)
        if chance.random() < 0.2:
            _write(os.path.join(self._home, b".config/git/ignore"), _ignore_file(chance))
        if chance.random() < 0.25:
            case.exclude = [p for p in (_pattern(chance).replace(b"\0", b"") for _ in range(2)) if p]
        elif len(directories) > 1 and chance.random() < 0.3:
            case.source = os.path.join(root, chance.choice(directories[1:]))
        elif len(directories) > 1 and chance.random() < 0.3:
            nested = chance.choice(directories[1:])
            self._repository(chance, os.path.join(root, nested))
            case.nested.append(nested)
            if chance.random() < 0.3:
                case.exclude = [_pattern(chance).replace(b"\0", b""), b"/" + nested + b"/" + chance.choice(NAMES)]
        return case

    def _repository(self, chance: random.Random, root: bytes) -> None:
        shutil.copytree(self._git_directory, os.path.join(root, b".git"))
        if chance.random() < 0.3:
            with open(os.path.join(root, b".git/config"), "ab") as file:
                file.write(b"[core]\n\tignoreCase = true\n")
        if chance.random() < 0.3:
            _write(os.path.join(root, b".git/info/exclude"), _ignore_file(chance))

    def _wanted(self, case: Case) -> list[bytes]:
        arguments = [part for pattern in case.exclude for part in (b"-x", pattern)]
        listed = self._listed(case.source, arguments)
        for nested in case.nested:
            if nested + b"/" in listed:
                listed.remove(nested + b"/")
                listed += [nested + b"/" + path for path in self._listed(os.path.join(case.source, nested), arguments)]
        return sorted(path for path in listed if b".databricks" not in path.split(b"/"))

    def _listed(self, root: bytes, arguments: list[bytes]) -> list[bytes]:
        return self._git(root, "ls-files", "-o", "-z", "--exclude-standard", *arguments).split(b"\0")[:-1]

    def _got(self, case: Case) -> list[bytes]:
        return select(os.fsdecode(case.source), _options(case))

    def _explanations(self, case: Case, chance: random.Random, selected: set[bytes]) -> list[str]:
        """Explaining single paths, rule by rule, must agree with selecting all by look-ups."""
        paths = _files(case.source)
        chosen = chance.sample(paths, min(8, len(paths)))
        decisions = [(path, explain(os.fsdecode(case.source), path, _options(case))) for path in chosen]
        return [f"explained {path!r} as {d}" for path, d in decisions if d.included != (path in selected)]

    def _patterns(self, chance: random.Random, root: bytes) -> list[str]:
        """Our spec for `pathspec` must agree with a repository whose only ignore file is the root's."""
        if chance.random() > 0.2:
            return []
        with open(os.path.join(root, b".gitignore"), "rb") as file:
            content = file.read().removeprefix(b"\xef\xbb\xbf")
        paths = [path for path in _files(root) if os.sep.encode() + b".gitignore" not in path]
        paths = [path for path in paths if b"\\" not in path and not path.endswith(b"/")][:8]
        clean = os.path.join(self._scratch, b"clean")
        try:
            shutil.copytree(self._git_directory, os.path.join(clean, b".git"))
            _write(os.path.join(clean, b".gitignore"), content)
            for path in paths:
                if path != b".gitignore":
                    _write(os.path.join(clean, path), b"")
            kept = set(self._git(clean, "ls-files", "-o", "-z", "--exclude-per-directory=.gitignore").split(b"\0"))
        finally:
            shutil.rmtree(clean)
        spec = GitSpec.from_lines(content.split(b"\n"))
        return [f"spec wrong on {p!r}" for p in paths if spec.match_file(os.fsdecode(p)) == (p in kept)]

    def _git(self, root: bytes, *arguments: str | bytes) -> bytes:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=root, env=self._environ, capture_output=True, check=True).stdout

    def _described(self, root: bytes, case: Case) -> str:
        lines = [f"  source {case.source!r} exclude {case.exclude} nested {case.nested}"]
        for path in (p for top in (root, self._home) for p in _files(top, b"")):
            if path.endswith((b".gitignore", b"/exclude", b"/ignore", b"/config")):
                with open(path, "rb") as file:
                    lines.append(f"  {path!r}: {file.read()!r}")
        return "\n".join(lines)


def _options(case: Case) -> ScanOptions:
    return ScanOptions(exclude=tuple(os.fsdecode(pattern) for pattern in case.exclude))


def _pattern(chance: random.Random) -> bytes:
    pattern = b"".join(chance.choice(ATOMS) for _ in range(chance.randint(1, 6)))
    return b"!" * (chance.random() < 0.2) + pattern + b"/" * (chance.random() < 0.25)


def _ignore_file(chance: random.Random) -> bytes:
    lines = [
        _pattern(chance) + chance.choice([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"]) for _ in range(chance.randint(1, 6))
    ]
    content = b"\xef\xbb\xbf" * (chance.random() < 0.1) + b"".join(lines)
    return content[:-1] if chance.random() < 0.2 else content


def _tree(chance: random.Random, root: bytes) -> list[bytes]:
    """Makes a tree with ignore files; gives its directories, the root as an empty name."""
    os.mkdir(root)
    directories = [b""]
    for _ in range(chance.randint(1, 6)):
        path = os.path.join(chance.choice(directories), chance.choice(NAMES))
        if not os.path.lexists(os.path.join(root, path)):
            os.mkdir(os.path.join(root, path))
            directories.append(path)
    for _ in range(chance.randint(4, 16)):
        path = os.path.join(root, chance.choice(directories), chance.choice(NAMES))
        if os.path.lexists(path):
            continue
        if chance.random() < 0.1:
            os.symlink(chance.choice(NAMES), path)
        else:
            _write(path, b"")
    for directory in directories:
        path = os.path.join(root, directory, b".gitignore")
        if not directory or chance.random() < 0.4:
            _write(path, _ignore_file(chance))
        elif chance.random() < 0.05:
            os.symlink(os.path.join(root, b".gitignore"), path)
    if chance.random() < 0.1:
        _write(os.path.join(root, chance.choice(directories), b".databricks", b"a"), b"")
    return directories


def _files(root: bytes, base: bytes | None = None) -> list[bytes]:
    """All files below `root`, relative to it, or prefixed as `base` says."""
    found = []
    for folder, folders, files in os.walk(root):
        if base is None and b".git" in folders:
            folders.remove(b".git")
        paths = (os.path.join(folder, name) for name in files)
        found += [os.path.relpath(path, root) if base is None else path for path in paths]
    return sorted(found)


def _write(path: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def main() -> int:
    """Runs the rounds; the exit code tells whether all agreed with git."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50_000, help="how many rounds (default 50000)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first round (default 0)")
    chosen = parser.parse_args()
    failed = 0
    with Fuzz() as fuzz:
        for number in range(chosen.seed, chosen.seed + chosen.rounds):
            if problem := fuzz.round(number):
                failed += 1
                print(problem)
            if failed == 5:
                break
    print(f"{chosen.rounds} rounds from {chosen.seed}, {failed} different", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
