"""Reads and writes manifests, in the format of `dbk_sync._manifest`.

Written a second time because this runs on the driver, where `dbk_sync` is not installed; a test holds the two together.
A manifest is a dict here: path (bytes) to record (41 bytes: mode, size, SHA-256, as in the file).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

RECORD = struct.Struct(">BQ32s")
MODE_644, MODE_755, MODE_LINK, MODE_DIR = 1, 2, 3, 4

Manifest = dict[bytes, bytes]

_HEAD = struct.Struct(">4sBI")


def manifest_bytes(manifest: Mapping[bytes, bytes]) -> bytes:
    """The canonical form of a manifest; the tree hash is its SHA-256."""
    paths = sorted(manifest)
    head = _HEAD.pack(b"DBKM", 1, len(paths))
    return head + b"".join([manifest[path] for path in paths]) + b"".join([path + b"\0" for path in paths])


def parse_manifest(blob: bytes) -> Manifest | None:
    """The manifest whose canonical form is `blob`, or None when it is not one to the last byte."""
    if len(blob) < _HEAD.size:
        return None
    magic, version, count = _HEAD.unpack_from(blob)
    names_at = _HEAD.size + count * RECORD.size
    paths = blob[names_at:].split(b"\0")[:-1]
    if magic != b"DBKM" or version != 1 or len(paths) != count:
        return None
    records = [blob[at : at + RECORD.size] for at in range(_HEAD.size, names_at, RECORD.size)]
    manifest = dict(zip(paths, records))  # noqa: B905
    return manifest if manifest_bytes(manifest) == blob else None


def tree_hash(blob: bytes) -> str:
    """The hash of the tree whose manifest in canonical form is `blob`."""
    return hashlib.sha256(blob).hexdigest()


def files_by_hash(manifest: Manifest) -> dict[bytes, bytes]:
    """A path for each content that a file of the manifest has."""
    return {record[-32:]: path for path, record in manifest.items() if record[0] in (MODE_644, MODE_755)}
