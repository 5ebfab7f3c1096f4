"""What is known about one setting, and the two helpers that declare settings as dataclass fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from dbk_config._origin import Layer

__all__ = ["Kind", "Setting", "declared", "setting"]

Kind = Literal["text", "secret", "path", "flag", "integer", "number", "list"]
T = TypeVar("T")

EVERYWHERE: tuple[Layer, ...] = ("argument", "environment", "pyproject", "profile")


@dataclass(frozen=True)
class Setting:
    """All there is to know about one setting; loading, `show`, the schema, the reference and options derive from it.

    Attributes:
        name: dotted name, as in the pyproject table: `cluster_id`, `sync.source`.
        kind: `text`, `secret`, `path`, `flag` (true or false), `integer`, `number` or `list` (of texts).
        default: the value when nobody gives one; None means "not set".
        env: its environment variable.
        help: one sentence.
        unit: unit of a number ("s", "MB"), or "".
        choices: the allowed texts, or () when any will do.
        minimum: smallest allowed number, or None.
        above: a number the value must exceed, or None.
        rule: further check of a text: gives what is wrong ("must ..."), or "" when all is well.
        form: `rule` in words, for the reference; "" without one.
        layers: the layers that may set it, besides the default.
        option: the command-line option, such as `--cluster-id`.
        example: a value that is valid, as TOML or shell text would show it.
    """

    name: str
    kind: Kind
    default: Any
    env: str
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    above: float | None = None
    rule: Callable[[str], str] | None = None
    form: str = ""
    layers: tuple[Layer, ...] = EVERYWHERE
    example: str = ""

    @property
    def option(self) -> str:
        """Its option on a command line. No table is named: a command has options of one beside those of no table."""
        return "--" + self.name.rpartition(".")[2].replace("_", "-")

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"


def setting(kind: Kind, default: T, **facts: Any) -> T:
    """A dataclass field that is a setting; `facts` are the further attributes of its `Setting`."""
    return dataclasses.field(default=default, metadata={"setting": (kind, facts)})


def declared(owner: type, prefix: str = "") -> list[Setting]:
    """The settings declared in the dataclass `owner`, in order, their names prefixed."""
    found = []
    for field in dataclasses.fields(owner):
        if "setting" in field.metadata:
            kind, facts = field.metadata["setting"]
            facts = {"env": f"DBK_{(prefix + field.name).replace('.', '_').upper()}", **facts}
            found.append(Setting(name=prefix + field.name, kind=kind, default=field.default, **facts))
    return found
