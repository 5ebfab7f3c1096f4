"""`get_ipython().kernel` for code that expects an ipykernel: VS Code completes by it, widgets ask it for the parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .core import Core
from .introspect import Introspection


class Kernel:
    """The few members of an ipykernel that user code is known to use."""

    implementation = "dbk-session"
    language = "python"

    def __init__(self, core: Core, introspection: Introspection) -> None:
        self._core = core
        self._introspection = introspection
        self.shell = core.shell
        self.do_complete = introspection.complete
        self.do_inspect = introspection.inspect
        self.do_is_complete = introspection.is_complete

    def get_parent(self, channel: str | None = None) -> dict[str, Any]:  # noqa: ARG002 - there is one channel
        """The message that the current output answers: its id is the run's."""
        return parent_of(self._core)

    @property
    def comm_manager(self) -> Any:
        """The process's comm manager."""
        import comm

        return comm.get_comm_manager()


def parent_of(core: Core) -> dict[str, Any]:
    """A message with the current run's id in its header; the client uses the request's message id as run id."""
    run = core.runs.current()
    if run is None:
        return {}
    header = {"msg_id": run.id, "msg_type": "execute_request", "session": core.nonce, "username": "", "version": "5.3"}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": {}}


def install(core: Core, introspection: Introspection) -> None:
    """Offer a kernel where there is none; where there is one, tell it whose output is made."""
    shell, seams = core.shell, core.seams
    present = getattr(shell, "kernel", None)
    if present is None:
        seams.put(shell, "kernel", Kernel(core, introspection))
    elif hasattr(present, "get_parent"):
        seams.replace(present, "get_parent", lambda _original, *_args, **_kwargs: parent_of(core), core.recording)
    # tqdm and others take this section for the sign of a notebook.
    if "IPKernelApp" not in shell.config:
        shell.config.IPKernelApp.dbk = True
        seams.on_undo(_remover(shell.config))


def _remover(config: Any) -> Callable[[], None]:
    return lambda: config.pop("IPKernelApp", None)
