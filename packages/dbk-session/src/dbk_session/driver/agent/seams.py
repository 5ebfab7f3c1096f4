"""How the agent hooks into IPython: replaced attributes that give way to the original when they fail.

A failure inside the agent never breaks the user's cell. A hook that raises is out for good, the call goes to what was
there before, and one notice says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_MISSING = object()


class Seams:
    """All replaced attributes of one agent."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._undo: list[Callable[[], None]] = []
        self.broken: set[str] = set()

    def replace(self, owner: Any, attribute: str, hook: Callable[..., Any], wanted: Callable[[], bool]) -> None:
        """Call `hook(original, *arguments)` instead of `owner.attribute`, as long as `wanted()` says so."""
        original = getattr(owner, attribute)
        name = f"{type(owner).__name__}.{attribute}"

        @functools.wraps(original)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if name in self.broken or not wanted():
                return original(*args, **kwargs)
            try:
                return hook(original, *args, **kwargs)
            except Passed as passed:
                # Not the hook's own failure: what it called for the user has raised.
                raise passed.error from None
            except Exception as error:
                self.disable(name, error)
                return original(*args, **kwargs)

        self.put(owner, attribute, guarded)

    def put(self, owner: Any, attribute: str, value: Any) -> None:
        """Set an attribute until `undo`."""
        # Only what the instance itself had comes back; a method of its class shows through again by itself.
        before = vars(owner).get(attribute, _MISSING) if hasattr(owner, "__dict__") else getattr(owner, attribute)

        def undo() -> None:
            if getattr(owner, attribute, _MISSING) is not value:
                return
            if before is _MISSING:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, before)

        setattr(owner, attribute, value)
        self._undo.append(undo)

    def on_undo(self, action: Callable[[], None]) -> None:
        """Call `action` when everything is taken back."""
        self._undo.append(action)

    def attempt(self, name: str, action: Callable[[], Any], otherwise: Any = None) -> Any:
        """What `action` gives; when it raises, `otherwise`, and the part called `name` is out for good."""
        if name in self.broken:
            return otherwise
        try:
            return action()
        except Exception as error:
            self.disable(name, error)
            return otherwise

    def disable(self, name: str, error: BaseException) -> None:
        """Take a part out of use and say so, once."""
        if name not in self.broken:
            self.broken.add(name)
            self._report(f"{name} is switched off in this session: {type(error).__name__}: {error}")

    def undo(self) -> None:
        """Take everything back, last first."""
        while self._undo:
            self._undo.pop()()


class Passed(BaseException):
    """Carries an exception of the user's out of a hook."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
