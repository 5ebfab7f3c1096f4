"""Which files become notebooks in the workspace, where they lose their extension.

The rule is the workspace's own for the format AUTO (databricks/cli:libs/notebook/detect.go).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection
from typing import Final

from dbk_sync.driver._names import all_parents
from dbk_sync.errors import TargetError

_COMMENTS: Final = {b".py": b"#", b".r": b"#", b".sql": b"--", b".scala": b"//"}
_HEAD_BYTES: Final = 32


def may_be_notebook(path: bytes) -> bool:
    """Whether the name alone allows it, so that the content has to be looked at."""
    extension = os.path.splitext(path)[1].lower()
    return extension in _COMMENTS or extension == b".ipynb"


def is_notebook(path: bytes, content: bytes) -> bool:
    """Whether the workspace makes a notebook of it."""
    extension = os.path.splitext(path)[1].lower()
    if extension == b".ipynb":
        return _is_jupyter(content)
    marker = _COMMENTS.get(extension)
    if marker is None:
        return False
    first = content[: 2 * _HEAD_BYTES].splitlines()[:1]
    return first == [marker + b" Databricks notebook source"]


def bare(path: bytes) -> bytes:
    """What a notebook is called in the workspace."""
    return os.path.splitext(path)[0]


def suspects(paths: Collection[bytes]) -> list[bytes]:
    """The paths that share a name in the workspace with a folder or a file, if they are notebooks or both are."""
    may_be = [path for path in paths if may_be_notebook(path)]
    names = Counter([*paths, *all_parents(paths)])
    names.update(bare(path) for path in may_be)
    return [path for path in may_be if names[bare(path)] > 1]


def refuse_same_names(paths: Collection[bytes], notebooks: Collection[bytes]) -> None:
    """Does nothing if all paths, and the folders they are in, have names of their own in the workspace.

    Raises:
        TargetError: Two have the same; lists all.
    """
    names = {folder: folder + b"/" for folder in all_parents(paths)}
    clashes = []
    for path in paths:
        name = bare(path) if path in notebooks else path
        if name in names:
            clashes.append(f"  {os.fsdecode(names[name])} and {os.fsdecode(path)} would both be {os.fsdecode(name)}")
        else:
            names[name] = path
    if clashes:
        listed = "\n".join(clashes)
        raise TargetError(
            f"In the workspace a notebook loses its extension, which leaves one name for two:\n{listed}",
            "Rename one of each.",
        )


def _is_jupyter(content: bytes) -> bool:
    try:
        document = json.loads(content)
    except ValueError:
        return False
    return (
        isinstance(document, dict)
        and isinstance(document.get("nbformat"), int)
        and document["nbformat"] >= 4
        and "cells" in document
        and "metadata" in document
    )
