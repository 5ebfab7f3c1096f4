"""Names of files as a line can hold them."""

from __future__ import annotations

import re
from typing import Final

_SPECIAL: Final = re.compile(rb'[\x00-\x1f"\\\x7f]')
_NAMED: Final = dict(zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))


def quoted(path: bytes) -> bytes:
    """A path that a line can hold: as it is, or in quotes with escapes, as git writes it without `core.quotePath`."""
    try:
        path.decode()
        special = _SPECIAL
    except UnicodeDecodeError:
        special = re.compile(_SPECIAL.pattern[:-1] + rb"\x80-\xff]")
    escaped = special.sub(lambda found: _escape(found[0][0]), path)
    return path if escaped == path else b'"' + escaped + b'"'


def _escape(byte: int) -> bytes:
    return f"\\{_NAMED.get(byte) or format(byte, '03o')}".encode()
