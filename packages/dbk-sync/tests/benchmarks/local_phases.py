"""Times of the local phases, beside git and the floor that Python itself sets, in one run.

    python packages/dbk-sync/tests/benchmarks/local_phases.py [--files 1000 10000 100000] [--pack-mb 100]

Trees have 20 files a directory, 1.6 kB on average, a 40-line ignore file, and half as many ignored files again. Figures
are the smallest of several runs, which on a shared machine is the one that was disturbed least. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dbk_sync import ContentReader, Scan, ScanOptions, StateKey, pack, plan, scan, select
from dbk_sync._selection import Selection
from dbk_sync._state import load, save
from dbk_sync._walk import walk
from dbk_sync._watch import Watch

IGNORE_FILE = """\
# Byte-compiled
__pycache__/
*.py[cod]
*$py.class
*.so
.Python
build/
develop-eggs/
dist/
downloads/
eggs/
.eggs/
lib/
lib64/
parts/
sdist/
var/
wheels/
*.egg-info/
.installed.cfg
*.egg
MANIFEST
*.manifest
*.spec
pip-log.txt
htmlcov/
.tox/
.coverage
.coverage.*
.cache
nosetests.xml
*.cover
.hypothesis/
docs/_build/
.env
.venv
node_modules/
*.log
!important.log
/target
.idea/
*.swp
"""
LATER_NS = 10_000_000_000


def make_tree(root: Path, files: int) -> None:
    """Makes the tree the module describes, as a repository with an empty index."""
    chance = random.Random(7)
    subprocess.run(["git", "init", "-q", "--template=", root], check=True)
    (root / ".gitignore").write_text(IGNORE_FILE)
    for number in range(files - 1):
        folder = root / f"pkg{number // 400}" / f"sub{number // 20}"
        if number % 20 == 0:
            folder.mkdir(parents=True)
        size_bytes = max(1, int(chance.lognormvariate(6.7, 1.2)))
        (folder / f"module_{number}.py").write_bytes(b"x = %d\n" % number * (size_bytes // 8 + 1))
        if number % 4 == 0:
            (folder / f"module_{number}.pyc").write_bytes(b"compiled")
        if number % 4 == 1:
            ignored = root / "node_modules" / f"m{number // 80}"
            ignored.mkdir(parents=True, exist_ok=True)
            (ignored / f"f{number}.js").write_bytes(b"script")


def best_ms(works: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The shortest time of each of `works`, in turns, so that a busy moment of the machine meets all of them alike."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(runs):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: seconds * 1000 for name, seconds in best.items()}


def floor(root: bytes) -> int:
    """Lists and stats what is selected, with ignored directories left out, and does nothing else."""
    files, pending = 0, [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in (b"node_modules", b".git"):
                        pending.append(entry.path)
                elif not entry.name.endswith(b".pyc"):
                    entry.stat(follow_symlinks=False)
                    files += 1
    return files


def bare_read(paths: list[bytes]) -> None:
    """Opens, reads and hashes files, and does nothing else."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        hashlib.sha256(os.read(descriptor, os.fstat(descriptor).st_size + 1)).digest()
        os.close(descriptor)


def git_list(root: Path) -> list[bytes]:
    """What git selects, with an empty index."""
    command = ["git", "ls-files", "-o", "-z", "--exclude-standard"]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True).stdout.split(b"\0")[:-1]


def later() -> int:
    """A time at which files made just now count as old."""
    return time.time_ns() + LATER_NS


def measure(root: Path, files: int) -> dict[str, float]:
    """All times for one tree, in milliseconds."""
    make_tree(root, files)
    first = scan(root, clock_ns=later)
    paths = [bytes(root) + b"/" + entry.path for entry in first.manifest]
    proposal, key = plan(first), StateKey("h", "w", "u", "t", str(root))
    environ = {"XDG_CACHE_HOME": str(root.parent / f"cache{files}")}
    assert sorted(git_list(root)) == select(root)
    assert floor(bytes(root)) == len(paths)
    assert scan(root, cache=first.cache, clock_ns=later).cache is first.cache
    works: dict[str, Callable[[], object]] = {
        "git ls-files": lambda: git_list(root),
        "floor": lambda: floor(bytes(root)),
        "unchanged": lambda: scan(root, cache=first.cache, clock_ns=later),
        "bare read": lambda: bare_read(paths),
        "select": lambda: walk(Selection(root)),
        "first scan": lambda: scan(root, clock_ns=later),
        "save": lambda: save(key, proposal, environ=environ),
        "load": lambda: load(key, environ),
    }
    found = best_ms(works, runs=9 if files <= 10_000 else 5)
    assert load(key, environ).manifest == first.manifest
    return {**found, **measure_watch(root, first)}


def measure_watch(root: Path, first: Scan) -> dict[str, float]:
    """Times of looking again and planning, a thousand times, where the system tells that nothing happened."""
    watch, took_ms = Watch(root, ScanOptions()), []
    for number in range(1_010):
        start = time.perf_counter()
        assert plan(watch.scan(first.cache), first.manifest).is_empty
        if number >= 10:  # the first ones look at every file
            took_ms.append((time.perf_counter() - start) * 1000)
    watch.close()
    took_ms.sort()
    return {"watched p50": took_ms[500], "watched p95": took_ms[950]}


def gather_sources(root: Path, most_bytes: int, largest_bytes: int) -> tuple[int, int]:
    """Copies Python sources of this installation, none larger than that, until there are enough; number and size."""
    size_bytes = number = 0
    for number, path in enumerate(path for path in _sources() if 0 < path.stat().st_size <= largest_bytes):
        if size_bytes >= most_bytes:
            break
        target = root / f"d{number // 100}" / f"{number}_{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        size_bytes += target.stat().st_size
    return number, size_bytes


