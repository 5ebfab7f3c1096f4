"""The compressor of zstd, where there is a module for it: Python's own from 3.14, else `backports.zstd`."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

LEVEL: Final = 5
"""The first level whose packs are a tenth smaller than those of zlib; packs of level 3 are a little larger."""
_WORKERS: Final = 2
_JOB_BYTES: Final = 4 << 20
"""What a worker compresses at a time; by itself it would be twice that, which only needs more memory."""


def is_available() -> bool:
    """Whether there is a module for it here."""
    return _module() is not None


def compressor(level: int | None = None) -> Any:
    """A compressor with `compress` and `flush`; None where there is no module for it.

    Two threads of its own compress. What comes out depends on that there are some, so their number is not that of the
    processors, for equal plans to give equal packs.
    """
    module = _module()
    if module is None:
        return None
    names = module.CompressionParameter
    options = {names.compression_level: LEVEL if level is None else level}
    if names.nb_workers.bounds()[1] >= _WORKERS:  # else the library was built without threads
        options |= {names.nb_workers: _WORKERS, names.job_size: _JOB_BYTES}
    return module.ZstdCompressor(options=options)


def _module() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        module = importlib.import_module(name)
    except Exception:  # whoever uses this package may have a module of that name, which may do anything
        return None
    return module if hasattr(module, "CompressionParameter") else None
