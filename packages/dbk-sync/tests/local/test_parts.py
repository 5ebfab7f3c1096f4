"""A pack in parts: where it is cut, and how it passes on what happens while it is made."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest
from dbk_sync import _parts
from dbk_sync._parts import Part, Parts, part_bytes

DATA = random.Random(1).randbytes(10_000)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_parts, "FIRST_BYTES", 1000)


def pieces(size: int = 700) -> Iterator[bytes]:
    for at in range(0, len(DATA), size):
        yield DATA[at : at + size]


def read(part: Part) -> bytes:
    file, found = part.open(), b""
    while piece := file.read(300):
        found += piece
    return found


def test_the_parts_are_the_pack_however_often_they_are_read():
    with Parts(pieces()) as parts:
        first, second = list(parts), list(parts)

        assert b"".join(map(read, first)) == b"".join(map(read, second)) == DATA
        assert b"".join(part.open().read() for part in first) == DATA
        assert [part.size_bytes for part in first] == [1000, 1500, 2250, 3375, 1875]


def test_all_of_it_can_be_read_while_it_is_made():
    with Parts(pieces()) as parts:
        file, found = parts.open(), b""
        while piece := file.read(999):
            found += piece

    assert found == DATA


def test_a_gigabyte_is_a_few_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    number, begin = 0, 0
    while begin < 1 << 30:
        begin, number = begin + part_bytes(begin), number + 1

    assert number == 15
    assert part_bytes(0) == 7 << 18


def test_a_part_is_there_before_the_pack_is_complete():
    seen = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield DATA[:2500]
        assert seen.wait(60)
        yield DATA[2500:3100]

    with Parts(slowly()) as parts:
        assert not parts.fits(2499)
        waiting = iter(parts)
        first, second = next(waiting), next(waiting)
        early = read(first) + read(second)
        seen.set()

        assert early == DATA[:2500]
        assert b"".join(map(read, waiting)) == DATA[2500:3100]
        assert parts.ended
        assert parts.fits(3100)


def test_what_goes_wrong_is_raised_to_whoever_waits_for_more():
    def broken() -> Iterator[bytes]:
        yield DATA[:1500]
        raise ValueError("it changed")

    with Parts(broken()) as parts, pytest.raises(ValueError, match="it changed"):
        list(parts)


def test_nothing_more_is_made_once_nobody_wants_it():
    made, go_on = [], threading.Event()

    def endless() -> Iterator[bytes]:
        while True:
            made.append(1)
            yield DATA[:1000]
            if len(made) == 3:
                go_on.set()

    with Parts(endless()):
        assert go_on.wait(60)

    assert made
    assert [one.name for one in threading.enumerate() if one.name == "dbk-sync-pack"] == []


def test_an_empty_stream_has_no_parts():
    with Parts([]) as parts:
        assert list(parts) == []
        assert parts.fits(0)
