"""Session events as Jupyter messages: a pure function, one event in, at most one message out."""

from typing import Any

from dbk_session import (
    ClearOutput,
    Comm,
    ContextLost,
    Display,
    Event,
    ExecuteResult,
    Failure,
    Skipped,
    Stream,
    Truncated,
)

from jupyter_databricks_kernel._progress import Message

__all__ = ["appends", "error_message", "notice_message", "render"]


def render(event: Event, *, execution_count: int) -> Message | None:
    """The message that shows an event in a cell, None for an event that has none.

    Args:
        event: What the session reported.
        execution_count: The number of the cell as the front end knows it.
    """
    match event:
        case Stream(name=name, text=text):
            return Message("stream", {"name": name, "text": text})
        case Display():
            return _display(event)
        case ExecuteResult(data=data, metadata=metadata):
            content = {"execution_count": execution_count, "data": dict(data), "metadata": dict(metadata)}
            return Message("execute_result", content)
        case ClearOutput(wait=wait):
            return Message("clear_output", {"wait": wait})
        case Failure(ename=ename, evalue=evalue, traceback=traceback):
            return error_message(ename, evalue, list(traceback))
        case Comm(msg_type=msg_type, content=content, metadata=metadata, buffers=buffers):
            return Message(msg_type, dict(content), dict(metadata), buffers)
        case ContextLost() | Skipped() | Truncated():
            return notice_message(_notice(event))
    return None


def appends(message: Message) -> bool:
    """True for a message that adds an output to the cell."""
    return message.msg_type in ("stream", "display_data", "execute_result", "error")


def _display(event: Display) -> Message:
    msg_type = "update_display_data" if event.update else "display_data"
    content: dict[str, Any] = {
        "data": dict(event.data),
        "metadata": dict(event.metadata),
        "transient": dict(event.transient),
    }
    return Message(msg_type, content, {}, event.buffers)


def error_message(ename: str, evalue: str, traceback: list[str]) -> Message:
    """The `error` output of a cell."""
    return Message("error", {"ename": ename, "evalue": evalue, "traceback": traceback})


def notice_message(text: str) -> Message:
    """One line on stderr: what happened and what to do, never more than once for each happening."""
    return Message("stream", {"name": "stderr", "text": f"Databricks: {' '.join(text.split())}\n"})


def _notice(event: ContextLost | Skipped | Truncated) -> str:
    match event:
        case ContextLost(reason=reason):
            lost = f"Context timeout or restart: all variables were reset ({reason.rstrip('.')})."
            return f"{lost} Run the cells again that this one needs."
        case Skipped(skipped_bytes=skipped_bytes):
            return f"{skipped_bytes / 1e6:.1f} MB of output were not fetched, because the cell was interrupted."
        case Truncated(limit_bytes=limit_bytes):
            return (
                f"the output stopped at {limit_bytes / 1e6:g} MB. Write the rest to a file, or raise output_limit_mb."
            )
