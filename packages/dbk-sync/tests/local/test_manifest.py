"""Manifests, deltas and plans: the laws that hold for all trees."""

from __future__ import annotations

import contextlib
import hashlib
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import Delta, Entry, Kind, Manifest, ScanOptions, apply, difference, plan, scan
from dbk_sync.errors import FormatError, NameCollisionError

Plant = Callable[..., None]

NAMES = [b"a", b"b", b"a-b", b"a.b", b"A", b"\xff", "ü".encode(), b"a b", b"%", b"\n", b"..."]


def entry(path: bytes, content: bytes = b"", mode: str = "644") -> Entry:
    return Entry(path, mode, len(content), hashlib.sha256(content).digest())  # type: ignore[arg-type]


def some_tree(chance: random.Random) -> Manifest:
    """A random tree; a name is never both a file and a directory."""
    paths = {b"/".join([b"d" + chance.choice(NAMES)] * chance.randint(0, 2) + [chance.choice(NAMES)]) for _ in range(9)}
    modes = ["644", "755", "link"]
    contents = [b"", b"x", b"yy"]
    return Manifest.of([entry(path, chance.choice(contents), chance.choice(modes)) for path in paths])


TREES = [(some_tree(random.Random(seed)), some_tree(random.Random(seed + 1))) for seed in range(200)]


def test_reading_what_was_written_gives_the_same_manifest():
    for tree, _ in TREES:
        assert Manifest.from_bytes(tree.to_bytes()) == tree
        assert Manifest.from_text(tree.to_text()) == tree


def test_the_tree_hash_is_that_of_the_canonical_form():
    for tree, other in TREES:
        assert tree.tree == hashlib.sha256(tree.to_bytes()).hexdigest()
        assert (tree.tree == other.tree) == (tree == other)


def test_the_canonical_form_is_as_documented():
    tree = Manifest.of([entry(b"b", b"x", "755"), entry(b"a/l", b"t", "link")])

    digests = [hashlib.sha256(content).digest() for content in (b"t", b"x")]
    assert tree.to_bytes() == (
        b"DBKM\x01" + struct.pack(">I", 2)
        + struct.pack(">BQ32s", 3, 1, digests[0]) + struct.pack(">BQ32s", 2, 1, digests[1])
        + b"a/l\0b\0"
    )  # fmt: skip


def test_every_part_of_an_entry_changes_the_tree_hash():
    base = Entry(b"a", "644", 1, bytes(32))
    others = [base._replace(path=b"b"), base._replace(mode="755"), base._replace(size_bytes=2)]
    others += [base._replace(sha256=b"1" * 32), base._replace(mode="link")]

    assert len({Manifest.of([one]).tree for one in [base, *others]}) == 6


def test_applying_a_difference_gives_the_new_tree():
    for old, new in TREES:
        assert apply(difference(old, new), old) == new
        assert apply(difference(None, new), old) == new
        assert apply(difference(None, new), None) == new


def test_the_difference_to_the_same_tree_is_empty():
    for tree, _ in TREES:
        same = Manifest.from_bytes(tree.to_bytes())

        assert difference(tree, same) == difference(tree, tree) == Delta(tree.tree, tree.tree, (), ())


def test_a_difference_names_nothing_that_stays():
    for old, new in TREES:
        delta = difference(old, new)

        assert not set(delta.puts) & set(old.entries)
        assert set(delta.deletes) == old.by_path.keys() - new.by_path.keys()
        assert list(delta.deletes) == sorted(delta.deletes)
        assert [e.path for e in delta.puts] == sorted(e.path for e in delta.puts)


def test_a_difference_fits_its_base_only():
    old, new = Manifest.of([entry(b"a")]), Manifest.of([entry(b"b")])

    with pytest.raises(FormatError, match="another base"):
        apply(difference(old, new), new)
    with pytest.raises(FormatError, match="another base"):
        apply(difference(old, new), None)
    with pytest.raises(FormatError, match="does not lead"):
        apply(Delta("", new.tree, old.entries, ()), None)


UNSAFE = [b"", b"/a", b"a/", b"a//b", b".", b"..", b"a/../b", b"./a", b"a\0b", b".git", b"d/.git/x", b"x/.databricks"]


@pytest.mark.parametrize("path", UNSAFE)
def test_a_path_that_could_be_written_elsewhere_is_refused(path: bytes):
    head = b"DBKM\x01" + struct.pack(">I", 1) + struct.pack(">BQ32s", 1, 0, bytes(32))

    with pytest.raises(FormatError):
        Manifest.of([entry(path)])
    with pytest.raises(FormatError):
        Manifest.from_bytes(head + path + b"\0")


