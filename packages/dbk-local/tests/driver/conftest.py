"""A driver and its contexts, used without a server: an event loop in a thread, and a synchronous face."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from dbk_local._driver import open_driver
from dbk_local._seam import Outcome, Truth

DEADLINE_S = 120.0


class Loop:
    """An event loop of its own thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.start(work).result(DEADLINE_S)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class TestContext:
    """One context of a driver under test."""

    __test__ = False

    def __init__(self, driver: TestDriver, handle: Any) -> None:
        self._driver = driver
        self.handle = handle
        self.deaths: list[str] = []
        handle.on_death = self.deaths.append

    @property
    def pid(self) -> int:
        return int(self.handle.pid)

    def start(self, text: str, language: str = "python", **truth: Any) -> concurrent.futures.Future[Outcome]:
        told = dataclasses.replace(self._driver.truth, **truth)
        return self._driver.loop.start(self.handle.run("command", language, text, told))

    def outcome(self, text: str, language: str = "python", **truth: Any) -> Outcome:
        return self.start(text, language, **truth).result(DEADLINE_S)

    def run(self, text: str, language: str = "python", **truth: Any) -> dict[str, Any]:
        return self.outcome(text, language, **truth).results

    def text(self, code: str, **truth: Any) -> str:
        results = self.run(code, **truth)
        assert results["resultType"] == "text", results
        return str(results["data"])

    def cancel(self) -> None:
        self._driver.loop.do(self.handle.cancel())

    def destroy(self) -> None:
        self._driver.loop.do(self.handle.destroy())


class TestDriver:
    """A driver under test."""

    __test__ = False

    def __init__(self, folder: Path, **truth: Any) -> None:
        roots = {name: folder / name for name in ("dbfs_root", "workspace_root", "volumes_root", "local_disk")}
        for root in roots.values():
            root.mkdir(parents=True, exist_ok=True)
        (folder / "volumes_root" / "c" / "s" / "v").mkdir(parents=True, exist_ok=True)
        self.truth = Truth(**{"spark": "off", **roots, **truth})
        self.folder = folder / "driver"
        self.loop = Loop()
        self.process: Any = open_driver(self.truth, self.folder)
        self.deaths: list[str] = []
        self.process.on_death = self.deaths.append
        self._count = 0

    def start(self) -> None:
        self.loop.do(self.process.start())

    def context(self) -> TestContext:
        self._count += 1
        return TestContext(self, self.loop.do(self.process.create_context(str(self._count), "python")))

    def close(self) -> None:
        try:
            self.loop.do(self.process.stop())
        finally:
            self.loop.close()


def _is_running(pid: int) -> bool:
    """False for what is gone and for a zombie, which may stay for ever where nobody reaps."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for a condition, at most a generous while."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def gone(wait_until: Callable[[Callable[[], bool]], None]) -> Callable[[int], None]:
    """Wait until a process is gone (or a zombie)."""
    return lambda pid: wait_until(lambda: not _is_running(pid))


@pytest.fixture(scope="session")
def skip_if_unguarded() -> Callable[[TestContext], None]:
    """Skip where volumes can be made by writing, for lack of mount namespaces or of a call that Linux 5.12 has."""

    def skip(context: TestContext) -> None:
        code = "import os\nos.path.isdir('/Volumes') and os.statvfs('/Volumes').f_flag & os.ST_RDONLY"
        if context.text(code) in ("False", "0"):
            pytest.skip("volumes cannot be guarded here")

    return skip


@pytest.fixture
def started(
    tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> Callable[..., concurrent.futures.Future]:
    """Start a command and wait until its code runs: it is preceded by the creation of a file."""

    def start(context: TestContext, code: str, **kwargs: Any) -> concurrent.futures.Future:
        sign = tmp_path / f"started-{os.urandom(4).hex()}"
        future = context.start(f"open({str(sign)!r}, 'w').close()\n{code}", **kwargs)
        wait_until(lambda: sign.exists() or future.done())
        return future

    return start


@pytest.fixture
def new_driver(tmp_path: Path) -> Iterator[Callable[..., TestDriver]]:
    """Make drivers with the given truths; they are stopped at the end."""
    drivers: list[TestDriver] = []

    def make(**truth: Any) -> TestDriver:
        driver = TestDriver(tmp_path / f"driver-{len(drivers)}", **truth)
        drivers.append(driver)
        driver.start()
        return driver

    yield make
    for driver in drivers:
        driver.close()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDriver]:
    """A driver without Spark, shared by a module."""
    driver = TestDriver(tmp_path_factory.mktemp("driver"))
    try:
        driver.start()
        yield driver
    finally:
        driver.close()


@pytest.fixture(scope="session")
def spark_driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDriver]:
    """A driver with Spark, shared by all tests that need one: its JVM takes seconds to start."""
    driver = TestDriver(tmp_path_factory.mktemp("spark-driver"), spark="auto")
    try:
        driver.start()
        yield driver
    finally:
        driver.close()


@pytest.fixture
def context(driver: TestDriver) -> Iterator[TestContext]:
    """A fresh context."""
    context = driver.context()
    yield context
    context.destroy()
