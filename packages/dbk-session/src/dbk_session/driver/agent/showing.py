"""`display` and `displayHTML` as a notebook on Databricks has them, for any front end."""

from __future__ import annotations

from typing import Any

from . import rich
from .core import Core
from .frames import is_stream, table_of
from .tables import RESOURCE

# Arguments of the runtime's own `display` that mean nothing outside its notebook.
_IGNORED = frozenset({"streamName", "trigger", "checkpointLocation", "processingTime", "summary"})


class Showing:
    """Puts the two names into the user's namespace."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def install(self) -> None:
        """Replace what the host put there; names in the hidden namespace stay out of `%who`."""
        space = self._core.shell.user_ns
        before = {name: space[name] for name in ("display", "displayHTML") if name in space}
        self._core.shell.push({"display": self.display, "displayHTML": self.display_html}, interactive=False)

        def undo() -> None:
            for name in ("display", "displayHTML"):
                if space.get(name) in (self.display, self.display_html):
                    space.pop(name, None)
            space.update(before)

        self._core.seams.on_undo(undo)

    def display(self, *values: Any, **options: Any) -> Any:
        """Show values: frames and lists of records as tables, anything else as `IPython.display.display` does."""
        rest = {name: value for name, value in options.items() if name not in _IGNORED}
        handle = None
        for value in values:
            if is_stream(value):
                text = "A streaming DataFrame has no rows to show: start it with writeStream, and display its sink."
                handle = rich.display({"text/plain": text}, raw=True, **rest)
                continue
            table = None if rest.get("raw") else table_of(value, self._core.options.display_rows)
            if table is None:
                handle = rich.display(value, **rest)
                continue
            bundle = table.bundle()
            handle = rich.display(bundle, raw=True, metadata={RESOURCE: {"rows": len(table.rows)}}, **rest)
        if not values and rest:
            handle = rich.display(**rest)
        return handle

    def display_html(self, html: Any) -> None:
        """Show HTML as it is."""
        rich.display(rich.html(str(html)))
