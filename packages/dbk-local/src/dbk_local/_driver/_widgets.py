"""`dbutils.widgets`: values by name; the API shows no controls, so a widget always has its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class InputWidgetNotDefined(Exception):
    """A widget that was never made was asked for."""


class WidgetUtils:
    """Widgets of this interpreter; those it is given are there without being made."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._values = dict(given)

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: ARG002 - Databricks
        """A field of text."""
        self._values.setdefault(name, defaultValue)

    def dropdown(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],
        label: str | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """One of several values."""
        self._add(name, defaultValue, choices)

    def combobox(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],  # noqa: ARG002 - as above
        label: str | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """One of several values, or any other."""
        self._values.setdefault(name, defaultValue)

    def multiselect(
        self,
        name: str,
        defaultValue: str,
        choices: Sequence[str],
        label: str | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """Several values, joined by commas."""
        self._add(name, defaultValue, choices)

    def _add(self, name: str, default: str, choices: Sequence[str]) -> None:
        if default not in choices:
            raise ValueError(f"requirement failed: The default value '{default}' is not one of the choices of '{name}'")
        self._values.setdefault(name, default)

    def get(self, name: str) -> str:
        """The value."""
        if name not in self._values:
            raise InputWidgetNotDefined(
                f"com.databricks.dbutils_v1.InputWidgetNotDefined: No input widget named {name} is defined"
            )
        return self._values[name]

    def getAll(self) -> dict[str, str]:
        """All values by name."""
        return dict(self._values)

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The value, or the given one when there is no such widget."""
        return self.get(name) if defaultValue is None else self._values.get(name, defaultValue)

    def remove(self, name: str) -> None:
        """Forget one."""
        self.get(name)
        del self._values[name]

    def removeAll(self) -> None:
        """Forget all."""
        self._values.clear()