def _sources() -> Iterator[Path]:
    for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")):
        yield from sorted(Path(folder).rglob("*.py"))


def measure_pack(root: Path, codec: str) -> None:
    """Packs `root` and prints seconds, size of the pack, and how much the process grew, in bytes."""
    proposal = plan(scan(root))
    seconds, size_bytes, before = [], 0, resident_bytes()
    most_bytes = before
    for _ in range(3):
        start, size_bytes = time.perf_counter(), 0
        for piece in pack(proposal, ContentReader(proposal.source), codec=codec):  # type: ignore[arg-type]
            size_bytes += len(piece)
            most_bytes = max(most_bytes, resident_bytes())
        seconds.append(time.perf_counter() - start)
    print(min(seconds), size_bytes, most_bytes - before, len(proposal.puts), proposal.size_bytes)


def measure_tar(root: Path) -> tuple[float, int]:
    """Seconds and bytes of `tar | gzip -6`, the usual way to one compressed stream of many files."""
    start = time.perf_counter()
    with subprocess.Popen(["tar", "-C", root, "--sort=name", "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(["gzip", "-6", "-c"], stdin=tar.stdout, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - start, len(done.stdout)


def measure_zip(root: Path) -> tuple[float, int]:
    """Seconds and bytes of a zip in memory, level 6: what jupyter-databricks-kernel 1.4.1 sends."""
    start = time.perf_counter()
    with io.BytesIO() as memory:
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(path for path in root.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(root))
        return time.perf_counter() - start, len(memory.getvalue())


def resident_bytes() -> int:
    """The memory of this process now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report(files: list[int], pack_mb: int) -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        results = {number: measure(Path(folder) / f"tree{number}", number) for number in files}
        _print_phases(results)
        if pack_mb:
            print("\n| pack | seconds | MB | ratio | over tar and gzip | memory growth, MB |")
            print("| --- | ---: | ---: | ---: | ---: | ---: |")
            for largest_bytes in (1 << 30, 8 << 10):
                gather_sources(Path(folder) / f"sources{largest_bytes}", pack_mb * 1_000_000, largest_bytes)
                _print_packs(Path(folder) / f"sources{largest_bytes}")


def _print_phases(results: dict[int, dict[str, float]]) -> None:
    rows = [
        ("`git ls-files -o --exclude-standard`, in ms", lambda r: f"{r['git ls-files']:.1f}"),
        ("bare `scandir` + `lstat`", lambda r: f"{r['floor']:.1f}"),
        ("scan, nothing changed", lambda r: f"{r['unchanged']:.1f}"),
        ("... over the bare walk", lambda r: f"{r['unchanged'] / r['floor']:.2f}x"),
        ("... over git", lambda r: f"{r['unchanged'] / r['git ls-files']:.2f}x"),
        ("look again, nothing changed, watched over: p50", lambda r: f"{r['watched p50']:.2f}"),
        ("... p95", lambda r: f"{r['watched p95']:.2f}"),
        ("bare open + read + SHA-256", lambda r: f"{r['bare read']:.1f}"),
        ("first scan, hashing part", lambda r: f"{r['first scan'] - r['select']:.1f}"),
        ("... over the bare loop", lambda r: f"{(r['first scan'] - r['select']) / r['bare read']:.2f}x"),
        ("first scan, all of it", lambda r: f"{r['first scan']:.1f}"),
        ("save the state", lambda r: f"{r['save']:.1f}"),
        ("load the state", lambda r: f"{r['load']:.1f}"),
    ]
    print("| step | " + " | ".join(f"{number:,} files" for number in results) + " |")
    print("| --- |" + " ---: |" * len(results))
    for title, value in rows:
        print(f"| {title} | " + " | ".join(value(result) for result in results.values()) + " |")


def _print_packs(root: Path) -> None:
    oracle_seconds, oracle_bytes = min(measure_tar(root) for _ in range(3))
    zip_seconds, zip_bytes = min(measure_zip(root) for _ in range(3))
    for codec in ("zlib", "zstd"):
        # In a process of its own, because the peak of memory is per process.
        done = subprocess.run(
            [sys.executable, __file__, "--pack-only", str(root), codec], stdout=subprocess.PIPE, text=True, check=True
        )
        seconds, size_bytes, growth, count, source_bytes = map(float, done.stdout.split())
        title = f"{count:,.0f} files, {source_bytes / 1e6:.1f} MB, {codec}"
        _print_pack(title, seconds, source_bytes, size_bytes, oracle_bytes, f"{growth / 1e6:.0f}")
    _print_pack("... by tar and gzip -6", oracle_seconds, source_bytes, oracle_bytes, oracle_bytes, "")
    _print_pack("... by zip -6, in memory", zip_seconds, source_bytes, zip_bytes, oracle_bytes, "")


def _print_pack(
    title: str, seconds: float, source_bytes: float, size_bytes: float, oracle_bytes: float, growth: str
) -> None:
    ratio, over = source_bytes / size_bytes, size_bytes / oracle_bytes
    print(f"| {title} | {seconds:.2f} | {size_bytes / 1e6:.1f} | {ratio:.1f} | {over:.2f}x | {growth} |")


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--pack-mb", type=int, default=100, help="size of the sources to pack, 0 for none")
    parser.add_argument("--pack-only", nargs=2, metavar=("ROOT", "CODEC"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.pack_only:
        measure_pack(Path(chosen.pack_only[0]), chosen.pack_only[1])
        return
    report(chosen.files, chosen.pack_mb)


if __name__ == "__main__":
    main()
