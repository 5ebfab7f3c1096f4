"""Packs modules of this package into one command text that rebuilds them as a package on the driver."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from importlib import resources
from typing import Any

from . import _unpack

_LINE = "# dbk bootstrap"


def pack(package: str, parts: list[str], root: str, options: dict[str, Any]) -> str:
    """One statement that makes `package` of the modules `parts`, and calls its `install` or `again`.

    Args:
        package: The name that the package gets on the driver.
        parts: Names below this package: modules (`wire`, `agent.spool`) and subpackages (`agent`, with all of theirs).
        root: Source of the package's own `__init__`.
        options: JSON values for the package's `install(version, options, installing)`.
    """
    modules = {"": root}
    for part in parts:
        modules.update(_sources(part))
    plain = json.dumps(modules, sort_keys=True)
    version = hashlib.sha256(plain.encode()).hexdigest()[:16]
    sources = base64.b64encode(zlib.compress(plain.encode(), 9)).decode("ascii")
    loader = base64.b64encode(zlib.compress(_source(_unpack.__name__.rpartition(".")[2]).encode(), 9)).decode("ascii")
    chosen = base64.b64encode(json.dumps(options, sort_keys=True).encode()).decode("ascii")
    first = f"{_LINE} {package} {version}"
    # One statement, whose value is None: nothing is displayed, and no name is left behind.
    return (
        f"{first}\n"
        f'(lambda space: exec(__import__("zlib").decompress(__import__("base64").b64decode("{loader}")), space) or '
        f'space["load"]("{package}", "{version}", "{sources}", "{chosen}", "{first}"))({{"__name__": "_dbk_unpack"}})'
    )


def _sources(part: str) -> dict[str, str]:
    path = part.split(".")
    folder = resources.files(__package__).joinpath(*path)
    if not folder.is_dir():
        # The packages above it are needed as well, as names only.
        above = {".".join(path[:depth]): "" for depth in range(1, len(path))}
        return {**above, part: _source(*path)}
    names = sorted(entry.name[:-3] for entry in folder.iterdir() if entry.name.endswith(".py"))
    return {part if name == "__init__" else f"{part}.{name}": _source(*path, name) for name in names}


def _source(*path: str) -> str:
    return resources.files(__package__).joinpath(*path[:-1], f"{path[-1]}.py").read_text("utf-8")
