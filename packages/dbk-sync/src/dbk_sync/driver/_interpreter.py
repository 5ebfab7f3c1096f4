"""What a tree means to the running interpreter: its search path, its working directory, its loaded modules."""

from __future__ import annotations

import builtins
import importlib
import os
import sys


def enter(tree: bytes, folder: str = "") -> str:
    """Makes the tree a place to import from, and `folder` of it, before the tree, and the working directory too.

    It is how Databricks runs a notebook of a Git folder: beside its neighbours, with the root to import from. A folder
    that the tree does not have is the tree itself. Gives the working directory of before.
    """
    try:
        before = os.getcwd()
    except FileNotFoundError:
        before = "/"
    root = os.fsdecode(tree)
    inner = os.path.join(root, folder) if folder else root
    for path in (root, inner) if os.path.isdir(inner) else (root,):
        if path in sys.path:
            sys.path.remove(path)
        sys.path.insert(0, path)
    _change_folder(sys.path[0])
    return before


def leave(tree: bytes, back: str) -> None:
    """Undoes `enter`, as far as the user's code has not gone elsewhere by itself."""
    root = os.fsdecode(tree)
    for path in [path for path in sys.path if isinstance(path, str) and _is_in(path, root)]:
        sys.path.remove(path)
        sys.path_importer_cache.pop(path, None)
    try:
        inside = _is_in(os.getcwd(), root)
    except FileNotFoundError:
        inside = True
    if inside:
        _change_folder(back if os.path.isdir(back) and not _is_in(back, root) else "/")


def _is_in(path: str, root: str) -> bool:
    return (path + "/").startswith(root + "/")


def _change_folder(path: str) -> None:
    """Changes the working directory, and what IPython takes for the folder that it is in: `%cd -` comes back to it."""
    os.chdir(path)
    # A name that IPython gives to all code while a cell runs.
    find_shell = getattr(builtins, "get_ipython", None)
    visited = find_shell().user_ns.get("_dh") if find_shell is not None else None
    if visited:
        visited[-1] = type(visited[-1])(path)


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
