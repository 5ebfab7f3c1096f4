"""Long texts, and where one command's text ends."""

import asyncio

import pytest
from dbk_local._driver._pipe import CappedText, OutputPipe


def capped(data: bytes, cap: int, truncation: str, piece: int = 7) -> str:
    text = CappedText(cap, truncation)
    for start in range(0, len(data), piece):
        text.write(data[start : start + piece])
    return text.close()


@pytest.mark.parametrize("truncation", ["middle", "end"])
@pytest.mark.parametrize("data", ["", "a", "é" * 10, "x" * 19 + "\n", "😀\n😀"])
def test_a_text_within_the_cap_is_whole(data, truncation):
    assert capped(data.encode(), 20, truncation) == data.removesuffix("\n")


def test_the_end_marker_counts_the_bytes_that_are_missing():
    text = capped(("a" * 20 + "é" * 5).encode(), 20, "end")

    assert text == "a" * 20 + "\n*** WARNING: skipped 10 bytes of output ***"


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_the_middle_marker_stands_between_head_and_tail(piece):
    text = capped(b"a" * 50 + b"b" * 50, 20, "middle", piece)

    assert text == "a" * 10 + "\n\n*** WARNING: max output size exceeded, skipping output. ***\n\n" + "b" * 10


def test_memory_stays_within_the_cap():
    text = CappedText(1000, "middle")
    for _ in range(10_000):
        text.write(b"x" * 100)

    assert text._tail_chars < 1000
    assert len(text._tail) < 10


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64])
def test_a_marker_is_found_however_it_arrives(piece):
    async def read() -> str:
        pipe = OutputPipe()
        pipe.data_received(b"nobody's")
        ended = pipe.begin(b"<end>", CappedText(100, "end"))
        stream = b"one <en two<end>late"
        for start in range(0, len(stream), piece):
            pipe.data_received(stream[start : start + piece])
        return await ended

    assert asyncio.run(read()) == "one <en two"


def test_a_pipe_that_ends_gives_what_there_is():
    async def read() -> str:
        pipe = OutputPipe()
        ended = pipe.begin(b"<end>", CappedText(100, "end"))
        pipe.data_received(b"half <en")
        pipe.connection_lost(None)
        return await ended

    assert asyncio.run(read()) == "half <en"
