"""Changes one setting in the text of a `pyproject.toml`; comments, order and layout stay. Text in, text out."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from dbk_config import _pyproject, _values
from dbk_config._merge import merge
from dbk_config._pyproject import TABLE
from dbk_config._settings import SETTINGS
from dbk_config._toml import parse
from dbk_config._unknown import unknown
from dbk_config.errors import DbkError, InvalidValue, MisplacedSetting, SettingsError

__all__ = ["changed", "problems_in", "value_from_words"]

Table = MutableMapping[str, Any]


def value_from_words(name: str, words: list[str]) -> Any:
    """The TOML value that words on a command line stand for; each word of a list is one item, as it is.

    Raises:
        UnknownSetting: no such setting.
        MisplacedSetting: one that `pyproject.toml` must not hold.
        InvalidValue: not a value of it.
    """
    known = [name for name, setting in SETTINGS.items() if "pyproject" in setting.layers]
    if name not in SETTINGS:
        raise unknown(f"There is no setting {name!r}", name, known)
    setting = SETTINGS[name]
    if name not in known:
        hint = f"Set {setting.env} environment variable, or use a profile of ~/.databrickscfg."
        raise MisplacedSetting(f"{name} does not belong in pyproject.toml", hint, name=name)
    try:
        if setting.kind != "list" and len(words) != 1:
            raise _values.Refused(f"takes one value, not {len(words)}")
        raw = words if setting.kind == "list" else _values.from_text(setting, words[0])
        value = _values.convert(setting, raw)
    except _values.Refused as refused:
        raise InvalidValue(f"{name}: {refused}", name=name) from None
    return list(value) if isinstance(value, tuple) else value


def changed(text: str, file: Path, changes: Mapping[str, Any]) -> str:
    """`text` with settings changed: dotted name -> TOML value, or None to remove the key.

    Raises:
        UnreadableFile: the text is not TOML.
        SettingsError: something else stands where our table belongs, or the result would have a problem that the text
            does not have.
        DbkError: it is laid out in a way that cannot be edited without touching anything else, or `tool` is no table.
    """
    # Faults that are there already do not stand in the way: they may be corrected one by one.
    found = problems_in(text, file)
    for name in changes:
        in_the_way = _no_table(parse(text, file), name)
        if in_the_way:
            raise SettingsError.of(found) if found else DbkError(f"{file}: {in_the_way}: must be a table")
    known = {(problem.name, type(problem)) for problem in found}
    for name, value in changes.items():
        text = _one(text, file, name, value)
    new = [problem for problem in problems_in(text, file) if (problem.name, type(problem)) not in known]
    if new:
        raise SettingsError.of(new)
    return text


def problems_in(text: str, file: Path) -> list[SettingsError]:
    """Everything wrong with our table in this text of a `pyproject.toml`."""
    merged = merge([_pyproject.from_pyproject(text, parse(text, file), file)])
    return merged.problems + merged.contradictions()


def _one(text: str, file: Path, name: str, value: Any) -> str:
    wanted = _wanted(parse(text, file), name, value)
    if wanted == parse(text, file):
        return text
    edited = _by_tomlkit(text, name, value)
    if edited is None or not _is(edited, wanted):
        # A file may declare our table in ways that tomlkit cannot extend in place.
        edited = _appended(text, name, value)
    if not _is(edited, wanted):
        hint = f"Edit it by hand: [{'.'.join(TABLE)}], {name}"
        raise DbkError(f"{file}: cannot change {name} and leave all else as it is", hint)
    return edited


def _no_table(document: Mapping[str, Any], name: str) -> str:
    """What is there, but no table, where the tables around a setting belong; "" when nothing is in the way."""
    inner: Any = document
    path = _place(name)[0]
    for depth, part in enumerate(path, 1):
        inner = inner.get(part, {})
        if not isinstance(inner, Mapping):
            return ".".join(path[:depth])
    return ""


def _place(name: str) -> tuple[tuple[str, ...], str]:
    """The tables around a setting in the file, and its key in the innermost."""
    *tables, key = name.split(".")
    return (*TABLE, *tables), key


def _wanted(document: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """What the new text has to parse to."""
    wanted = copy.deepcopy(dict(document))
    table: Table = wanted
    path, key = _place(name)
    for part in path:
        if value is None and part not in table:
            return wanted
        table = table.setdefault(part, {})
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
    return wanted


def _is(text: str, wanted: Mapping[str, Any]) -> bool:
    """Whether the text says just this. A table left empty may be gone: dotted keys take theirs along."""
    try:
        return _filled(tomllib.loads(text)) == _filled(wanted)
    except tomllib.TOMLDecodeError:
        return False


def _filled(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with our own tables left out where they are empty."""
    tool = {**document.get(TABLE[0], {})}
    ours = {key: value for key, value in tool.pop(TABLE[1], {}).items() if value != {}}
    return {**document, TABLE[0]: {**tool, **({TABLE[1]: ours} if ours else {})}}


def _by_tomlkit(text: str, name: str, value: Any) -> str | None:
    """The text with the key changed in its place; None when there is no table to put it in."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import InlineTable

    document = tomlkit.parse(text)
    table: Any = document
    path, key = _place(name)
    for part in path:
        if part not in table and table is not document and part == "sync":
            table[part] = tomlkit.inline_table() if isinstance(table, InlineTable) else tomlkit.table()
        if part not in table:
            return None
        table = table[part]
    try:
        if value is None:
            del table[key]
        else:
            table[key] = _item(table.get(key), value)
    except TOMLKitError:
        return None
    return _with_line_ends(tomlkit.dumps(document), text)


def _item(old: Any, value: Any) -> Any:
    """`value` as a TOML item; an array keeps its layout, and the comments of the items that stay."""
    import tomlkit

    if not isinstance(value, list) or not isinstance(old, list):
        return value
    kept = copy.deepcopy(old)
    for index in reversed(range(len(kept))):
        if kept[index] not in value:
            del kept[index]
    for item in value:
        if item not in kept:
            kept.append(item)
    text = f"x = {kept.as_string()}\n" if hasattr(kept, "as_string") else ""
    return kept if text and _is(text, {"x": value}) else tomlkit.item(value)


def _appended(text: str, name: str, value: Any) -> str:
    """The text with a table of ours at its end; valid wherever the text has no such table yet."""
    import tomlkit

    if value is None:
        return text
    path, key = _place(name)
    gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    table = f"{gap}[{'.'.join(path)}]\n{key} = {tomlkit.item(value).as_string()}\n"
    return _with_line_ends(text + table, text)


def _with_line_ends(text: str, like: str) -> str:
    """The text with CRLF line ends where `like` has nothing else."""
    if "\r\n" in like and like.count("\r\n") == like.count("\n"):
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text
