"""A cluster's states and the only moves between them, as the documentation of `clusters/get` lists them."""

from __future__ import annotations

PENDING, RUNNING, RESTARTING, RESIZING = "PENDING", "RUNNING", "RESTARTING", "RESIZING"
TERMINATING, TERMINATED, ERROR, UNKNOWN = "TERMINATING", "TERMINATED", "ERROR", "UNKNOWN"

MOVES: dict[str, frozenset[str]] = {
    PENDING: frozenset({RUNNING, TERMINATING}),
    RUNNING: frozenset({RESIZING, RESTARTING, TERMINATING}),
    RESTARTING: frozenset({RUNNING, TERMINATING}),
    RESIZING: frozenset({RUNNING, TERMINATING}),
    TERMINATING: frozenset({TERMINATED}),
    TERMINATED: frozenset({PENDING}),
    ERROR: frozenset(),
    UNKNOWN: frozenset(),
}
USABLE = frozenset({RUNNING, RESIZING})
"""States in which contexts can be created."""

MESSAGES: dict[str, str] = {
    PENDING: "Finding instances for new nodes, acquiring more instances if necessary",
    RESTARTING: "Restarting Spark",
    TERMINATING: "Terminating cluster",
}
"""`state_message` while the state lasts."""

EVENTS: dict[str, str] = {
    PENDING: "STARTING",
    RUNNING: "RUNNING",
    RESTARTING: "RESTARTING",
    RESIZING: "RESIZING",
    TERMINATING: "TERMINATING",
}
"""The event type that a move into a state leaves behind."""

RUNTIMES: dict[str, tuple[str, str]] = {
    "15.4": ("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
    "16.4": ("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
    "17.3": ("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
}
"""Version key and name of each runtime."""

DATA_SECURITY: dict[str, str] = {"dedicated": "SINGLE_USER", "standard": "USER_ISOLATION", "no-isolation": "NONE"}
"""`data_security_mode` of each access mode."""


class WrongMove(Exception):
    """A move that the table does not have."""


def move(old: str, new: str) -> str:
    """The new state.

    Raises:
        WrongMove: a cluster cannot go from one to the other.
    """
    if new not in MOVES[old]:
        raise WrongMove(f"{old} -> {new}")
    return new
