"""The texts that travel between the client and the driver: trailer, frame, record line, sealed text, piece.

Both sides run this module: the client imports it, and it is shipped to the driver with the agent. It is pure: standard
library only, no I/O. The result text of a command is the only way back that the API promises, and a
runtime may cut it or wrap it in other output, so a frame is printable ASCII on one line that carries its own length and
digest: what doesn't match exactly is no frame.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import zlib
from typing import Any

PROTOCOL = 1
TRAILER = "# dbk:"
AGENT = "_dbk_agent"
CONTROL = "_dbk_control"

# Records that show something to the user: the output limit counts and drops only these.
OUTPUTS = frozenset({"stream", "display", "result", "clear", "comm"})

RUN_ID = re.compile(r"[A-Za-z0-9_.\-]{1,120}")
_FRAME = re.compile(r"@dbk1:(\d+):([A-Za-z0-9_\-]*):([0-9a-f]{16})@")
_MAC_CHARS = 32
_TAG_BYTES = 16
# Compressed text rarely beats 40:1, so a first guess above this would only be thrown away.
_GUESS_RATIO = 40
_SAMPLE_BYTES = 64 * 1024


class Forged(ValueError):
    """A record or a sealed text was not written with the session's key."""


def to_json(value: Any) -> str:
    """Compact ASCII JSON of `value`."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def to_base64(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64(text: str) -> bytes:
    """The bytes that `to_base64` encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_trailer(code: str, trailer: dict[str, Any]) -> str:
    """The user's code, verbatim, with the trailer as its last line."""
    return f"{code}\n{TRAILER}{to_base64(to_json(trailer).encode())}"


def split_trailer(text: str) -> tuple[str, dict[str, Any] | None]:
    """The code without its trailer, and the trailer; `(text, None)` when there is none.

    The newline before the trailer is the trailer's own: what comes back is exactly what `with_trailer` was given.
    """
    body, found, encoded = text.rpartition(TRAILER)
    if not found or (body and not body.endswith("\n")):
        return text, None
    try:
        trailer = json.loads(from_base64(encoded.strip()))
    except ValueError:
        return text, None
    if not isinstance(trailer, dict):
        return text, None
    return body[:-1], trailer


def call_text(op: str, arguments: dict[str, Any] | None = None, module: str = AGENT) -> str:
    """The command that runs one helper operation; its arguments travel as base64, never as source."""
    request = to_base64(to_json({"op": op, "arguments": arguments or {}}).encode())
    return f'__import__("{module}").call("{request}")'


def control_text(op: str, arguments: dict[str, Any] | None = None) -> str:
    """The command that runs one operation of the control context."""
    return call_text(op, arguments, CONTROL)


def parse_call(request: str) -> tuple[str, dict[str, Any]]:
    """The operation and arguments that `call_text` encoded."""
    value = json.loads(from_base64(request))
    return value["op"], value["arguments"]


def make_frame(content: dict[str, Any]) -> str:
    """One line of printable ASCII that carries `content`."""
    text = to_base64(zlib.compress(to_json({"v": PROTOCOL, **content}).encode(), 6))
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
    return f"@dbk1:{len(text)}:{text}:{digest}@"


def find_frame(text: str) -> tuple[dict[str, Any] | None, str]:
    """The last whole frame in `text`, and the text without it.

    A frame that was cut or altered is no frame: `(None, text)`.
    """
    for match in reversed(list(_FRAME.finditer(text))):
        length, body, digest = match.groups()
        if int(length) != len(body) or hashlib.sha256(body.encode("ascii")).hexdigest()[:16] != digest:
            continue
        content = json.loads(zlib.decompress(from_base64(body)))
        # The frame is printed with a newline of its own.
        rest = text[match.end() :]
        return content, text[: match.start()] + rest.removeprefix("\n")
    return None, text


def record_line(record: dict[str, Any], key: bytes) -> bytes:
    """One record as a line of a spool file: JSON, tab, code that proves who wrote it."""
    body = to_json(record).encode("ascii")
    return b"%s\t%s\n" % (body, _mac(key, body))


def read_records(data: bytes, key: bytes) -> tuple[list[dict[str, Any]], int]:
    """The whole records at the start of `data`, and how many bytes they take.

    Raises:
        Forged: A line was not written with `key`.
    """
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        body, _, mac = line.rpartition(b"\t")
        if not hmac.compare_digest(mac, _mac(key, body)):
            raise Forged("a record of the driver was not written by this session's agent")
        records.append(json.loads(body))
    return records, end


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256").hex()[:_MAC_CHARS].encode("ascii")


def seal(key: bytes, plain: bytes) -> str:
    """`plain` so that only a holder of `key` can read or change it.

    Command text may be logged (audit logs keep it), so an answer to `getpass` must not stand in it. The standard
    library has no cipher: this is HMAC-SHA256 in counter mode, then a code over the result.
    """
    salt = secrets.token_bytes(16)
    hidden = _stream_xor(key, salt, plain)
    return to_base64(salt + hidden + _tag(key, salt + hidden))


def unseal(key: bytes, sealed: str) -> bytes:
    """What `seal` was given.

    Raises:
        Forged: The text was not sealed with `key`.
    """
    data = from_base64(sealed)
    body, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
    if len(body) < 16 or not hmac.compare_digest(tag, _tag(key, body)):
        raise Forged("an answer was not written by this session")
    return _stream_xor(key, body[:16], body[16:])


def _tag(key: bytes, body: bytes) -> bytes:
    return hmac.digest(hmac.digest(key, b"tag", "sha256"), body, "sha256")[:_TAG_BYTES]


def _stream_xor(key: bytes, salt: bytes, data: bytes) -> bytes:
    own = hmac.digest(key, b"seal", "sha256")
    blocks = (hmac.digest(own, salt + i.to_bytes(8, "big"), "sha256") for i in range(-(-len(data) // 32)))
    stream = b"".join(blocks)[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def pack_piece(data: bytes, max_chars: int) -> tuple[str, int]:
    """As much of the start of `data` as fits compressed in `max_chars`, and how many bytes that is."""
    take = _guess(data, max(max_chars, 256))
    while True:
        text = to_base64(zlib.compress(data[:take], 6))
        if len(text) <= max_chars or take <= 1:
            return text, take
        take = max(1, min(take - 1, int(take * max_chars / len(text) * 0.95)))


def _guess(data: bytes, max_chars: int) -> int:
    """How many bytes may fit, from how well the first of them compress: to compress far too many takes its time."""
    most = min(len(data), max_chars * _GUESS_RATIO)
    if most <= _SAMPLE_BYTES:
        return most
    chars = len(zlib.compress(data[:_SAMPLE_BYTES], 6)) * 4 // 3 + 1
    return min(most, max(_SAMPLE_BYTES * max_chars // chars, 1))


def unpack_piece(value: dict[str, Any]) -> bytes:
    """The bytes in the answer to a `read` operation."""
    return zlib.decompress(from_base64(value["data"]))
