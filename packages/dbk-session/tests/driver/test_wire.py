import random

import pytest
from dbk_session.driver import wire

KEY = bytes(range(32))


@pytest.mark.parametrize(
    "code",
    ["", "x", "x\n", "\n\n", "'''open", "x \\", "%%time\nx", "# dbk:like a trailer", "ünïcödé\r\n\tx", "a\x0cb"],
)
def test_code_comes_back_exactly_as_it_was_given(code):
    text = wire.with_trailer(code, {"run": "r"})

    assert wire.split_trailer(text) == (code, {"run": "r"})
    assert wire.split_trailer(text + "\n") == (code, {"run": "r"})


@pytest.mark.parametrize("text", ["", "x", "x # dbk:e30", "# dbk:???", "# dbk:W10", "# dbk:e30\nx"])
def test_text_without_a_trailer_is_left_alone(text):
    assert wire.split_trailer(text) == (text, None)


def test_a_frame_is_found_between_other_text():
    frame = wire.make_frame({"kind": "run", "text": "ü@dbk1:"})

    content, rest = wire.find_frame(f"before\n{frame}\nafter")

    assert content == {"v": 1, "kind": "run", "text": "ü@dbk1:"}
    assert rest == "before\nafter"


def test_a_frame_is_one_line_of_printable_ascii():
    assert wire.make_frame({"text": "\x00ü\n" * 100}).isascii()
    assert wire.make_frame({"text": "\x00ü\n" * 100}).isprintable()


def test_of_two_frames_the_last_one_counts():
    text = wire.make_frame({"n": 1}) + "\n" + wire.make_frame({"n": 2})

    assert wire.find_frame(text)[0]["n"] == 2


def test_a_frame_that_was_cut_or_changed_is_no_frame():
    frame = wire.make_frame({"payload": "x" * 1000, "more": list(range(300))})
    middle = len(frame) // 2

    for text in (frame[:-1], frame[1:], frame[:middle] + "*** WARNING ***" + frame[middle + 40 :]):
        assert wire.find_frame(text) == (None, text)


def test_records_are_read_back_and_an_unfinished_line_is_left():
    lines = b"".join(wire.record_line({"n": n, "text": "ü\t\n"}, KEY) for n in (1, 2))

    records, used = wire.read_records(lines + b'{"n":3', KEY)

    assert [record["n"] for record in records] == [1, 2]
    assert used == len(lines)


def test_a_record_of_somebody_else_is_refused():
    ours = wire.record_line({"n": 1}, KEY)
    forged = wire.record_line({"n": 1}, bytes(32))

    for data in (forged, ours.replace(b"1", b"2", 1), b'{"n":1}\n'):
        with pytest.raises(wire.Forged, match="not written by this session"):
            wire.read_records(data, KEY)


def test_sealed_text_hides_its_content_and_opens_with_the_key_only():
    sealed = wire.seal(KEY, b"secret" * 20)

    assert wire.unseal(KEY, sealed) == b"secret" * 20
    assert sealed != wire.seal(KEY, b"secret" * 20)
    assert b"secret" not in wire.from_base64(sealed)
    with pytest.raises(wire.Forged):
        wire.unseal(bytes(32), sealed)
    with pytest.raises(wire.Forged):
        wire.unseal(KEY, wire.to_base64(b"x" + wire.from_base64(sealed)[1:]))


def test_an_empty_text_can_be_sealed():
    assert wire.unseal(KEY, wire.seal(KEY, b"")) == b""


def test_pieces_put_together_are_the_whole_and_each_fits():
    seed = random.Random(7)
    for _ in range(30):
        data = seed.randbytes(seed.randrange(1, 4000)) * seed.choice([1, 1, 50])
        limit, got = seed.choice([64, 500, 3000]), b""
        while len(got) < len(data):
            text, used = wire.pack_piece(data[len(got) :], limit)
            assert len(text) <= limit
            piece = wire.unpack_piece({"data": text})
            assert len(piece) == used > 0
            got += piece
        assert got == data


def test_call_text_is_an_expression_that_carries_its_arguments_as_data():
    text = wire.call_text("read", {"run": "'); import os; ('"})

    assert text.startswith('__import__("_dbk_agent").call("')
    assert "import os" not in text
    assert wire.parse_call(text.split('"')[3]) == ("read", {"run": "'); import os; ('"})
    assert wire.control_text("read").startswith('__import__("_dbk_control")')
