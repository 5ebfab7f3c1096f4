"""The process around the kernel: sockets and threads of ipykernel's application, signals of our own."""

# mypy: allow-untyped-calls
# (ipykernel and IPython leave most of their methods without types.)

import logging
import signal
from collections.abc import Generator
from types import FrameType
from typing import Any

from ipykernel.kernelapp import IPKernelApp

from jupyter_databricks_kernel.kernel import DatabricksKernel

__all__ = ["DatabricksKernelApp"]


class DatabricksKernelApp(IPKernelApp):
    """Starts a `DatabricksKernel` and ends it in good order on SIGTERM."""

    name = "databricks-kernel"
    description = (
        "The kernel itself: Jupyter starts it. To tell Jupyter of it: python -m jupyter_databricks_kernel.install"
    )
    examples = "python -m jupyter_databricks_kernel -f connection.json"
    subcommands = {}  # noqa: RUF012 - a trait; ipykernel's would install ipykernel
    kernel_class = DatabricksKernel
    # The kernel's own stdout and stderr are a log for whoever started it. Captured, as ipykernel does with the user's
    # output, they would turn up in a cell.
    outstream_class = None  # type: ignore[assignment]  # the trait allows None

    def emit_options_help(self) -> Generator[str, None, None]:
        """The options that somebody might use, of the hundred that ipykernel's application has."""
        yield "Options\n=======\n-f FILE      where to listen, a file as jupyter_client writes it"
        yield "--version   show the version\n--debug     say everything, on stderr\n"

    def print_version(self) -> None:
        """`--version`: ours, and not that of IPython, whose application this one is derived from."""
        from importlib.metadata import version

        print(f"jupyter-databricks-kernel {version('jupyter-databricks-kernel')}")

    def init_control(self, context: Any) -> None:
        """Makes the control channel, without the thread that serves subshells: there are none."""
        super().init_control(context)
        self.shell_channel_thread.io_loop.close()
        self.shell_channel_thread = None

    def init_sockets(self) -> None:
        """Opens the channels, without ipykernel's warning about plain text where none of it leaves the machine."""
        if self.ip in ("127.0.0.1", "::1", "localhost"):
            self.log.addFilter(_is_news)
        super().init_sockets()

    def init_path(self) -> None:
        """The folder of the notebook stays out of the search path: no code of a project runs in this process."""

    def init_pdb(self) -> None:
        """Nothing of the user's is debugged in this process."""

    def init_signal(self) -> None:
        """Until the kernel is there to serve it, SIGINT means nothing."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def start(self) -> None:
        """Runs until the kernel is shut down."""

        def on_sigterm(_number: int, _frame: FrameType | None) -> None:
            self.kernel.io_loop.add_callback_from_signal(self._leave)

        signal.signal(signal.SIGTERM, on_sigterm)
        super().start()

    async def _leave(self) -> None:
        await self.kernel.close_remote()
        self.kernel.io_loop.stop()


def _is_news(record: logging.LogRecord) -> bool:
    return "over TCP without encryption" not in str(record.msg)
