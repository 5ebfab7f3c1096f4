"""Packs of zstd: what reads them on a driver, what is refused, and when one is sent at all."""

import hashlib
import io
import itertools
import os
import random
import struct
import subprocess
import sys

import pytest
from dbk_sync import _packing, _zstd, driver
from dbk_sync.driver import _refusals
from dbk_sync.driver import _zstd as receiving

zstd = _zstd._module() or pytest.skip("no module for zstd is installed", allow_module_level=True)

OLD = {b"a.py": b"a = 1\n", b"d/b": b"b"}
TEXT = b"".join(b"line %d\n" % number for number in range(200_000))
FILES = {"a.py": b"a = 1\n", "noise.bin": random.Random(1).randbytes(700_000)}


@pytest.fixture(params=[name for name in receiving.MODULES if receiving._is_there(name)])
def module(request, monkeypatch):
    """One of the modules that this Python has for it, and no other."""
    monkeypatch.setattr(receiving, "MODULES", (request.param,))


def compressed(data, **parameters):
    options = {zstd.CompressionParameter[name]: value for name, value in parameters.items()}
    return zstd.compress(data, options=options) if options else zstd.compress(data)


def unpacked(blob):
    return b"".join(receiving.unpacked(io.BytesIO(blob)))


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize("parameters", [{}, {"checksum_flag": 1}, {"content_size_flag": 0}, {"window_log": 23}])
@pytest.mark.parametrize("data", [b"", b"x", bytes(3_000_000), TEXT, random.Random(2).randbytes(500_000)])
def test_any_single_frame_unpacks(data, parameters):
    assert unpacked(compressed(data, **parameters)) == data


def test_modules_of_the_project_are_neither_imported_nor_taken_for_those_that_are_wanted(bench, tools, monkeypatch):
    module = b"raise SystemExit('a module of the project was run')\n"
    names = [b"compression/__init__.py", b"compression/zstd.py", b"backports/__init__.py", b"backports/zstd.py"]
    path = bench().apply(None, dict.fromkeys([*names, b"pyarrow.py"], module))["path"]
    for name in ("compression", "backports", "backports.zstd", "pyarrow"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert sys.path[0] == path
    assert [name for name in receiving.MODULES if receiving._is_there(name)] == []
    assert not receiving.is_readable()


@pytest.mark.usefixtures("module")
def test_what_the_client_makes_is_one_frame_that_the_receiver_takes():
    compressor = _zstd.compressor()

    blob = b"".join([compressor.compress(TEXT[:1_000_000]), compressor.compress(TEXT[1_000_000:]), compressor.flush()])

    assert unpacked(blob) == TEXT
    assert len(blob) < len(TEXT) / 5


@pytest.mark.usefixtures("module")
def test_a_stream_is_unpacked_as_it_is_taken():
    raw = io.BytesIO(compressed(bytes(1 << 20) * 200))

    first = next(receiving.unpacked(raw))

    assert len(first) <= 1 << 20
    assert raw.tell() < len(raw.getvalue())


WHOLE = compressed(TEXT, checksum_flag=1)


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (b"", "stops short"),
        (WHOLE[:7], "stops short"),
        (WHOLE[: len(WHOLE) // 2], "stops short"),
        (WHOLE[:-1], "stops short"),
        (WHOLE[:-1] + b"?", "damaged"),
        (WHOLE[:9] + bytes(100) + WHOLE[109:], "damaged"),
        (b"PK" + WHOLE[2:], "no frame of zstd"),
        (WHOLE[:4] + bytes([WHOLE[4] | 1]) + WHOLE[5:], "needs a dictionary"),
        (WHOLE + b"x", "goes on after its end"),
        (WHOLE + WHOLE, "goes on after its end"),
        (WHOLE + b"\x50\x2a\x4d\x18\0\0\0\0", "goes on after its end"),
        (b"\x28\xb5\x2f\xfd\x00\xa0" + WHOLE[6:], "more memory"),
        (b"\x28\xb5\x2f\xfd\xa0\xff\xff\xff\xff" + WHOLE[9:], "more memory"),
        (b"\x28\xb5\x2f\xfd\x00\x58\x07\0\0", "impossible"),
        (b"\x28\xb5\x2f\xfd\x00\x58\xff\xff\xff", "impossible"),
    ],
    ids=itertools.count(),
)
def test_what_is_not_one_whole_frame_of_a_modest_size_is_refused(blob, why):
    with pytest.raises(_refusals.BadPack, match=why):
        unpacked(blob)


@pytest.mark.usefixtures("module")
def test_a_disk_that_fails_is_no_damage_of_the_pack():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 5000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        list(receiving.unpacked(Failing(WHOLE)))


def pack_with(content, claimed=None, trailer=b""):
    """A pack with the file `x`, whose size is said to be `claimed`."""
    sha256 = hashlib.sha256(content).digest()
    record = struct.pack(">BQ", 1, len(content) if claimed is None else claimed)
    manifest = struct.pack(">4sBI", b"DBKM", 1, 1) + record + sha256 + b"x\0"
    header = bytes(32) + hashlib.sha256(manifest).digest() + struct.pack(">II", 1, 0) + record + b"x\0"
    return b"DBKP\4\2" + compressed(struct.pack(">I", len(header)) + header + content + trailer)


@pytest.mark.usefixtures("module")
def test_a_receiver_makes_the_tree_of_such_a_pack(bench, tools):
    one = bench()

    answer = one.ask("apply", pack_with(TEXT), source={"kind": "inline"})

    assert tools.read_tree(answer["path"]) == {b"x": TEXT}


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    "pack",
    [
        pack_with(b"content", trailer=b"more"),
        pack_with(b"content", trailer=bytes(50_000_000)),
        pack_with(b"content", claimed=9),
        pack_with(b"content", claimed=3),
        pack_with(TEXT)[:-9],
        pack_with(TEXT) + b"x",
        pack_with(TEXT)[:900] + bytes(200) + pack_with(TEXT)[1100:],
    ],
    ids=["longer", "bomb", "too short", "too long", "cut", "more behind", "damaged"],
)
def test_a_pack_that_is_damaged_or_lies_is_refused_and_the_tree_stays(bench, tools, pack):
    one = bench()
    path = one.apply(None, OLD)["path"]

    answer = one.ask("apply", pack, source={"kind": "inline"})

    assert answer["error"]["code"] == "bad-pack"
    assert tools.read_tree(path) == OLD


