"""Comms (ipywidgets): messages out as records, messages in through an operation or, while a cell runs, the inbox."""

from __future__ import annotations

import base64
from typing import Any

from .content import clean
from .core import Core
from .interlude import Frame, perform


class Comms:
    """The comm manager of this interpreter, where the `comm` package is there."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._manager: Any = None

    def install(self) -> None:
        """Make `comm.create_comm` and `comm.get_comm_manager` ours, with the targets that were registered before."""
        try:
            import comm
            from comm.base_comm import BaseComm, CommManager
        except ImportError:
            return
        core = self._core

        class DriverComm(BaseComm):
            """A comm whose messages are records."""

            def publish_msg(
                self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
            ) -> None:
                content = clean({"data": data or {}, "comm_id": self.comm_id, **keys})
                encoded = [base64.b64encode(memoryview(each).cast("B")).decode("ascii") for each in buffers or ()]
                core.put("comm", msg_type=msg_type, content=content, metadata=clean(metadata or {}), buffers=encoded)

        self._manager = CommManager()
        self._manager.targets.update(comm.get_comm_manager().targets)
        core.seams.put(comm, "create_comm", DriverComm)
        core.seams.put(comm, "get_comm_manager", lambda *_args, **_kwargs: self._manager)

    def operate(self, given: dict[str, Any]) -> Frame:
        """Handle one message of the front end as a run of its own."""
        return perform(self._core, str(given["run"]), lambda: self._handle(given))

    def info(self, given: dict[str, Any]) -> dict[str, Any]:
        """The content of a `comm_info_reply`."""
        wanted = given.get("target_name")
        comms = self._manager.comms if self._manager is not None else {}
        return {
            "status": "ok",
            "comms": {
                comm_id: {"target_name": each.target_name}
                for comm_id, each in comms.items()
                if wanted in (None, "", each.target_name)
            },
        }

    def _handle(self, given: dict[str, Any]) -> None:
        if self._manager is None:
            raise RuntimeError("the comm package is not installed on the driver")
        handlers = {
            "comm_open": self._manager.comm_open,
            "comm_msg": self._manager.comm_msg,
            "comm_close": self._manager.comm_close,
        }
        header = {"msg_id": str(given["run"]), "msg_type": given["msg_type"], "session": self._core.nonce}
        message = {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
            "parent_header": {},
            "metadata": given.get("metadata") or {},
            "content": given["content"],
            "buffers": [memoryview(base64.b64decode(each)) for each in given.get("buffers") or ()],
        }
        handlers[given["msg_type"]](None, None, message)
