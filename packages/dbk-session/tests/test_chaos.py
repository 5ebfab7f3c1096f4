"""A script of six cells, with one thing going wrong at one of its requests: nothing lost, nothing twice, nothing left.

Every request of the script is a position; each kind of fault is tried at each. That takes a while, so the suite
tries a sample, on all presets of the workspace; `DBK_CHAOS=full pytest packages/dbk-session/tests/test_chaos.py` walks
all on one preset, with `DBK_PRESETS=all` on each, and `DBK_CHAOS=200` that many.
"""

from __future__ import annotations

import os
import random
from itertools import product

import pytest
from dbk_session import ContextLost, Session
from dbk_session._journal import Journal
from dbk_session.errors import SessionError

SAMPLE = 12
PRESETS = [f"{runtime}-{mode}" for runtime in ("17.3", "16.4", "15.4") for mode in ("dedicated", "standard")]
MOST_REQUESTS = 40
KINDS = [
    "drop-before",
    "drop-after",
    "half-response",
    "429",
    "503",
    "html",
    "null-results",
    "truncate-text",
    "expired-token",
    "evict-context",
    "restart-driver",
]
PARAMETERS = {"truncate-text": {"chars": 50}}
# These take the interpreter away, so what ran before is gone; the others must not be noticed.
DESTROYERS = {"evict-context", "restart-driver"}

MARK = "\nwith open({path!r}, 'a') as file: file.write({number!r})\n"
CELLS = [
    "print('a')",
    "x = 1",
    "import time\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.03)",
    "print('before')\n1/0",
    "x + 1",
    "print('z' * 3000)",
]


def cases():
    chosen = os.environ.get("DBK_CHAOS", str(SAMPLE))
    named = os.environ.get("DBK_PRESETS", PRESETS[0] if chosen == "full" else "all")
    presets = PRESETS if named == "all" else named.split(",")
    channels, positions = ("result", "spool"), range(MOST_REQUESTS)
    everything = list(product(presets, channels, KINDS, positions))
    if chosen == "full":
        return everything
    # As many on each preset.
    return [
        case
        for nth, preset in enumerate(presets)
        for case in random.Random(20 + nth).sample(
            [known for known in everything if known[0] == preset], int(chosen) // len(presets)
        )
    ]


def play(session, path):
    """Runs the script; gives what each cell showed, and the error that ended it, if one did."""
    shown = []
    for number, cell in enumerate(CELLS):
        try:
            result = session.run(MARK.format(path=str(path), number=str(number)) + cell)
        except SessionError as error:
            return shown, error
        if result.status in ("lost", "cancelled"):
            return shown, result.status
        value = result.result.data["text/plain"] if result.result else None
        shown.append((result.status, result.stdout, value, result.error.ename if result.error else None))
    return shown, None


EXPECTED = [
    ("ok", "a\n", None, None),
    ("ok", "", None, None),
    ("ok", "0\n1\n2\n", None, None),
    ("error", "before\n", None, "ZeroDivisionError"),
    ("ok", "", "2", None),
    ("ok", "z" * 3000 + "\n", None, None),
]


@pytest.mark.parametrize(("_served", "channel", "kind", "at"), cases(), indirect=["_served"], scope="session")
def test_one_fault_costs_at_most_one_clear_error(workspace, tmp_path, channel, kind, at):
    path = tmp_path / "counter"
    path.touch()
    events = []
    workspace.fault("*", kind, after=at, times=1, **PARAMETERS.get(kind, {}))

    with Session(channel=channel, on_event=events.append) as session:
        shown, error = play(session, path)
        workspace.clear_faults()

    ran = path.read_text()
    lost = any(isinstance(event, ContextLost) for event in events)
    assert sorted(ran) == sorted(set(ran)), "a cell ran twice"
    assert "".join(map(str, range(len(shown)))) == ran[: len(shown)], "a cell that was shown did not run"
    assert len(ran) <= len(shown) + 1
    if not lost:
        assert shown == EXPECTED[: len(shown)]
        assert error is not None or len(shown) == len(CELLS)
    assert lost <= (kind in DESTROYERS)
    # Nobody can know the id of a context whose creation was never answered. That is the one thing that may stay, at
    # most one for the one fault, and the journal tells of it.
    lost_answers = [call for call in workspace.requests() if call.path.endswith("contexts/create") and call.faults]
    noted = sum(len(Journal().unanswered(entry.session)) for entry in Journal().entries())
    assert len(workspace.contexts()) <= noted <= len(lost_answers) <= 1


def test_without_a_fault_everything_is_shown(workspace, tmp_path):
    with Session(channel="spool") as session:
        assert play(session, tmp_path / "counter") == (EXPECTED, None)
