"""What looks like a secret, by name or by its first bytes. Values are never kept or shown."""

from __future__ import annotations

import re
from typing import Final

HEAD_BYTES: Final = 1 << 16
"""How much of a file is looked at."""

_NAMES: Final = frozenset(
    b".databrickscfg .env .git-credentials .htpasswd .netrc .pgpass .pypirc _netrc credentials.json"
    b" id_dsa id_ecdsa id_ed25519 id_rsa secrets.json secrets.toml secrets.yaml secrets.yml".split()
)
_SUFFIXES: Final = (b".jks", b".kdbx", b".key", b".keystore", b".p12", b".pem", b".pfx", b".ppk")
_HARMLESS_ENV: Final = (b".example", b".sample", b".template", b".dist")

# Each pattern with bytes every match contains: a plain search rules out nearly all files.
_CONTENTS: Final = (
    (b"PRIVATE KEY", re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"), "a private key"),
    (b"dapi", re.compile(rb"\bdapi[0-9a-f]{32}(?:-\d+)?\b"), "a Databricks token"),
    (b"dose", re.compile(rb"\bdose[0-9a-f]{32}\b"), "a Databricks OAuth secret"),
    (b"AKIA", re.compile(rb"\bAKIA[0-9A-Z]{16}\b"), "an AWS access key id"),
    (b"ASIA", re.compile(rb"\bASIA[0-9A-Z]{16}\b"), "an AWS access key id"),
    (b"gh", re.compile(rb"\bgh[pousr]_[0-9A-Za-z]{36}\b"), "a GitHub token"),
    (b"AccountKey=", re.compile(rb"\bAccountKey=[0-9A-Za-z+/]{86}=="), "an Azure storage key"),
)

_CONTENT_STEP: Final = 2


def is_secret_name(path: bytes) -> bool:
    """Whether a file of this name usually holds a secret."""
    name = path.rpartition(b"/")[2].lower()
    if name.startswith(b".env."):
        return not name.endswith(_HARMLESS_ENV)
    return name in _NAMES or name.endswith(_SUFFIXES)


def secret_flags(path: bytes, content: bytes) -> int:
    """What makes a file look like a secret, as a number for the cache; 0 for nothing. See `secret_reason`."""
    head = content[:HEAD_BYTES]
    for number, (part, pattern, _) in enumerate(_CONTENTS, 1):
        if part in head and pattern.search(head):
            return _CONTENT_STEP * number + is_secret_name(path)
    return int(is_secret_name(path))


def secret_reason(flags: int) -> str:
    """What `secret_flags` found, for a person: `contains a private key`, or `has the name of a secret`."""
    number = flags // _CONTENT_STEP
    return f"contains {_CONTENTS[number - 1][2]}" if 0 < number <= len(_CONTENTS) else "has the name of a secret"
