"""Is this a whole cell? Answered here, from the text alone: a console asks after every line."""

# mypy: allow-untyped-calls
# (ipykernel and IPython leave most of their methods without types.)

from functools import cache
from typing import Any

__all__ = ["is_complete"]


@cache
def _transformer() -> Any:
    # Loaded with the first question: the module is not needed for anything else.
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()


def is_complete(code: str) -> dict[str, str]:
    """The content of an `is_complete_reply`: `status`, and `indent` when more lines are to come.

    IPython's own rules decide, so magics and `?` are whole cells, as they are on the cluster.
    """
    status, indent = _transformer().check_complete(code)
    if status == "incomplete":
        return {"status": status, "indent": " " * (indent or 0)}
    return {"status": status}
