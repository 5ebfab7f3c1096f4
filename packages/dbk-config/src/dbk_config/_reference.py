"""The reference page of the settings, from the declaration."""

from __future__ import annotations

from dbk_config._pyproject import TABLE
from dbk_config._setting import Setting
from dbk_config._settings import SETTINGS
from dbk_config._values import UNITS, as_text

__all__ = ["reference"]

_TABLE = ".".join(TABLE)
_HEAD = f"""\
# Settings

<!-- Generated: python -m dbk_config reference > docs/reference/settings.md -->

Each setting is taken from the strongest layer that gives it:

1. an argument: an option of a command, or `load(arguments=...)` in Python;
2. an environment variable, unless it is empty;
3. the nearest `pyproject.toml` upward that has the table `[{_TABLE}]`;
4. a profile of `~/.databrickscfg`, by the rules of the Databricks SDK:
   the one that `DATABRICKS_CONFIG_PROFILE` or `profile` names, else the file's default;
   without a name the file is not read when host or credentials come from the environment;
5. the default.

`dbk-config show` prints the values in force and where each one came from.
A wrong type, a value out of range, and a key that does not exist are errors that name file, key and line;
all of them are reported at once.
A list in an environment variable has commas between its items, or is a JSON array.
"""
_FORMS = {
    "flag": "true or false",
    "list": "list of texts",
    "text": "text",
    "secret": "text, never shown",
    "path": "path",
}
_FORMS |= {"integer": "whole number", "number": "number"}


def reference() -> str:
    """The page as Markdown: a section of each table, with a row for each setting."""
    own = [setting for setting in SETTINGS.values() if "." not in setting.name]
    sync = [setting for setting in SETTINGS.values() if "." in setting.name]
    parts = [
        _HEAD,
        f"## `[{_TABLE}]`\n",
        _rows(own),
        "`host` and `token` are refused in `pyproject.toml`: the file is shared with the project,",
        "and a project must not be able to send your token to a server of its choice.",
        "Name a `profile` there instead.\n",
        f"## `[{_TABLE}.sync]`\n",
        _rows(sync),
        "## Example\n",
        f"```toml\n{_example(own)}\n\n{_example(sync, '.sync')}\n```",
    ]
    return "\n".join(parts) + "\n"


def _rows(settings: list[Setting]) -> str:
    lines = ["| key | value | default | variable | |", "|---|---|---|---|---|"]
    for setting in settings:
        key = setting.name.rpartition(".")[2]
        cells = [f"`{key}`", _form(setting), _default(setting), f"`{setting.env}`", setting.help + _not_in(setting)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _form(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(f"`{choice}`" for choice in setting.choices)
    unit = f" of {UNITS.get(setting.unit, setting.unit)}" if setting.unit else ""
    least = f", {setting.minimum:g} or more" if setting.minimum is not None else ""
    above = f", more than {setting.above:g}" if setting.above is not None else ""
    return (setting.form or _FORMS[setting.kind] + unit + least + above).replace("<", "&lt;").replace(">", "&gt;")


def _default(setting: Setting) -> str:
    if setting.kind == "list":
        return "`[]`"
    return "not set" if setting.default is None else f"`{as_text(setting.default)}`"


def _not_in(setting: Setting) -> str:
    return "" if "pyproject" in setting.layers else " Not in `pyproject.toml`."


def _example(settings: list[Setting], table: str = "") -> str:
    allowed = [setting for setting in settings if "pyproject" in setting.layers]
    lines = [f"{setting.name.rpartition('.')[2]} = {setting.example}" for setting in allowed]
    # The one value that is an error where nobody has such a profile: the example has to work as it is.
    lines = [f"# {line}" if line.startswith("profile =") else line for line in lines]
    return "\n".join([f"[{_TABLE}{table}]", *lines])
