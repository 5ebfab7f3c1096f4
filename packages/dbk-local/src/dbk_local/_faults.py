"""Things that go wrong on purpose: which request is hit is decided by counting and by a seed, never by chance."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import BadFault

KINDS: dict[str, tuple[str, ...]] = {
    "delay": ("seconds",),
    "bandwidth": ("bytes_per_s",),
    "status": ("status", "code", "message", "retry_after", "html", "text"),
    "429": ("retry_after",),
    "503": ("retry_after",),
    "html": ("status",),
    "drop-before": (),
    "drop-after": (),
    "half-response": (),
    "expired-token": (),
    "evict-context": (),
    "restart-driver": (),
    "null-results": (),
    "truncate-text": ("chars",),
}
"""Each kind and the parameters it takes."""

MEANING: dict[str, str] = {
    "delay": "wait `seconds` before the request takes effect",
    "bandwidth": "send and take `bytes_per_s` in each direction",
    "status": "answer `status` with the JSON error `code`/`message` (or `text`, or `html`), optional `retry_after`",
    "429": "answer 429, with `Retry-After` when `retry_after` is given",
    "503": "answer the gateway's 503 text",
    "html": "answer an HTML page with `status` (default 200)",
    "drop-before": "close the connection, the request took no effect",
    "drop-after": "close the connection without an answer, the request took effect",
    "half-response": "send half of the answer and close the connection",
    "expired-token": "refuse the token from this request on, until faults are cleared",
    "evict-context": "evict the context the request names, then go on",
    "restart-driver": "crash the driver of the cluster the request names, then go on",
    "null-results": "a `Finished` command status comes with `results: null`",
    "truncate-text": "cut the text of a result after `chars` characters, without any marker",
}


@dataclass
class Fault:
    """One rule: the requests of a route from the `after`-th on, `times` of them, each with a `probability`."""

    route: str
    kind: str
    times: int | None = 1
    """None: for ever."""
    after: int = 0
    """So many matching requests go through first."""
    probability: float = 1.0
    parameters: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0
    random: random.Random = field(default_factory=random.Random, repr=False)

    def meets(self, method: str, path: str, route: str) -> bool:
        """True when the rule is about this request: by route name, or by `METHOD /path` with `*`."""
        return self.route in ("*", route) or fnmatch.fnmatchcase(f"{method} {path}", self.route)

    def strikes(self) -> bool:
        """Count one matching request; True when it is hit."""
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        struck = self.probability >= 1.0 or self.random.random() < self.probability
        self.hits += struck
        return struck

    def as_json(self) -> dict[str, Any]:
        """The rule and how often it was met and hit."""
        names = ("route", "kind", "times", "after", "probability", "seen", "hits")
        return {**{name: getattr(self, name) for name in names}, **self.parameters}


class Faults:
    """All rules of a workspace, in the order they were added."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, description: Mapping[str, Any]) -> Fault:
        """Add a rule from its JSON form.

        Raises:
            BadFault: an unknown kind or parameter.
        """
        given = dict(description)
        kind, route = str(given.pop("kind", "")), str(given.pop("route", "*"))
        if kind not in KINDS:
            raise BadFault(f"There is no fault {kind!r}", "Kinds: " + ", ".join(KINDS))
        times, after = given.pop("times", 1), given.pop("after", 0)
        probability, seed = given.pop("probability", 1.0), given.pop("seed", 0)
        if strange := set(given) - set(KINDS[kind]):
            raise BadFault(
                f"Fault {kind!r} has no {', '.join(sorted(strange))}", f"It takes: {KINDS[kind] or 'nothing'}"
            )
        # Each rule draws from its own sequence, so adding one rule leaves the decisions of the others as they were.
        source = random.Random(f"{seed}:{len(self.rules)}:{route}:{kind}")
        rule = Fault(route, kind, times, int(after), float(probability), given, random=source)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove every rule."""
        self.rules.clear()

    def strike(self, method: str, path: str, route: str) -> list[Fault]:
        """The rules that hit this request."""
        return [rule for rule in self.rules if rule.meets(method, path, route) and rule.strikes()]