def test_a_module_that_cannot_be_imported_is_passed_over_and_remembered(bench, tmp_path, monkeypatch):
    (tmp_path / "broken_arrow.py").write_text("raise AttributeError('built for another numpy')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(receiving, "MODULES", ("broken_arrow", "nothing.of.this.name"))
    monkeypatch.setattr(receiving, "_broken", set())
    one = bench()

    before = one.ask("hello")
    answer = one.ask("apply", pack_with(TEXT), source={"kind": "inline"})
    after = one.ask("hello")

    assert (before["zstd"], after["zstd"]) == (True, False)
    assert answer["error"]["code"] == "no-codec"


def test_nothing_is_imported_to_tell_what_can_be_read():
    program = (
        f"{driver.bootstrap()}\n"
        "import sys; sys.modules['_dbk_sync'].call('', '', 'e30=')\n"
        "assert isinstance(sys.modules['_dbk_sync']._receive._reads()['zstd'], bool)\n"
        "assert not {'pyarrow', 'numpy', 'backports.zstd', 'compression.zstd'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def codecs(monkeypatch):
    """The codecs of the packs that are made, where a little is large enough for zstd."""
    made = []
    monkeypatch.setattr(_packing, "ZSTD_FROM_BYTES", 500_000)

    def noted(plan, reader, *, codec, **options):
        made.append(codec)
        return pack(plan, reader, codec=codec, **options)

    pack = _packing.pack
    monkeypatch.setattr(_packing, "pack", noted)
    return made


def test_a_large_pack_is_zstd_where_both_ends_have_it(place, write, synced, interpreter, tools, codecs):
    write(FILES)
    sync = synced(interpreter())

    reply = sync.push(sync.plan())
    write({"a.py": b"a = 2\n"})
    small = sync.push(sync.plan())

    assert codecs == ["zstd", "zlib"]
    assert (reply.store, small.store) == ("dbfs", "inline")
    assert tools.read_tree(reply.path)[b"noise.bin"] == FILES["noise.bin"]
    # The receiver and what it can read, the pack, the edit.
    assert len(sync._far.receiver._driver.texts) == 3


def test_it_is_zlib_where_this_end_has_no_module(write, synced, interpreter, codecs, monkeypatch):
    write(FILES)
    monkeypatch.setattr(_zstd, "_module", lambda: None)
    sync = synced(interpreter())

    sync.push(sync.plan())

    assert codecs == ["zlib"]
    assert sync.notices == []


def test_it_is_zlib_where_the_driver_has_no_module(write, synced, interpreter, codecs):
    write({"a.py": FILES["a.py"]})
    python = interpreter()
    sync = synced(python)
    sync.push(sync.plan())
    python.execute("import sys; sys.modules['_dbk_sync']._zstd.MODULES = ()")
    write(FILES)

    sync.push(sync.plan())
    write({"noise.bin": FILES["noise.bin"][::-1]})
    sync.push(sync.plan())

    # It is begun as zstd while the driver is asked, once.
    assert codecs == ["zlib", "zstd", "zlib", "zlib"]
    assert sync.notices == []


def test_it_goes_again_as_zlib_where_the_driver_cannot_read_it_after_all(
    place, write, synced, interpreter, tools, codecs
):
    write({"a.py": FILES["a.py"]})
    python = interpreter()
    sync = synced(python)
    sync.push(sync.plan())
    sync._far.look()
    python.execute("import sys; sys.modules['_dbk_sync']._zstd.MODULES = ()")
    write(FILES)

    reply = sync.push(sync.plan())

    assert codecs == ["zlib", "zstd", "zlib"]
    assert {os.fsdecode(path): content for path, content in tools.read_tree(reply.path).items()} == FILES
    assert not [one for one in place.remote_files() if one.endswith(".pack")]
    assert sync.notices == []
