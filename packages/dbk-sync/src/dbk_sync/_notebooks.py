"""Which files become notebooks in the workspace, where they lose their extension.

The rule is the workspace's own for the format AUTO (databricks/cli:libs/notebook/detect.go).
"""

from __future__ import annotations

import json
import os
from typing import Final

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


def remote_name(path: bytes, notebook: bool) -> bytes:
    """What the file is called in the workspace."""
    return os.path.splitext(path)[0] if notebook else path


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
