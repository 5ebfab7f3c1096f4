"""Interpreters with the agent in them, for the tests of the driver's side."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbk_session.driver import bootstrap, control_bootstrap, wire

# Another interpreter for the driver's side: the one of a cluster is rarely the client's.
PYTHON = os.environ.get("DBK_TEST_DRIVER_PYTHON", sys.executable)
PATIENCE_S = 60


def eventually(condition, what="the condition"):
    """Wait until `condition()` is true, and give its value."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true in {PATIENCE_S} s")


class Host:
    """A child process that runs commands as a driver's context does."""

    def __init__(self, folder: Path, **options: Any) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        environment = {**os.environ, "TMPDIR": str(folder), "IPYTHONDIR": str(folder / "ipython"), "PYTHONWARNINGS": ""}
        environment.pop("MPLBACKEND", None)
        script = Path(__file__).parent / "host.py"
        self.process = subprocess.Popen(
            [PYTHON, str(script), json.dumps({**options, "requests": requests, "answers": answers})],
            pass_fds=(requests, answers),
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
        )
        os.close(requests)
        os.close(answers)
        self._reader = os.fdopen(self._answers, encoding="utf-8")

    def start(self, code: str, **options: Any) -> None:
        """Send a command and do not wait."""
        os.write(self._requests, (json.dumps({"code": code, **options}) + "\n").encode())

    def wait(self) -> dict[str, Any]:
        """The answer to the oldest command that was started."""
        ready, _, _ = select.select([self._reader], [], [], PATIENCE_S)
        assert ready, f"no answer of the host in {PATIENCE_S} s"
        return json.loads(self._reader.readline())

    def command(self, code: str, **options: Any) -> str:
        """Run a command; its text."""
        self.start(code, **options)
        return self.wait()["text"]

    def interrupt(self) -> None:
        """What the host does on a cancel."""
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self._requests)
        self._reader.close()


@dataclass
class Outcome:
    """What a run has left."""

    frame: dict[str, Any] | None
    rest: str
    records: list[dict[str, Any]] = field(default_factory=list)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The records of these types, without what all records have."""
        chosen = [record for record in self.records if record["t"] in kinds]
        return [{k: v for k, v in record.items() if k not in ("n", "run", "time", "t")} for record in chosen]

    def text(self, name: str = "stdout") -> str:
        """All that was written to a stream."""
        return "".join(record["text"] for record in self.of("stream") if record["name"] == name)

    def streams(self) -> list[tuple[str, str]]:
        """Names and texts in order, neighbouring pieces of one stream joined."""
        joined: list[tuple[str, str]] = []
        for record in self.of("stream"):
            if joined and joined[-1][0] == record["name"]:
                joined[-1] = (record["name"], joined[-1][1] + record["text"])
            else:
                joined.append((record["name"], record["text"]))
        return joined

    @property
    def done(self) -> dict[str, Any]:
        """The last record of the cell."""
        return self.of("done")[0]

    @property
    def result(self) -> Any:
        """The text of the result, or None."""
        found = self.of("result")
        return found[0]["data"]["text/plain"] if found else None

    @property
    def error(self) -> tuple[str, str]:
        """Name and value of the only error."""
        (error,) = self.of("error")
        return error["ename"], error["evalue"]


class Driver:
    """An interpreter with the agent."""

    def __init__(self, folder: Path, *, install: bool = True, agent: dict[str, Any] | None = None, **host: Any) -> None:
        self.host = Host(folder, **host)
        self.options = {"spool_root": str(folder), **(agent or {})}
        self._ids = itertools.count(1)
        if install:
            self.install()

    def install(self) -> dict[str, Any]:
        """Send the bootstrap; the hello."""
        text = self.host.command(bootstrap(**self.options))
        self.hello, rest = wire.find_frame(text)
        assert self.hello is not None, text
        assert rest == "", rest
        self.key = bytes.fromhex(self.hello["key"])
        return self.hello

    def start(self, code: str, **trailer: Any) -> str:
        """Start a run; its id."""
        run_id = trailer.pop("run", None) or f"run-{next(self._ids)}"
        self.host.start(wire.with_trailer(code, {"run": run_id, **trailer}))
        return run_id

    def finish(self, run_id: str) -> Outcome:
        """Wait for the run that was started, and read all of it."""
        frame, rest = wire.find_frame(self.host.wait()["text"])
        if frame is None or frame["kind"] != "run":
            return Outcome(frame, rest)
        return Outcome(frame, rest, self.records(run_id, frame["length"]))

    def run(self, code: str, **trailer: Any) -> Outcome:
        """Run a cell to its end."""
        return self.finish(self.start(code, **trailer))

    def file(self, run_id: str) -> Path:
        """Where the run's records are."""
        return Path(self.hello["spool"], "runs", f"{run_id}.jsonl")

    def records(self, run_id: str, length: int | None = None) -> list[dict[str, Any]]:
        """The records as they are on the disk now, up to `length` bytes."""
        path = self.file(run_id)
        data = path.read_bytes() if path.exists() else b""
        return wire.read_records(data[:length], self.key)[0]

    def wait_for(self, run_id: str, kind: str, **content: Any) -> dict[str, Any]:
        """The first record of a type (and with this content), as soon as it is there."""

        def look():
            for record in self.records(run_id):
                if record["t"] == kind and all(record.get(name) == value for name, value in content.items()):
                    return record
            return None

        return eventually(look, f"a {kind} record of {run_id}")

    def text_of(self, run_id: str) -> str:
        """All that a run has written so far; where it is cut into records is nobody's business."""
        return "".join(record["text"] for record in self.records(run_id) if record["t"] == "stream")

    def wait_for_text(self, run_id: str, text: str) -> None:
        """Wait until a run has written `text`, and nothing else."""
        eventually(lambda: self.text_of(run_id) == text, f"{text!r} of {run_id}")

    def call(self, op: str, **arguments: Any) -> Any:
        """One operation; its value.

        Raises:
            RuntimeError: The operation failed.
        """
        frame = self.call_frame(op, **arguments)
        if not frame["ok"]:
            raise RuntimeError(f"{frame['error']['ename']}: {frame['error']['evalue']}")
        return frame["value"]

    def call_frame(self, op: str, **arguments: Any) -> dict[str, Any]:
        """One operation; the whole frame."""
        text = self.host.command(wire.call_text(op, arguments))
        frame, rest = wire.find_frame(text)
        assert frame is not None, text
        assert rest == "", rest
        return frame

    def answer(self, run_id: str, question: str, text: str | None) -> None:
        """Answer a question as the control context does."""
        plain = {"eof": True} if text is None else {"text": text}
        folder = Path(self.hello["spool"], "answers")
        new = folder / ".new"
        new.write_text(wire.seal(self.key, json.dumps(plain).encode()))
        new.rename(folder / f"{run_id}.{question}")

    def close(self) -> None:
        """End the interpreter."""
        self.host.close()