@pytest.mark.parametrize("path", [b"...", b"..a", b".gitignore", b"a.git", b".git.", b"\xff", b"\n"])
def test_a_path_that_only_resembles_such_a_one_is_fine(path: bytes):
    assert Manifest.of([entry(path)]).entries[0].path == path


def test_a_path_given_twice_is_refused():
    with pytest.raises(FormatError, match="twice"):
        Manifest.of([entry(b"a"), entry(b"a", b"x")])


def test_damage_anywhere_in_the_bytes_is_noticed():
    blob = Manifest.of([entry(b"a", b"x"), entry(b"b/c", b"y", "link")]).to_bytes()
    damaged = [blob[:at] + bytes((blob[at] ^ 0x40,)) + blob[at + 1 :] for at in range(len(blob))]
    cut = [blob[:end] for end in range(len(blob))]
    tree = hashlib.sha256(blob).hexdigest()

    for wrong in [*damaged, *cut, blob + b"x", blob + b"\0"]:
        with contextlib.suppress(FormatError):
            # Another size, digest or name is a manifest too, but of another tree: its hash tells.
            assert Manifest.from_bytes(wrong).tree != tree


@pytest.mark.parametrize(
    "line", ["644", "644 aa 1 x", "600 " + "0" * 64 + " 1 x", "644 " + "0" * 64 + " x x", "a b c d e"]
)
def test_a_line_that_is_no_entry_is_named(line: str):
    with pytest.raises(FormatError, match="Line 2"):
        Manifest.from_text(f"# comment\n{line}\n")


# Plans


def test_the_plan_of_an_unchanged_tree_is_empty(root: Path, plant: Plant):
    plant(root, {"a": b"1", "d/b": b"2", "l": "-> a"})

    proposal = plan(scan(root), scan(root).manifest)

    assert proposal.is_empty
    assert (proposal.puts, proposal.deletes, proposal.size_bytes) == ((), (), 0)


def test_without_a_base_everything_is_sent(root: Path, plant: Plant):
    plant(root, {"a": b"1", "d/b": b"22"})

    proposal = plan(scan(root))

    assert not proposal.is_empty
    assert proposal.puts == proposal.manifest.entries
    assert proposal.size_bytes == 3


def test_an_empty_tree_is_still_news_to_a_target_of_which_nothing_is_known(root: Path):
    assert not plan(scan(root)).is_empty
    assert plan(scan(root), Manifest()).is_empty


def test_a_change_a_deletion_and_a_rename_are_told(root: Path, plant: Plant):
    plant(root, {"a": b"1", "b": b"2", "c": b"3"})
    base = scan(root).manifest
    plant(root, {"a": b"11"})
    (root / "b").unlink()
    (root / "c").rename(root / "d")

    proposal = plan(scan(root), base)

    assert [e.path for e in proposal.puts] == [b"a", b"d"]
    assert proposal.deletes == (b"b", b"c")
    assert proposal.filter_deletes == ()


def test_deletions_that_only_the_rules_cause_are_told_apart(root: Path, plant: Plant):
    plant(root, {"a.log": b"", "b": b"", "c": b""})
    base = scan(root).manifest
    (root / "b").unlink()

    proposal = plan(scan(root, ScanOptions(exclude=("*.log",))), base)

    assert proposal.deletes == (b"a.log", b"b")
    assert proposal.filter_deletes == (b"a.log",)


@pytest.mark.parametrize(
    "pair", [("a", "A"), ("d/x", "D/X"), ("\u00e9", "e\u0301"), ("\u00c9", "\u00e9"), ("stra\u00dfe", "STRASSE")]
)
def test_names_that_differ_only_by_case_or_form_are_told(pair: tuple[str, str], root: Path, plant: Plant):
    plant(root, [*pair, "other"])
    if len(scan(root).manifest) < 3:
        pytest.skip("this file system keeps no such names apart")

    proposal = plan(scan(root))

    assert [finding.kind for finding in proposal.warnings] == [Kind.COLLISION]
    with pytest.raises(NameCollisionError, match="may not keep apart") as caught:
        plan(scan(root), case_sensitive=False)
    assert len(caught.value.files) == 1


def test_an_ignored_source_is_explained(repository: Path, plant: Plant):
    plant(repository, {".gitignore": b"\nout/\n", "out/a": b""})

    proposal = plan(scan(repository / "out"))

    assert len(proposal.manifest) == 0
    assert [finding.kind for finding in proposal.warnings] == [Kind.IGNORED_SOURCE]
    assert "line 2 of .gitignore leaves out out" in proposal.warnings[0].message
