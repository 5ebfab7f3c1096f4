"""The receiver: plain modules of the standard library that run on the driver, and the command that ships them.

Nothing here is imported on the driver by these names: there the modules make up the package `_dbk_sync`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from functools import cache
from importlib import resources
from typing import Final

__all__ = ["bootstrap", "checkout_script", "version"]

MODULES: Final = (
    "_refusals",
    "_disk",
    "_names",
    "_ahead",
    "_stream",
    "_zlib",
    "_zstd",
    "_manifest",
    "_header",
    "_pack",
    "_checks",
    "_room",
    "_commit",
    "_tree",
    "_roots",
    "_locks",
    "_places",
    "_source",
    "_interpreter",
    "_receive",
    "_service",
)
"""In the order of their imports."""


@cache
def version() -> str:
    """A hash of the sources, by which a client and a receiver know that they belong together."""
    return hashlib.sha256(json.dumps(_sources()).encode()).hexdigest()[:16]


@cache
def bootstrap() -> str:
    """One line of Python that makes the receiver ready in the interpreter that runs it.

    It is constant, may be run any number of times, prints nothing and leaves no name behind.
    """
    program = f"{_text('_loader')}\ninstall({json.dumps(version())}, {json.dumps(_sources())})\n"
    packed = base64.b64encode(zlib.compress(program.encode("ascii"), 9)).decode("ascii")
    unpack = f'__import__("zlib").decompress(__import__("base64").b64decode("{packed}"))'
    return f'exec({unpack}, {{"__name__": "_dbk_sync_loader"}})'


@cache
def checkout_script() -> str:
    """A program that makes a directory of the packs beside it; needs nothing but Python."""
    lines = [
        '"""Makes a directory of the packs beside this file: python checkout.py DESTINATION',
        "",
        "In a notebook: runpy.run_path('/dbfs/DIR/checkout.py')['checkout']('/tmp/my-project')",
        '"""',
        bootstrap(),
        _text("_checkout"),
    ]
    return "\n".join(lines)


@cache
def _sources() -> list[tuple[str, str]]:
    return [(name, _text(name)) for name in MODULES]


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(f"{name}.py").read_text(encoding="ascii")
