"""The pack, read by a second implementation of its documented format."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from dbk_sync import ContentReader, Entry, Manifest, Plan, ScanOptions, _zstd, difference, pack, plan, scan
from dbk_sync._pack_header import to_reuse
from dbk_sync.errors import ChangedWhileReadingError, SyncError

Plant = Callable[..., None]
MODES = {1: "644", 2: "755", 3: "link", 4: "dir"}


def unpack(blob: bytes) -> tuple[str, str, dict[bytes, tuple[str, bytes]], list[bytes], list[bytes]]:
    """Base tree, new tree, puts with mode and content, deletes, and the order of the puts."""
    assert blob[:6] == b"DBKP\x04\x01"
    raw = zlib.decompressobj()
    stream = raw.decompress(blob[6:])
    assert raw.eof
    assert raw.unused_data == b""
    (length,) = struct.unpack_from(">I", stream)
    header, contents = stream[4 : 4 + length], stream[4 + length :]
    base, new, puts, deletes = struct.unpack_from(">32s32sII", header)
    records = list(struct.iter_unpack(">BQ", header[72 : 72 + 9 * puts]))
    names = header[72 + 9 * puts :].split(b"\0")
    assert names.pop() == b""
    assert len(names) == puts + deletes
    found, at = {}, 0
    for name, (mode, size) in zip(names, records, strict=False):
        found[name] = (MODES[mode], contents[at : at + size])
        at += size
    assert at == len(contents)
    return "" if base == bytes(32) else base.hex(), new.hex(), found, names[puts:], names[:puts]


def packed(proposal: Plan, **options: object) -> bytes:
    return b"".join(pack(proposal, ContentReader(proposal.source), **options))  # type: ignore[arg-type]


def test_a_full_pack_holds_the_whole_tree(root: Path, plant: Plant):
    plant(root, {"a": b"1", "d/run": b"#!", "l": "-> d/run", "empty": b"", "caf\udce9": b"x"})
    (root / "d/run").chmod(0o755)
    proposal = plan(scan(root))

    base, new, puts, deletes, _ = unpack(packed(proposal))

    assert (base, new, deletes) == ("", proposal.manifest.tree, [])
    assert puts == {
        b"a": ("644", b"1"),
        b"d/run": ("755", b"#!"),
        b"l": ("link", b"d/run"),
        b"empty": ("644", b""),
        b"caf\xe9": ("644", b"x"),
    }


def test_a_pack_holds_the_difference_only(root: Path, plant: Plant):
    plant(root, {"a": b"1", "b": b"2", "c": b"3"})
    before = scan(root)
    plant(root, {"a": b"11"})
    (root / "b").unlink()
    proposal = plan(scan(root), before.manifest)

    base, new, puts, deletes, _ = unpack(packed(proposal))

    assert (base, new) == (before.manifest.tree, proposal.manifest.tree)
    assert puts == {b"a": ("644", b"11")}
    assert deletes == [b"b"]


def test_contents_are_ordered_by_extension_then_path(root: Path, plant: Plant):
    plant(root, ["b.py", "d/a.py", "c.md", "Makefile", "a.tar.gz", "z/.env"])

    order = unpack(packed(plan(scan(root))))[4]

    assert order == [b"Makefile", b"z/.env", b"a.tar.gz", b"c.md", b"b.py", b"d/a.py"]


def test_only_what_is_left_out_has_a_hash(root: Path, plant: Plant):
    plant(root, {"a": b"1" * 100, "b": b"2" * 100})
    before = scan(root)
    plant(root, {"c": b"1" * 100, "d": b"3" * 100})
    proposal = plan(scan(root), before.manifest)

    stream = zlib.decompress(packed(proposal, reuse=to_reuse(proposal))[6:])

    (length,) = struct.unpack_from(">I", stream)
    assert struct.unpack_from(">II", stream, 4 + 64) == (2, 0)
    records = struct.pack(">BQBQ", 1 | 128, 100, 1, 100)
    assert stream[4 + 72 : 4 + length] == records + hashlib.sha256(b"1" * 100).digest() + b"c\0d\0"
    assert stream[4 + length :] == b"3" * 100


def test_directories_are_in_a_pack_by_name_alone(root: Path, plant: Plant):
    plant(root, ["empty"])
    (root / "d/e").mkdir(parents=True)
    proposal = plan(scan(root, ScanOptions(keep_empty_dirs=True)))

    assert unpack(packed(proposal, reuse=to_reuse(proposal)))[2] == {b"d/e": ("dir", b""), b"empty": ("644", b"")}


@pytest.mark.parametrize("preserve", [True, False])
def test_times_of_files_are_told_when_they_are_to_be_preserved(root: Path, plant: Plant, preserve: bool):
    plant(root, {"a": b"1", "b": b"2", "l": "-> a"})
    os.utime(root / "a", ns=(0, -1_500_000_000))
    os.utime(root / "b", ns=(0, 1_700_000_000_123_456_789))
    proposal = plan(scan(root, ScanOptions(preserve_times=preserve)))
    reader = ContentReader(proposal.source)

    stream = zlib.decompress(packed(proposal, time_of=reader.modified_ns)[6:])

    (length,) = struct.unpack_from(">I", stream)
    timed = 64 if preserve else 0
    records = struct.pack(">BQBQBQ", 1 | timed, 1, 1 | timed, 1, 3, 1)
    times = struct.pack(">qq", -1_500_000_000, 1_700_000_000_123_456_789) if preserve else b""
    assert stream[4 + 72 : 4 + length] == records + times + b"a\0b\0l\0"


def test_a_time_that_eight_bytes_cannot_say_is_left_out(root: Path, plant: Plant):
    plant(root, {"a": b"1"})
    proposal = plan(scan(root, ScanOptions(preserve_times=True)))

    assert unpack(packed(proposal, time_of=lambda _entry: 1 << 63))[2] == {b"a": ("644", b"1")}


def test_equal_plans_give_equal_packs(root: Path, plant: Plant):
    plant(root, {f"d{number % 7}/f{number}.py": b"x" * number for number in range(50)})

    assert packed(plan(scan(root))) == packed(plan(scan(root)))


def test_zstd_unpacks_to_the_same_stream(root: Path, plant: Plant):
    if importlib.util.find_spec("backports") is None or importlib.util.find_spec("backports.zstd") is None:
        pytest.skip("no module for zstd is installed")
    from backports import zstd

    plant(root, {"a": b"1" * 5000, "b": b"2"})
    proposal = plan(scan(root))

    blob = packed(proposal, codec="zstd")

    assert blob[:6] == b"DBKP\x04\x02"
    assert zstd.decompress(blob[6:]) == zlib.decompress(packed(proposal)[6:])


def test_zstd_without_a_module_is_an_error_with_a_remedy(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_zstd, "_module", lambda: None)

    with pytest.raises(SyncError, match="use the zlib codec"):
        packed(plan(scan(root)), codec="zstd")


def test_slices_are_at_most_one_mebibyte(root: Path):
    (root / "a").write_bytes(random.Random(1).randbytes(5_000_000))
    proposal = plan(scan(root))

    sizes = [len(piece) for piece in pack(proposal, ContentReader(proposal.source))]

    assert max(sizes) == 1 << 20
    assert sum(sizes) > 5_000_000


def test_a_pack_is_never_in_memory_as_a_whole(root: Path):
    noise = random.Random(1).randbytes(1 << 20)
    with (root / "large").open("wb") as file:
        for number in range(40):
            file.write(noise[number:])
    with (root / "zeros").open("wb") as file:
        file.truncate(40 << 20)
    proposal = plan(scan(root))

    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in pack(proposal, ContentReader(proposal.source), level=1))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert total > 39 << 20
    assert peak_bytes < 16 << 20


@pytest.mark.parametrize("change", ["content", "longer", "shorter", "gone", "a link", "retargeted"])
def test_a_file_that_is_no_longer_as_planned_ends_the_pack(change: str, root: Path, plant: Plant):
    plant(root, {"a": b"12345", "b": b"", "l": "-> a"})
    proposal = plan(scan(root))
    contents = {"content": b"12344", "longer": b"923456", "shorter": b"1234"}
    (root / ("l" if change == "retargeted" else "a")).unlink()
    if change in contents:
        (root / "a").write_bytes(contents[change])
    elif change == "a link":
        (root / "a").symlink_to("b")
    elif change == "retargeted":
        (root / "l").symlink_to("b")

    with pytest.raises(ChangedWhileReadingError, match="while it was being sent") as caught:
        packed(proposal)

    assert caught.value.files[0][0] == (b"l" if change == "retargeted" else b"a")


def test_any_source_of_contents_will_do():
    contents = {b"a": b"x" * 10, b"b": b""}
    entries = [Entry(path, "644", len(data), hashlib.sha256(data).digest()) for path, data in contents.items()]
    manifest = Manifest.of(entries)

    def open_content(entry: Entry) -> Iterable[bytes]:
        return [contents[entry.path][:4], contents[entry.path][4:]]

    blob = b"".join(pack(Plan(b"", None, manifest, difference(None, manifest)), open_content))

    assert unpack(blob)[2] == {b"a": ("644", b"x" * 10), b"b": ("644", b"")}


def test_applying_packs_one_after_the_other_follows_the_source(root: Path, plant: Plant):
    chance = random.Random(3)
    names = ["a", "b", "d/a", "d/e/c", "f.py"]
    remote: dict[bytes, tuple[str, bytes]] = {}
    base: Manifest | None = None
    for _ in range(40):
        for name in chance.sample(names, 2):
            if (root / name).exists() and chance.random() < 0.4:
                (root / name).unlink()
            else:
                plant(root, {name: chance.randbytes(3)})
        proposal = plan(scan(root, ScanOptions()), base)
        if proposal.is_empty:
            continue

        told_base, told_new, puts, deletes, _ = unpack(packed(proposal))
        assert told_base == ("" if base is None else base.tree)
        remote = {path: value for path, value in remote.items() if path not in deletes} | puts
        base = proposal.manifest

        assert told_new == base.tree
        assert {path: content for path, (_, content) in remote.items()} == {
            entry.path: (root / entry.path.decode()).read_bytes() for entry in base
        }
