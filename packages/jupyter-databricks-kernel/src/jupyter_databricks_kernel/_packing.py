"""Messages that can always be sent: text that UTF-8 has no bytes for is shown by its escapes.

A lone surrogate is legal in a Python string (`json.loads('"\\ud800"')` makes one) and may stand in any text that a cell
gives. A message that holds one cannot be encoded, and without its reply a front end would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["forgiving"]


def forgiving(pack: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Makes a message packer (`jupyter_client.session.Session.pack`) that writes what cannot be encoded as escapes."""

    def packer(content: Any) -> bytes:
        try:
            return pack(content)
        except UnicodeEncodeError:
            return pack(_encodable(content))

    return packer


def _encodable(value: Any) -> Any:
    """The same value, with `\\ud800` as six characters where the code point stood."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value
