"""What a tree means to the running interpreter: its search path, its working directory, its loaded modules."""

from __future__ import annotations

import importlib
import os
import sys


def enter(tree: bytes) -> str:
    """Makes the tree the first place to import from, and the working directory; gives the one before."""
    path = os.fsdecode(tree)
    try:
        before = os.getcwd()
    except FileNotFoundError:
        before = "/"
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)
    os.chdir(path)
    return before


def leave(tree: bytes, back: str) -> None:
    """Undoes `enter`, as far as the user's code has not gone elsewhere by itself."""
    path = os.fsdecode(tree)
    while path in sys.path:
        sys.path.remove(path)
    sys.path_importer_cache.pop(path, None)
    try:
        inside = (os.getcwd() + "/").startswith(path + "/")
    except FileNotFoundError:
        inside = True
    if inside:
        os.chdir(back if os.path.isdir(back) and not (back + "/").startswith(path + "/") else "/")


def changed_modules(tree: bytes, changed: list[bytes]) -> list[str]:
    """Names of loaded modules whose file is among `changed` (paths in the tree); sorted. Import finds new files now."""
    importlib.invalidate_caches()
    files = {os.fsdecode(os.path.join(tree, path)) for path in changed if path.endswith(b".py")}
    found = set()
    for name, module in list(sys.modules.items()):
        # Not getattr: a lazy module may import half the world when asked for a name.
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and file in files:
            found.add(name)
    return sorted(found)
