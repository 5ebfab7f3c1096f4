"""Times of the local phases, beside git and the floor that Python itself sets, in one run.

    python packages/dbk-sync/tests/benchmarks/local_phases.py [--files 1000 10000 100000] [--pack-mb 100] [--cpu]

Trees have 20 files a directory, 1.6 kB on average, a 40-line ignore file, and half as many ignored files again. Figures
are the smallest of several runs, which on a shared machine is the one that was disturbed least. `--peer` is the
interpreter of a virtual environment that has `jupyter-databricks-kernel==1.4.1`. With `--cpu` it is processor time, of
child processes too, instead of the time that passes: for a machine that is busy with other work. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dbk_sync import ContentReader, Delta, Plan, Scan, ScanOptions, StateKey, pack, plan, scan, select
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
PEER = """
import sys, time
now_s = time.process_time if sys.argv[1] == "cpu" else time.perf_counter
from jupyter_databricks_kernel.config import Config
from jupyter_databricks_kernel.sync import FileSync

files = FileSync(Config.load(), "benchmark")
cache = files._get_file_cache()
for line in sys.stdin:
    start = now_s()
    if line == "first\\n":
        cache.clear()
        found = files._get_all_files()
        sizes = files._validate_sizes(found, files._get_source_path())
        changed, _, hashes = cache.get_changed_files(found, sizes)
        took = now_s() - start
        cache.update(found, hashes)
        files._synced = True
    elif line == "save\\n":
        cache.save()
        took = now_s() - start
    else:
        assert not files.needs_sync()
        took = now_s() - start
    print(took, len(found), flush=True)
"""
"""What the peer does before each cell, with nothing changed; before its first upload; and after each upload."""


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


def cpu_s() -> float:
    """The processor time of this process and of the child processes that have ended."""
    own_s = time.process_time()  # first: what comes next makes objects, and may wake up the collector
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own_s + children.ru_utime + children.ru_stime


def best_ms(works: dict[str, Callable[[], object]], runs: int, now_s: Callable[[], float]) -> dict[str, float]:
    """The shortest time of each of `works`, in turns, so that a busy moment of the machine meets all of them alike."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(runs):
        for name, work in works.items():
            start = now_s()
            work()
            best[name] = min(best[name], now_s() - start)
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


def measure_peer(root: Path, python: str, runs: int, *, cpu: bool) -> dict[str, float]:
    """The same work by the peer, which needs a cluster's name for it but asks nobody."""
    environ = {
        **os.environ,
        "DATABRICKS_CLUSTER_ID": "0123-456789-abcdefgh",
        "XDG_CACHE_HOME": str(root.parent / "peer"),
    }
    with subprocess.Popen(
        [python, "-c", PEER, "cpu" if cpu else "wall"],
        cwd=root,
        env=environ,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        best = {}
        for name in ("first", "save", "unchanged"):
            for _ in range(runs):
                print(name, file=process.stdin, flush=True)
                seconds, _ = process.stdout.readline().split()
                best[f"peer {name}"] = min(best.get(f"peer {name}", float("inf")), float(seconds) * 1000)
        process.stdin.close()
    return best


def measure(root: Path, files: int, peer: str | None = None, *, cpu: bool = False) -> dict[str, float]:
    """All times for one tree, in milliseconds."""
    make_tree(root, files)
    first = scan(root, clock_ns=later)
    paths = [bytes(root) + b"/" + entry.path for entry in first.manifest]
    proposal, key = plan(first), key_of_benchmark(str(root))
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
        "command": lambda: subprocess.run(
            [sys.executable, "-m", "dbk_sync", "plan", "--no-remote"], cwd=root, capture_output=True, check=True
        ),
    }
    assert save(key, proposal, environ=environ)
    assert load(key, environ).manifest == first.manifest
    found = best_ms(works, 9 if files <= 10_000 else 5, cpu_s if cpu else time.perf_counter)
    others = {} if peer is None else measure_peer(root, peer, 3 if files <= 10_000 else 1, cpu=cpu)
    return {**found, **others, **measure_states(root, environ, cpu=cpu), **measure_watch(root, first)}


def measure_states(root: Path, cache: dict[str, str], *, cpu: bool) -> dict[str, float]:
    """Times of loading and of saving the state of `root`, as they are met: once each in a process of its own."""
    command = [sys.executable, __file__, "--state-only", str(root), *(["--cpu"] if cpu else [])]
    found = []
    for _ in range(15):
        done = subprocess.run(command, env={**os.environ, **cache}, stdout=subprocess.PIPE, text=True, check=True)
        found.append(tuple(map(float, done.stdout.split())))
    loads, saves = zip(*found, strict=True)
    return {"load": min(loads), "save": min(saves), "load and save": min(map(sum, found))}


def measure_state(root: str, now_s: Callable[[], float]) -> None:
    """Loads the state of `root` and saves it again, and prints how long each took, in milliseconds."""
    key, start = key_of_benchmark(root), now_s()
    state = load(key)
    loaded = now_s()
    assert state.manifest
    proposal = Plan(os.fsencode(root), state.manifest, state.manifest, Delta("", "", (), ()), cache=state.cache)
    before_save = now_s()
    assert save(key, proposal)
    print((loaded - start) * 1000, (now_s() - before_save) * 1000)