class Control:
    """A second interpreter on the same machine with the control side."""

    def __init__(self, folder: Path, driver: Driver) -> None:
        self.host = Host(folder)
        self._driver = driver
        frame, rest = wire.find_frame(self.host.command(control_bootstrap()))
        assert frame is not None, rest
        self.hello = frame

    def call_frame(self, op: str, **arguments: Any) -> dict[str, Any]:
        """One operation on the driver's spool; the whole frame."""
        request = {"spool": self._driver.hello["spool"], **arguments}
        text = self.host.command(wire.control_text(op, request))
        frame, rest = wire.find_frame(text)
        assert frame is not None, text
        assert rest == "", rest
        return frame

    def call(self, op: str, **arguments: Any) -> Any:
        """One operation; its value."""
        frame = self.call_frame(op, **arguments)
        if not frame["ok"]:
            raise RuntimeError(f"{frame['error']['ename']}: {frame['error']['evalue']}")
        return frame["value"]

    def close(self) -> None:
        """End the interpreter."""
        self.host.close()


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """One interpreter for all tests of a module that leave no trace."""
    made = Driver(tmp_path_factory.mktemp("driver"))
    yield made
    made.close()


@pytest.fixture
def make_driver(tmp_path):
    """Makes interpreters of the test's own."""
    made = []

    def make(**options):
        one = Driver(tmp_path / f"driver-{len(made)}", **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def control(driver, tmp_path_factory):
    """The control side of `driver`."""
    made = Control(tmp_path_factory.mktemp("control"), driver)
    yield made
    made.close()


@pytest.fixture(scope="session")
def wait_until():
    """`eventually`, for tests."""
    return eventually


@pytest.fixture
def after():
    """Does something on a thread, and is joined at the end of the test."""
    threads = []

    def later(action):
        thread = threading.Thread(target=action)
        threads.append(thread)
        thread.start()

    yield later
    for thread in threads:
        thread.join(PATIENCE_S)
