"""Events as the outputs of a notebook's cell, in version 4 of the notebook format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dbk_session._events import ClearOutput, Display, Event, ExecuteResult, Failure, Stream

__all__ = ["outputs_of"]

Output = dict[str, Any]


def outputs_of(events: Iterable[Event]) -> list[Output]:
    """The outputs that a front end would have saved: streams joined, cleared output gone, updates in place."""
    outputs: list[Output] = []
    by_id: dict[str, Output] = {}
    clear_next = False
    for event in events:
        if isinstance(event, ClearOutput):
            clear_next = event.wait
            if not event.wait:
                outputs.clear()
            continue
        if clear_next and isinstance(event, (Stream, Display, ExecuteResult, Failure)):
            outputs.clear()
            clear_next = False
        _add(outputs, by_id, event)
    return outputs


def _add(outputs: list[Output], by_id: dict[str, Output], event: Event) -> None:
    if isinstance(event, Stream):
        last = outputs[-1] if outputs else {}
        if last.get("output_type") == "stream" and last.get("name") == event.name:
            last["text"] = _overwritten(last["text"] + event.text)
        else:
            outputs.append({"output_type": "stream", "name": event.name, "text": _overwritten(event.text)})
    elif isinstance(event, Display):
        _display(outputs, by_id, event)
    elif isinstance(event, ExecuteResult):
        bundle = _bundle(event.data, event.metadata)
        outputs.append({"output_type": "execute_result", "execution_count": event.execution_count, **bundle})
    elif isinstance(event, Failure):
        content = {"ename": event.ename, "evalue": event.evalue, "traceback": list(event.traceback)}
        outputs.append({"output_type": "error", **content})


def _display(outputs: list[Output], by_id: dict[str, Output], event: Display) -> None:
    key = str(event.transient.get("display_id", ""))
    if event.update:
        if key in by_id:
            by_id[key].update(_bundle(event.data, event.metadata))
        return
    output = {"output_type": "display_data", **_bundle(event.data, event.metadata)}
    outputs.append(output)
    if key:
        by_id[key] = output


def _bundle(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> Output:
    return {"data": dict(data), "metadata": dict(metadata)}


def _overwritten(text: str) -> str:
    """A line that was written over (progress bars end theirs with a carriage return) in its last form."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] + ("\r" if line.endswith("\r") else "") for line in lines)
