"""Write the reference pages that are made from the code: `hatch run test:python .github/scripts/reference.py`.

`docs/reference/commands.md` holds every command's help, `events.md` what a session reports, `errors.md` the errors.
Two more pages come from the packages' own commands: `settings.md` and `local-routes.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import sys
from pathlib import Path

from dbk_config.cli import manual

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
COMMANDS = ("dbk_config._cli", "dbk_session._cli", "dbk_sync._cli", "dbk_local._cli")
COMMANDS_OF_THE_KERNEL = ("jupyter_databricks_kernel.install",)
ERRORS = (
    "dbk_config.errors",
    "dbk_session.errors",
    "dbk_sync.errors",
    "jupyter_databricks_kernel.errors",
    "dbk_local.errors",
)
NOTE = "<!-- Generated: hatch run test:python .github/scripts/reference.py -->"


def parser_of(module: str) -> argparse.ArgumentParser:
    """The whole command line that a module runs."""
    return importlib.import_module(module).make_parser()


def commands() -> str:
    """A page with the help of every command and subcommand."""
    pages = [manual(parser_of(module)) for module in (*COMMANDS, *COMMANDS_OF_THE_KERNEL)]
    return "\n".join(["# Commands", "", NOTE, "", *pages])


def events() -> str:
    """A page with every event class, its fields, and what they mean."""
    import dbk_session

    listed = [
        thing
        for name in dbk_session.__all__
        if inspect.isclass(thing := getattr(dbk_session, name)) and issubclass(thing, dbk_session.Event)
    ]
    intro = "`Session.stream` gives these, and `dbk-session run --json` prints each as one line of JSON."
    return "\n".join(["# Events", "", NOTE, "", intro, "", *(section(event) for event in listed)])


def section(event: type) -> str:
    """One event: its fields in order, and its docstring."""
    own = ", ".join(f"`{field.name}`" for field in dataclasses.fields(event))
    text = inspect.cleandoc(event.__doc__ or "").replace("Attributes:\n", "\n")
    lines = [
        f"- {line.strip()}" if line.startswith("    ") and ":" in line else line.strip() for line in text.splitlines()
    ]
    return "\n".join([f"## `{event.__name__}`", "", *([f"Fields: {own}.", ""] if own else []), *lines, ""])


def errors() -> str:
    """A page with every error class of every package, and what it means."""
    parts = [
        "# Errors",
        "",
        NOTE,
        "",
        "One class for each remedy. Each has a `message` and a `hint`, the next step.",
        "",
    ]
    for name in ERRORS:
        module = importlib.import_module(name)
        parts += [f"## `{name}`", "", "| class | is a | means |", "|---|---|---|"]
        for exported in module.__all__:
            thing = getattr(module, exported)
            if inspect.isclass(thing) and issubclass(thing, BaseException):
                summary = " ".join(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].split()).replace("|", "\\|")
                base = next(each.__name__ for each in thing.__mro__[1:] if not each.__name__.startswith("_"))
                parts.append(f"| `{exported}` | `{base}` | {summary} |")
        parts.append("")
    return "\n".join(parts)


PAGES = {"commands.md": commands, "events.md": events, "errors.md": errors}


def main() -> int:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page().rstrip() + "\n", encoding="utf-8")
        print(REFERENCE / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
