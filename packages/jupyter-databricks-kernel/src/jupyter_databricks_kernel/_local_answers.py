"""What a magic asks that the kernel's own process knows, without settings and without a cluster."""

from jupyter_databricks_kernel._magics import CONNECT_INFO, usage

__all__ = ["local_answer"]


def local_answer(command: str) -> dict[str, str] | None:
    """A mime bundle, None for a command that is not answered here."""
    match command:
        case "help":
            return {"text/plain": usage()}
        case _ if command == CONNECT_INFO:
            return {"text/plain": _connect_info()}
        case _:
            return None


def _connect_info() -> str:
    """How a second front end finds this kernel, as ipykernel says it."""
    from ipykernel.connect import get_connection_file, get_connection_info

    file = get_connection_file()
    return (
        f"{get_connection_info(unpack=False)}\n\n"
        "Another front end on this machine sees the same session with:\n"
        f"    $> jupyter console --existing {file}"
    )