def key_of_benchmark(root: str) -> StateKey:
    """What the state of a tree of this benchmark is kept by."""
    return StateKey("h", "w", "u", "t", root)


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


def measure_pack(root: Path, codec: str, now_s: Callable[[], float]) -> None:
    """Packs `root` and prints seconds, size of the pack, and how much the process grew, in bytes."""
    proposal = plan(scan(root))
    seconds, size_bytes, before = [], 0, resident_bytes()
    most_bytes = before
    for _ in range(3):
        start, size_bytes = now_s(), 0
        for piece in pack(proposal, ContentReader(proposal.source), codec=codec):  # type: ignore[arg-type]
            size_bytes += len(piece)
            most_bytes = max(most_bytes, resident_bytes())
        seconds.append(now_s() - start)
    print(min(seconds), size_bytes, most_bytes - before, len(proposal.puts), proposal.size_bytes)


def measure_tar(root: Path, now_s: Callable[[], float]) -> tuple[float, int]:
    """Seconds and bytes of `tar | gzip -6`, the usual way to one compressed stream of many files."""
    start = now_s()
    with subprocess.Popen(["tar", "-C", root, "--sort=name", "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(["gzip", "-6", "-c"], stdin=tar.stdout, stdout=subprocess.PIPE, check=True)
    return now_s() - start, len(done.stdout)


def measure_zip(root: Path, now_s: Callable[[], float]) -> tuple[float, int]:
    """Seconds and bytes of a zip in memory, level 6: what jupyter-databricks-kernel 1.4.1 sends."""
    start = now_s()
    with io.BytesIO() as memory:
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(path for path in root.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(root))
        return now_s() - start, len(memory.getvalue())


def resident_bytes() -> int:
    """The memory of this process now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report(files: list[int], pack_mb: int, peer: str | None, *, cpu: bool) -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'processor time' if cpu else 'time that passes'}; load {os.getloadavg()[0]:.1f}\n")
        results = {number: measure(Path(folder) / f"tree{number}", number, peer, cpu=cpu) for number in files}
        if results:
            _print_phases(results, peer is not None)
        if pack_mb:
            print("\n| pack | seconds | MB | ratio | over tar and gzip | memory growth, MB |")
            print("| --- | ---: | ---: | ---: | ---: | ---: |")
            for largest_bytes in (1 << 30, 8 << 10):
                gather_sources(Path(folder) / f"sources{largest_bytes}", pack_mb * 1_000_000, largest_bytes)
                _print_packs(Path(folder) / f"sources{largest_bytes}", cpu=cpu)


def _print_phases(results: dict[int, dict[str, float]], peer: bool) -> None:
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
        ("load the state, in a process of its own", lambda r: f"{r['load']:.1f}"),
        ("save the state, likewise", lambda r: f"{r['save']:.1f}"),
        ("... both, in the best process", lambda r: f"{r['load and save']:.1f}"),
        ("`dbk-sync plan --no-remote`, all of it", lambda r: f"{r['command']:.0f}"),
    ]
    if peer:
        rows += [
            ("1.4.1: nothing changed, before each cell", lambda r: f"{r['peer unchanged']:.1f}"),
            ("... over ours", lambda r: f"{r['peer unchanged'] / r['unchanged']:.1f}x"),
            ("1.4.1: first scan", lambda r: f"{r['peer first']:.1f}"),
            ("... over ours", lambda r: f"{r['peer first'] / r['first scan']:.1f}x"),
            ("1.4.1: save the state", lambda r: f"{r['peer save']:.1f}"),
            ("... over ours", lambda r: f"{r['peer save'] / r['save']:.1f}x"),
        ]
    print("| step | " + " | ".join(f"{number:,} files" for number in results) + " |")
    print("| --- |" + " ---: |" * len(results))
    for title, value in rows:
        print(f"| {title} | " + " | ".join(value(result) for result in results.values()) + " |")


def _print_packs(root: Path, *, cpu: bool) -> None:
    now_s = cpu_s if cpu else time.perf_counter
    oracle_seconds, oracle_bytes = min(measure_tar(root, now_s) for _ in range(3))
    zip_seconds, zip_bytes = min(measure_zip(root, now_s) for _ in range(3))
    for codec in ("zlib", "zstd"):
        # In a process of its own, because the peak of memory is per process.
        done = subprocess.run(
            [sys.executable, __file__, "--pack-only", str(root), codec, *(["--cpu"] if cpu else [])],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
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
    parser.add_argument("--peer", help="Python with jupyter-databricks-kernel==1.4.1")
    parser.add_argument("--cpu", action="store_true", help="processor time instead of the time that passes")
    parser.add_argument("--pack-only", nargs=2, metavar=("ROOT", "CODEC"), help=argparse.SUPPRESS)
    parser.add_argument("--state-only", metavar="ROOT", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.state_only:
        measure_state(chosen.state_only, cpu_s if chosen.cpu else time.perf_counter)
        return
    if chosen.pack_only:
        measure_pack(Path(chosen.pack_only[0]), chosen.pack_only[1], cpu_s if chosen.cpu else time.perf_counter)
        return
    report(chosen.files, chosen.pack_mb, chosen.peer, cpu=chosen.cpu)


if __name__ == "__main__":
    main()
