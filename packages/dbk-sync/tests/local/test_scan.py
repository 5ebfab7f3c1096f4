"""What is in a tree, and what happens when it does not hold still."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from dbk_sync import ContentReader, Entry, HashCache, Kind, Manifest, ScanOptions, pack, plan, scan
from dbk_sync._cache import status_of
from dbk_sync._delta import difference
from dbk_sync.errors import ChangedWhileReadingError, LinkError, RulesError, UnreadableFilesError

Plant = Callable[..., None]
Clock = Callable[[], int]


def entries(manifest: Manifest) -> dict[bytes, tuple[str, int]]:
    return {entry.path: (entry.mode, entry.size_bytes) for entry in manifest}


def test_an_entry_has_the_files_path_mode_size_and_digest(root: Path, plant: Plant):
    plant(root, {"d/run.sh": b"echo\n", "a": b""})
    (root / "d/run.sh").chmod(0o755)

    found = scan(root)

    assert found.manifest.entries == (
        Entry(b"a", "644", 0, hashlib.sha256().digest()),
        Entry(b"d/run.sh", "755", 5, hashlib.sha256(b"echo\n").digest()),
    )


@pytest.mark.parametrize(
    ("bits", "mode"), [(0o600, "644"), (0o666, "644"), (0o700, "755"), (0o744, "755"), (0o611, "644")]
)
def test_only_the_owners_execute_bit_makes_a_mode(bits: int, mode: str, root: Path, plant: Plant):
    plant(root, ["a"])
    (root / "a").chmod(bits)

    assert scan(root).manifest.entries[0].mode == mode


def test_a_large_file_has_its_digest_too(root: Path):
    content = random.Random(1).randbytes(3_500_000)
    (root / "a").write_bytes(content)

    assert scan(root).manifest.entries[0].sha256 == hashlib.sha256(content).digest()


@pytest.mark.parametrize("mtime_s", [0, -1, 315_532_799, 4_354_819_200, 17_000_000_000])
def test_no_modification_time_is_a_problem(mtime_s: int, root: Path, plant: Plant):
    plant(root, {"a": b"x"})
    os.utime(root / "a", (mtime_s, mtime_s))

    first = scan(root)

    assert entries(first.manifest) == {b"a": ("644", 1)}
    assert plan(scan(root, cache=first.cache), first.manifest).is_empty


def test_a_time_beyond_the_range_of_64_bits_is_no_problem():
    class Status:
        st_mtime_ns, st_ctime_ns, st_size, st_ino, st_mode = 2**63, -(2**63) - 1, 1, 2**64 - 1, 0o100644

    assert status_of(cast("os.stat_result", Status)) == status_of(cast("os.stat_result", Status))


def test_names_are_bytes_from_end_to_end(root: Path, plant: Plant):
    plant(root, {"caf\udce9": b"1", "d\udcff/a\nb": b"2"})

    found = plan(scan(root))

    assert [entry.path for entry in found.puts] == [b"caf\xe9", b"d\xff/a\nb"]
    assert [finding.path for finding in found.warnings if finding.kind is Kind.NAME] == [b"caf\xe9", b"d\xff/a\nb"]
    assert b"".join(b"".join(ContentReader(found.source)(entry)) for entry in found.puts) == b"12"


# What is not a file


def test_a_socket_is_skipped_with_the_reason(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    plant(root, ["a"])
    monkeypatch.chdir(root)  # the path of a socket is limited to about 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        found = plan(scan(root))

    assert entries(found.manifest) == {b"a": ("644", 0)}
    assert [(f.kind, f.path) for f in found.skipped] == [(Kind.SPECIAL, b"s")]
    assert "Socket file skipped: s" in found.skipped[0].message


def test_a_pipe_is_skipped_with_the_reason_and_does_not_block(root: Path):
    os.mkfifo(root / "p")

    assert "Pipe file skipped: p" in scan(root).skipped[0].message


def test_a_device_is_skipped_with_the_reason(root: Path):
    try:
        os.mknod(root / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device needs root")

    assert "Device file skipped: null" in scan(root).skipped[0].message


def test_an_ignored_socket_is_not_mentioned(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    plant(root, {".gitignore": b"s\n"})
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")

        assert scan(root).skipped == ()


def test_empty_directories_are_dropped(root: Path):
    (root / "d/e").mkdir(parents=True)

    assert len(scan(root).manifest) == 0


# Links


@pytest.mark.parametrize("target", ["b", "./b", "d", "d/c", "nowhere", "d/../b", "../root/b"[8:]])
def test_a_link_that_stays_inside_is_sent_as_a_link(target: str, root: Path, plant: Plant):
    plant(root, {"b": b"", "d/c": b"", "l": f"-> {target}"})

    entry = scan(root).manifest.by_path[b"l"]

    assert (entry.mode, entry.size_bytes) == ("link", len(target))
    assert entry.sha256 == hashlib.sha256(target.encode()).digest()


OUTSIDE = ["/etc/passwd", "ROOT/b", "..", "../x", "d/../../x", "d/up/../..", "loop/../../x"]


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_link_that_leaves_is_skipped_and_never_followed(target: str, root: Path, plant: Plant):
    plant(root.parent, {"x": b"secret"})
    plant(root, {"b": b"", "d/e/f": b"", "d/up": "-> .", "l": "-> " + target.replace("ROOT", str(root))})

    found = plan(scan(root))

    assert b"l" not in found.manifest.by_path
    assert [(f.kind, f.path) for f in found.skipped] == [(Kind.LINK, b"l")]


def test_a_detour_through_another_link_does_not_get_out(root: Path, plant: Plant):
    # As text, `a/b/up/../..` is `a`; but `a/b/up` is the source itself, and two above it is outside.
    plant(root, {"a/b/c": b"", "a/b/up": "-> ../..", "l": "-> a/b/up/../.."})

    assert [f.path for f in scan(root).skipped] == [b"l"]


def test_links_can_be_skipped_all(root: Path, plant: Plant):
    plant(root, {"a": b"", "l": "-> a"})

    found = scan(root, ScanOptions(links="skip"))

    assert entries(found.manifest) == {b"a": ("644", 0)}
    assert [f.path for f in found.skipped] == [b"l"]


def test_links_that_leave_can_be_an_error_that_names_all(root: Path, plant: Plant):
    plant(root, {"in": "-> a", "one": "-> /x", "d/two": "-> ../../x"})

    with pytest.raises(LinkError, match=r"(?s)d/two.*one") as caught:
        scan(root, ScanOptions(links="error"))

    assert [path for path, _ in caught.value.files] == [b"d/two", b"one"]


def test_a_directory_behind_a_link_is_not_walked(root: Path, plant: Plant):
    plant(root, {"d/a": b"", "l": "-> d"})

    assert entries(scan(root).manifest) == {b"d/a": ("644", 0), b"l": ("link", 1)}


# What cannot be read


def test_everything_unreadable_is_reported_at_once(root: Path, plant: Plant, deny: Callable[[Path], None]):
    plant(root, ["a", "b", "d/c", "e/f", "g"])
    for path in ("a", "d/", "e/f"):
        deny(root / path)

    with pytest.raises(UnreadableFilesError, match=r"(?s)  a: .*  d/: .*  e/f: ") as caught:
        scan(root)

    assert [path for path, _ in caught.value.files] == [b"a", b"d/", b"e/f"]


def test_a_directory_that_vanishes_before_it_is_listed_is_as_if_it_had_not_been_there(
    root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(root, ["a", "d/b"])
    real = os.scandir

    def scandir(path: bytes | int):
        if isinstance(path, bytes) and path.endswith(b"/d/"):
            shutil.rmtree(root / "d")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert entries(scan(root).manifest) == {b"a": ("644", 0)}


def test_an_unreadable_file_that_is_ignored_does_not_matter(root: Path, plant: Plant, deny: Callable[[Path], None]):
    plant(root, {".gitignore": b"a\n", "a": b"", "b": b""})
    deny(root / "a")

    assert b"b" in scan(root).manifest.by_path


@pytest.mark.usefixtures("permissions_count")
def test_permission_bits_are_noticed(root: Path, plant: Plant):
    plant(root, ["a", "b", "d/c", ".gitignore"])
    (root / "a").chmod(0)
    (root / "d").chmod(0)

    try:
        with pytest.raises(UnreadableFilesError, match=r"(?s)a: Permission denied.*d/: cannot be listed: Permission"):
            scan(root)
        (root / ".gitignore").chmod(0)
        with pytest.raises(RulesError, match=r"\.gitignore"):
            scan(root)
    finally:
        (root / "d").chmod(0o700)


def test_a_file_deleted_during_the_scan_is_as_if_it_had_not_been_there(
    root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(root, ["a", "b"])
    on_open(monkeypatch, lambda path: path.endswith(b"/a") and os.path.exists(path) and os.unlink(path))

    assert entries(scan(root).manifest) == {b"b": ("644", 0)}


# What changes meanwhile


def on_open(monkeypatch: pytest.MonkeyPatch, act: Callable[[bytes], object]) -> None:
    """Has something happen each time before a file is opened for reading."""
    real = os.open

    def opened(path, flags, *rest, **options):
        if isinstance(path, bytes) and not flags & (os.O_WRONLY | os.O_RDWR):
            act(path)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", opened)


def test_a_file_that_changes_once_before_it_is_read_is_read_again(
    root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"old"})
    contents = [b"newer", b"newest"]
    on_open(monkeypatch, lambda path: contents and Path(os.fsdecode(path)).write_bytes(contents.pop(0)))

    entry = scan(root).manifest.entries[0]

    assert (entry.size_bytes, entry.sha256) == (6, hashlib.sha256(b"newest").digest())


def test_files_that_never_hold_still_are_taken_as_they_were_read_and_looked_at_again(
    root: Path, plant: Plant, later_ns: Clock, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"", "log": b"0\n", "sub/rewritten": b"0"})
    edits = itertools.count(1)

    def write(path: bytes) -> None:
        if path.endswith(b"log"):
            with open(path, "ab") as file:
                file.write(b"%d\n" % next(edits))
        elif path.endswith(b"rewritten"):
            Path(os.fsdecode(path)).write_bytes(b"%d" % next(edits))

    on_open(monkeypatch, write)

    found = scan(root, clock_ns=later_ns)
    again = scan(root, None, found.cache, clock_ns=later_ns)

    assert {entry.path for entry in found.manifest} == {b"a", b"log", b"sub/rewritten"}
    changed = difference(found.manifest, again.manifest)
    assert [entry.path for entry in changed.puts] == [b"log", b"sub/rewritten"]


def test_a_file_that_has_grown_since_the_scan_is_sent_as_it_was(root: Path, plant: Plant):
    plant(root, {"log": b"one\n"})
    found = plan(scan(root))
    with open(root / "log", "ab") as file:
        file.write(b"two\n")

    (entry,) = found.puts

    assert b"".join(ContentReader(found.source)(entry)) == b"one\n"
    assert b"".join(pack(found, ContentReader(found.source)))


@pytest.mark.parametrize("becomes", ["link", "pipe", "directory"])
def test_a_file_replaced_by_something_else_is_not_read_through_it(
    becomes: str, root: Path, tmp_path: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(tmp_path, {"outside": b"secret"})
    plant(root, {"a": b"123456"})

    def replace(path: bytes) -> None:
        if os.path.isfile(path) and not os.path.islink(path):
            os.unlink(path)
            make = {"link": lambda p: os.symlink(tmp_path / "outside", p), "pipe": os.mkfifo, "directory": os.mkdir}
            make[becomes](os.fsdecode(path))

    on_open(monkeypatch, replace)

    with pytest.raises((ChangedWhileReadingError, UnreadableFilesError)):
        scan(root)


# The hash cache


def count_reads(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[bytes]:
    """The names of the files of `root` that are opened from now on."""
    read: list[bytes] = []
    on_open(monkeypatch, lambda path: path.startswith(bytes(root)) and read.append(os.path.basename(path)))
    return read


def test_an_unchanged_file_is_not_read_again(
    root: Path, plant: Plant, later_ns: Clock, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"1", "d/b": b"2", "l": "-> a"})
    first = scan(root, clock_ns=later_ns)
    read = count_reads(monkeypatch, root)

    second = scan(root, cache=first.cache, clock_ns=later_ns)

    assert read == []
    assert second.cache is first.cache
    assert second.manifest is first.manifest


@pytest.mark.parametrize("change", ["content", "size", "mode", "replaced", "touched"])
def test_a_changed_file_is_read_again_and_no_other(
    change: str, root: Path, plant: Plant, later_ns: Clock, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"1", "b": b"2"})
    first = scan(root, clock_ns=later_ns)
    times = (root / "a").stat()
    if change == "replaced":
        plant(root, {"new": b"3"})
        (root / "new").rename(root / "a")
    elif change == "mode":
        (root / "a").chmod(0o755)
    elif change != "touched":
        (root / "a").write_bytes(b"3" if change == "content" else b"33")
    if change != "touched":
        os.utime(root / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        os.utime(root / "a", ns=(1, 1))
    read = count_reads(monkeypatch, root)

    second = scan(root, cache=first.cache, clock_ns=later_ns)

    assert read == [b"a"]
    assert plan(second, first.manifest).is_empty == (change == "touched")


def test_a_file_changed_just_before_the_scan_is_read_again_next_time(
    root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"new": b"1", "old": b"2"})
    now_ns = (root / "new").stat().st_mtime_ns
    first = scan(root, clock_ns=lambda: now_ns + 1_900_000_000)
    read = count_reads(monkeypatch, root)

    second = scan(root, cache=first.cache, clock_ns=lambda: now_ns + 3_000_000_000)
    third = scan(root, cache=second.cache, clock_ns=lambda: now_ns + 3_000_000_000)

    assert sorted(read) == [b"new", b"old"]
    assert third.cache is second.cache


def test_a_file_from_the_future_is_read_each_time(
    root: Path, plant: Plant, later_ns: Clock, monkeypatch: pytest.MonkeyPatch
):
    plant(root, {"a": b"1"})
    future_s = later_ns() / 1e9 + 3600
    os.utime(root / "a", (future_s, future_s))
    cache = scan(root, clock_ns=later_ns).cache
    read = count_reads(monkeypatch, root)

    scan(root, cache=scan(root, cache=cache, clock_ns=later_ns).cache, clock_ns=later_ns)

    assert read == [b"a", b"a"]


def test_a_rewrite_in_the_same_tick_with_the_same_size_is_noticed(root: Path, plant: Plant):
    plant(root, {"a": b"old"})
    times = (root / "a").stat()
    cache: HashCache | None = None
    for content in (b"old", b"new", b"off"):
        (root / "a").write_bytes(content)
        os.utime(root / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
        found = scan(root, cache=cache)
        cache = found.cache

        assert found.manifest.entries[0].sha256 == hashlib.sha256(content).digest()


def test_deleted_and_ignored_files_leave_the_cache(root: Path, plant: Plant, later_ns: Clock):
    plant(root, ["a", "b", "c"])
    first = scan(root, clock_ns=later_ns)
    (root / "a").unlink()

    second = scan(root, ScanOptions(exclude=("b",)), first.cache, clock_ns=later_ns)

    assert list(second.cache.statuses) == [b"c"]
    assert entries(second.manifest) == {b"c": ("644", 0)}


def test_a_cache_of_something_else_does_no_harm(root: Path, tmp_path: Path, plant: Plant, later_ns: Clock):
    plant(root, {"a": b"1"})
    plant(tmp_path / "other", {"a": b"2", "b": b"3"})
    foreign = scan(tmp_path / "other", clock_ns=later_ns).cache

    assert scan(root, cache=foreign).manifest == scan(root).manifest


# Nothing is lost, whatever the editor does meanwhile


class Editor:
    """Does something to a random file, sometimes, whenever the sync touches one."""

    def __init__(self, chance: random.Random, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._chance, self._root = chance, root
        self.eagerness = 0.25
        self._busy = False
        for name in ("open", "read", "fstat", "scandir", "readlink"):
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            if not self._busy and self._chance.random() < self.eagerness:
                self._busy = True
                self.edit()
                self._busy = False
            return real(*arguments, **options)

        return call

    def edit(self) -> None:
        path = self._root / self._chance.choice(["a", "b", "d/c", "d/e", "new"])
        content = self._chance.choice([b"", b"one", b"two", b"three"])
        kind = self._chance.choice(["write", "write", "replace", "delete", "append", "keep-mtime", "chmod"])
        path.parent.mkdir(exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        if kind == "delete":
            path.unlink(missing_ok=True)
        elif kind == "replace":
            (self._root / ".git-new").write_bytes(content)
            (self._root / ".git-new").rename(path)
        elif kind == "append":
            with path.open("ab") as file:
                file.write(content)
        elif kind == "chmod" and path.exists():
            path.chmod(self._chance.choice([0o644, 0o755]))
        else:
            path.write_bytes(content)
            if kind == "keep-mtime" and before:
                os.utime(path, ns=(before, before))


def test_no_edit_during_a_sync_is_ever_lost(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    chance = random.Random(20)
    plant(root, {"a": b"1", "b": b"2", "d/c": b"3"})
    options = ScanOptions(exclude=(".git-new",))
    editor = Editor(chance, root, monkeypatch)
    cache: HashCache | None = None
    base: Manifest | None = None
    refused = 0
    for _ in range(1_000):
        editor.eagerness = 0.25
        try:
            found = scan(root, options, cache)
            cache = found.cache
            proposal = plan(found, base)
            for _ in pack(proposal, ContentReader(proposal.source)):
                pass
            base = proposal.manifest  # acknowledged: the packed contents are what the manifest says
        except (ChangedWhileReadingError, UnreadableFilesError):
            refused += 1
        editor.edit()  # also right before the state would be saved

        editor.eagerness = 0
        found = scan(root, options, cache)
        cache, proposal = found.cache, plan(found, base)
        assert proposal.manifest == scan(root, options).manifest
    assert 10 < refused < 990  # both ways were taken


def test_a_tree_that_is_removed_during_the_scan_is_empty(root: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch):
    plant(root, ["d/a", "d/e/b"])
    on_open(monkeypatch, lambda _: shutil.rmtree(root / "d", ignore_errors=True))

    assert len(scan(root).manifest) == 0
