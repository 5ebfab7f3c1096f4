"""What the tests of several folders share. `project` is each folder's own."""

import ctypes
import os
import struct
import sys

import pytest

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


@pytest.fixture
def permissions_count():
    """Permission bits stop this thread even if it is root's: without the two capabilities that pass them by."""
    if os.name != "posix":
        pytest.skip("there are no permission bits")
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("nothing stops root here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    before = ctypes.create_string_buffer(24)
    assert libc.capget(header, before) == 0
    effective, *rest = struct.unpack("=6I", before.raw)
    left = effective & ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH)
    assert libc.capset(header, struct.pack("=6I", left, *rest)) == 0
    yield
    assert libc.capset(header, before) == 0


@pytest.fixture
def write(project):
    """A function that writes files (text path to bytes) into the project, and removes those that are None."""

    def write(tree):
        for path, content in tree.items():
            whole = project / path
            whole.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                whole.unlink()
            else:
                whole.write_bytes(content)

    return write
