"""Cells in another language of the cluster: `%scala` and `%r` on their first line, as in a Databricks notebook."""

__all__ = ["split"]

# What the interpreter itself understands (`%sql`, `%sh`, `%fs`, `%md`, `%run`, `%pip`) stays a Python cell.
_LANGUAGES = {"%scala": "scala", "%r": "r"}


def split(code: str) -> tuple[str, str]:
    """The language of a cell, and its code with the line of the magic emptied, so that line numbers stay true."""
    lines = code.splitlines(keepends=True)
    for index, line in enumerate(lines):
        words = line.split(maxsplit=1)
        if not words:
            continue
        language = _LANGUAGES.get(words[0].lower())
        if language is None:
            break
        rest = words[1] if len(words) > 1 else "\n"
        return language, "".join([*lines[:index], rest, *lines[index + 1 :]])
    return "python", code
