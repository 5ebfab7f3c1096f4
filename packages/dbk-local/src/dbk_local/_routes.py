"""The table of everything this workspace answers: from a path to an endpoint, and to the reference page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ._call import Call
from ._replies import Reply

if TYPE_CHECKING:
    from ._site import Site

Endpoint = Callable[["Site", Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """One row. `{name}` in the path is one segment, `{name...}` the rest of it; `versions` are other API versions."""

    method: str
    path: str
    endpoint: Endpoint
    evidence: str = "documented"
    """`live test`, `documented`, `client code`, `reported`, `own` (exists on this workspace only) or `assumed`."""
    versions: tuple[str, ...] = ()
    raw: bool = False
    """The body is content, not arguments."""
    open: bool = False
    """Answered without a token."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The path in every version."""
        return (self.path, *(re.sub(r"^/api/[\d.]+/", f"/api/{version}/", self.path) for version in self.versions))

    @property
    def name(self) -> str:
        """`METHOD /path`, what faults and the request log go by."""
        return f"{self.method} {self.path}"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the still encoded path."""
        return re.compile("|".join(f"(?:{_expression(path, number)})" for number, path in enumerate(self.paths)))

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's variables, decoded; None when this is another route."""
        if method != self.method or not (found := self.pattern.fullmatch(path)):
            return None
        return {
            name.rpartition("_")[0]: unquote(value) for name, value in found.groupdict().items() if value is not None
        }


def _expression(path: str, number: int) -> str:
    escaped = re.escape(path).replace(r"\{", "{").replace(r"\}", "}").replace(r"\.\.\.", "...")
    rest = re.sub(r"{(\w+)\.\.\.}", rf"(?P<\1_{number}>.*)", escaped)
    return re.sub(r"{(\w+)}", rf"(?P<\1_{number}>[^/]+)", rest)


class Table:
    """All routes, looked up by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._plain: Mapping[tuple[str, str], Route] = {
            (route.method, path): route for route in self.routes for path in route.paths if "{" not in path
        }
        self._patterns = [route for route in self.routes if "{" in route.path]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a request and the variables in its path."""
        if route := self._plain.get((method, path.rstrip())):
            return route, {}
        for route in self._patterns:
            if (variables := route.match(method, path)) is not None:
                return route, variables
        return None

    def known_path(self, path: str) -> bool:
        """True when some other method would do."""
        return any(self.find(method, path) for method in {route.method for route in self.routes})


def route(method: str, path: str, evidence: str = "documented", **more: Any) -> Callable[[Endpoint], Route]:
    """Make a function with a docstring the endpoint of a path."""
    return lambda endpoint: Route(method, path, endpoint, evidence, **more)
