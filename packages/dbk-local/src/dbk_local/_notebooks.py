"""Notebooks as text: the source format with its header and separators, and Jupyter's JSON."""

from __future__ import annotations

import html
import json
from typing import Any

COMMENTS: dict[str, str] = {"PYTHON": "#", "R": "#", "SQL": "--", "SCALA": "//"}
"""What starts a comment line in a notebook of each language."""
EXTENSIONS: dict[str, str] = {".py": "PYTHON", ".sql": "SQL", ".scala": "SCALA", ".r": "R", ".R": "R"}
"""The language that a file name's extension means."""
_MAGICS = {"PYTHON": "%python", "R": "%r", "SQL": "%sql", "SCALA": "%scala"}


def header(language: str) -> str:
    """The first line of a notebook in source format."""
    return f"{COMMENTS[language]} Databricks notebook source"


def is_notebook_source(text: str, language: str) -> bool:
    """True when the text says that it is a notebook."""
    return text.split("\n", 1)[0].rstrip("\r") == header(language)


def with_header(text: str, language: str) -> str:
    """The text as a notebook's source: plain code gets the header line."""
    return text if is_notebook_source(text, language) else f"{header(language)}\n{text}"


def source_cells(text: str, language: str) -> list[tuple[str, str]]:
    """The cells of a source notebook: (`code` or `markdown`, text)."""
    comment = COMMENTS[language]
    body = text.split("\n", 1)[1] if is_notebook_source(text, language) and "\n" in text else text
    cells = (cell.strip("\n") for cell in body.split(f"{comment} COMMAND ----------"))
    return [_unmarked(cell, comment) for cell in cells if cell.strip()]


def _unmarked(cell: str, comment: str) -> tuple[str, str]:
    """A cell without `# MAGIC` in front of its lines."""
    mark = f"{comment} MAGIC"
    lines = [line.removeprefix(mark).removeprefix(" ") if line.startswith(mark) else line for line in cell.split("\n")]
    if lines[0].startswith("%md"):
        return "markdown", "\n".join([lines[0].removeprefix("%md").lstrip(), *lines[1:]]).strip("\n")
    return "code", "\n".join(lines)


def source_of(cells: list[tuple[str, str]], language: str) -> str:
    """A source notebook made of cells; what is not its own language is marked as magic."""
    comment = COMMENTS[language]
    parts = []
    for kind, text in cells:
        shown = f"%md\n{text}" if kind == "markdown" else text
        if shown.startswith("%"):
            shown = "\n".join(f"{comment} MAGIC {line}".rstrip() for line in shown.split("\n"))
        parts.append(shown)
    return f"{header(language)}\n" + f"\n\n{comment} COMMAND ----------\n\n".join(parts)


def from_jupyter(text: str) -> tuple[str, str]:
    """A notebook file's JSON as (source, language).

    Raises:
        ValueError: it is not a notebook.
    """
    notebook = json.loads(text)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ValueError("not a notebook")
    spec = notebook.get("metadata", {})
    name = (spec.get("language_info") or spec.get("kernelspec") or {}).get("name", "python")
    language = next(
        (known for known in COMMENTS if str(name).lower().startswith(known.lower()) and known != "R"), "PYTHON"
    )
    if str(name).lower() in ("r", "ir"):
        language = "R"
    cells = [
        ("markdown" if cell.get("cell_type") == "markdown" else "code", _joined(cell)) for cell in notebook["cells"]
    ]
    return source_of(cells, language), language


def _joined(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def to_jupyter(text: str, language: str) -> str:
    """A source notebook as Jupyter's JSON."""
    cells: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(source_cells(text, language)):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {},
            "source": source.splitlines(True),
        }
        cells.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
    about = {"language_info": {"name": language.lower()}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def to_html(text: str, language: str, name: str) -> str:
    """A source notebook as a page."""
    cells = "".join(f"<pre class='{kind}'>{html.escape(source)}</pre>" for kind, source in source_cells(text, language))
    return (
        f"<!DOCTYPE html><html><head><title>{html.escape(name)} - Databricks</title></head><body>{cells}</body></html>"
    )
