"""What this kernel does not do and says so: a debugger, and subshells."""

# mypy: allow-untyped-calls
# (ipykernel leaves most of its methods without types.)

from typing import TYPE_CHECKING, Any

from ipykernel.kernelbase import Kernel

__all__ = ["RefusingKernel", "no_subshells"]


class RefusingKernel(Kernel):
    """A kernel base that answers such requests instead of leaving a front end waiting."""

    if TYPE_CHECKING:
        session: Any  # optional in the base, for kernels without sockets

    async def do_debug_request(self, msg: dict[str, Any]) -> dict[str, Any]:
        """Answers in the debug protocol's own terms that there is no debugger."""
        return {
            "type": "response",
            "request_seq": msg.get("seq", 0),
            "command": msg.get("command", ""),
            "success": False,
            "message": "This kernel has no debugger.",
            "body": {},
        }

    async def create_subshell_request(self, socket: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Refuses: two cells at once in one interpreter is not what a subshell promises."""
        self.session.send(socket, "create_subshell_reply", no_subshells(), parent, ident)

    async def delete_subshell_request(self, socket: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Refuses, as there is none."""
        self.session.send(socket, "delete_subshell_reply", no_subshells(), parent, ident)

    async def list_subshell_request(self, socket: Any, ident: Any, parent: dict[str, Any]) -> None:
        """Lists none."""
        self.session.send(socket, "list_subshell_reply", {"status": "ok", "subshell_id": []}, parent, ident)


def no_subshells() -> dict[str, Any]:
    """The content of a reply that refuses a subshell."""
    return {
        "status": "error",
        "ename": "SubshellsUnsupported",
        "evalue": "This kernel has no subshells: the interpreter on the cluster runs one cell at a time.",
        "traceback": [],
    }
