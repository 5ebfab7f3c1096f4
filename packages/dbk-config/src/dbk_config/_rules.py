"""What a text setting must look like, beyond being text. A rule gives what is wrong, or "" when all is well."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["absolute_or", "cluster_id", "host", "is_loopback", "normal_host", "volume"]

_HOST = re.compile(r"(?P<scheme>https?)://(?P<name>\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?P<port>:\d{1,5})?(?P<path>/.*)?")
_LOOPBACK = ("localhost", "[::1]")


def normal_host(text: str) -> str:
    """`text` as a base URL: https:// when it names no scheme, no trailing slash, nothing of a pasted browser address.

    The SDK does the same (databricks/sdk/_base_client.py) but keeps the path and query of a pasted address, which
    never work.
    """
    url = text if "://" in text else f"https://{text}"
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    if bare != url:
        bare = "/".join(bare.split("/")[:3])
    bare = bare.rstrip("/")
    return re.sub(r"^(https://[^/]*):443(?=/|$)", r"\1", bare)


def host(text: str) -> str:
    """A host name with or without scheme, or a whole address pasted from a browser."""
    if "@" in text:
        return "must not carry a user name or password"
    if not _HOST.fullmatch(normal_host(text)):
        return "must be the address of a workspace"
    return ""


def is_loopback(url: str) -> bool:
    """Whether `url`, a normal host, is this very machine: then http:// puts no token on a wire."""
    found = _HOST.fullmatch(url)
    return found is not None and (found["name"] in _LOOPBACK or found["name"].startswith("127."))


def cluster_id(text: str) -> str:
    """No more than: not a pasted address. What the workspace knows is for `dbk-config check` to say."""
    if re.search(r"[\s/:?&]", text):
        return "must be a cluster ID"
    return ""


def volume(text: str) -> str:
    """A Unity Catalog volume, or a folder inside one."""
    parts = text.split("/")
    if parts[:2] != ["", "Volumes"] or len(parts) < 5 or not all(parts[2:5]) or ".." in parts:
        return "must be /Volumes/<catalog>/<schema>/<volume>, with a folder inside it if you like"
    return ""


def absolute_or(*words: str) -> Callable[[str], str]:
    """A rule: one of `words`, or an absolute path without `..`."""

    def rule(text: str) -> str:
        if text in words or (text.startswith("/") and ".." not in text.split("/") and text.strip("/")):
            return ""
        return "must be " + ", ".join(f'"{word}"' for word in words) + " or an absolute path"

    return rule
