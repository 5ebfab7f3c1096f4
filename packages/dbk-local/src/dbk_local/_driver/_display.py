"""`display` and `displayHTML`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbk_local._driver import _ipython
from dbk_local._driver._tabular import is_spark_frame, table_of

if TYPE_CHECKING:
    from dbk_local._driver._shell import CommandShell


class Display:
    """The function named `display`: tables as table results, anything else as IPython shows it."""

    def __init__(self, shell: CommandShell) -> None:
        self._shell = shell
        self._streams = 0

    def __call__(self, *values: Any, **options: Any) -> None:
        """Show values. Spark's options (`streamName`, `checkpointLocation`, ...) are accepted for streaming frames."""
        for value in values:
            if is_spark_frame(value) and value.isStreaming:
                self._show_stream(value, options)
            elif (table := table_of(value, self._shell.truth)) is not None:
                self._shell.emitted.table = table
            else:
                _ipython.display(value)

    def _show_stream(self, frame: Any, options: dict[str, Any]) -> None:
        """Start the stream: it goes on in the background, as it does under a chart in a notebook."""
        self._streams += 1
        writer = frame.writeStream.format("memory").queryName(
            options.get("streamName") or f"display_query_{self._streams}"
        )
        if options.get("checkpointLocation"):
            writer = writer.option("checkpointLocation", options["checkpointLocation"])
        writer.start()


def display_html(html: str) -> None:
    """Show HTML."""
    _ipython.display(_ipython.HTML(html))
