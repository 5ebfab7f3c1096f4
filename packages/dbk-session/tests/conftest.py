"""Sessions on the embedded workspace, over real HTTP; each test cleans up what it opens.

A preset of the workspace is a runtime and an access mode. `DBK_PRESETS` names those to run on (`all`, or for instance
`15.4-standard,16.4-dedicated`). Without it most tests run on the newest, those marked `every_preset` on the one that
differs most from it, and the faults of `test_chaos.py` on all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from dbk_local import Workspace
from dbk_session import Event, Session
from hypothesis import HealthCheck, settings

# The machine may be slow and busy: how long an example takes says nothing.
settings.register_profile("session", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
settings.load_profile("session")


PRESETS = [f"{runtime}-{mode}" for runtime in ("17.3", "16.4", "15.4") for mode in ("dedicated", "standard")]
FEW = ["15.4-standard"]
_NAMED = os.environ.get("DBK_PRESETS", "")
CHOSEN = PRESETS if _NAMED == "all" else _NAMED.split(",") if _NAMED else PRESETS[:1]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_preset: runs on every runtime and access mode of the embedded workspace")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "_served" not in metafunc.fixturenames or _chooses_itself(metafunc.definition):
        return
    if metafunc.definition.get_closest_marker("every_preset"):
        metafunc.parametrize("_served", CHOSEN if _NAMED else FEW, indirect=True, scope="session")
    elif len(CHOSEN) > 1:
        metafunc.parametrize("_served", CHOSEN, indirect=True, scope="session")


def _chooses_itself(test: pytest.Item) -> bool:
    return any("_served" in mark.args[0] for mark in test.iter_markers("parametrize"))


@pytest.fixture(scope="session")
def _served(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    runtime, access_mode = getattr(request, "param", CHOSEN[0]).split("-")
    with Workspace(runtime=runtime, access_mode=access_mode, spark=False) as workspace:
        yield workspace


@pytest.fixture
def workspace(_served: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Workspace]:
    """The workspace as new, its address in the environment, state kept in a folder of the test's own."""
    _served.reset()
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "DBK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for name, value in _served.env().items():
        monkeypatch.setenv(name, value)
    yield _served
    _served.reset()


@pytest.fixture
def events() -> list[Event]:
    """Every event of the sessions that `open_session` opens."""
    return []


@pytest.fixture
def open_session(workspace: Workspace, events: list[Event]) -> Iterator[Callable[..., Session]]:
    """Opens sessions and closes them at the end."""
    opened: list[Session] = []

    def open_one(**options: Any) -> Session:
        opened.append(Session(**{"on_event": events.append, **options}))
        return opened[-1]

    yield open_one
    workspace.clear_faults()
    for session in opened:
        session.close()


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until a condition holds; generous, for the machine may be slow."""

    def wait(condition: Callable[[], object], deadline_s: float = 60.0) -> None:
        end_s = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < end_s, "the condition did not come true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def goes_quiet(workspace: Workspace, until: Callable[..., None]) -> Callable[[float], None]:
    """Waits until no call is made for some seconds: what a command was followed by may still be ending."""

    def is_quiet(seconds: float) -> bool:
        workspace.clear_requests()
        threading.Event().wait(seconds)
        return not workspace.requests()

    return lambda seconds: until(lambda: is_quiet(seconds))


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Whether a process has ended; one that nobody has waited for counts as ended."""

    def gone(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return gone


@pytest.fixture
def calls(workspace: Workspace) -> Callable[[], list[str]]:
    """The API calls so far, by the last part of their path."""
    return lambda: [request.path.rsplit("/", 1)[-1] for request in workspace.requests() if "/api/" in request.path]
