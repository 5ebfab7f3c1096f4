"""Interrupts that come at a bad moment: in the middle of a library, or when the command they are for has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from types import SimpleNamespace

import pytest
from dbk_local._driver._handle import Context
from dbk_local._driver._interrupts import Interrupts
from dbk_local._driver._notebook_runs import NotebookRuns
from dbk_local._driver._shelter import AGAIN
from dbk_local._seam import Truth

DEADLINE_S = 60.0


@pytest.fixture
def interrupts():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, AGAIN)}
    unraisable = sys.unraisablehook
    loop = asyncio.new_event_loop()
    yield Interrupts(loop)
    loop.close()
    sys.unraisablehook = unraisable
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def library():
    """Functions that seem to be of gRPC: one is interrupted and goes on, one waits as long as it may."""
    code = """
def work(steps):
    os.kill(os.getpid(), signal.SIGINT)
    steps.append("went on")
    again = time.monotonic() + 0.1
    while time.monotonic() < again: pass
    steps.append("ended")

def stay():
    os.kill(os.getpid(), signal.SIGINT)
    while True: time.sleep(0.01)
"""
    names = {"__name__": "grpc._channel", "os": os, "signal": signal, "time": time}
    exec(code, names)
    return SimpleNamespace(**names)


def spend(steps):
    end_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < end_s:
        pass
    steps.append("never interrupted")


def test_an_interrupt_waits_until_the_library_is_left_and_then_comes(interrupts, library):
    interrupts.shelter.open()
    steps = []

    with interrupts.armed():
        library.work(steps)
        spend(steps)

    assert steps == ["went on", "ended"]


def test_an_interrupt_comes_at_once_where_the_library_can_be_left(interrupts, library):
    interrupts.shelter.open()
    steps = []

    with interrupts.armed():
        library.work(steps)
        with contextlib.suppress(KeyboardInterrupt):
            interrupts.shelter.release()
        steps.append("not a second time")
        again_s = time.monotonic() + 0.1
        while time.monotonic() < again_s:
            pass

    assert steps[:2] == ["went on", "ended"]
    assert not interrupts.shelter.holds


def test_code_that_stays_in_the_library_is_interrupted_all_the_same(interrupts, library, monkeypatch):
    monkeypatch.setattr("dbk_local._driver._shelter._AT_MOST_S", 0.2)
    interrupts.shelter.open()

    with interrupts.armed():
        library.stay()

    assert interrupts.seen


def test_nothing_waits_before_the_shelter_is_open(interrupts, library):
    steps = []

    with interrupts.armed():
        library.work(steps)

    assert steps == []


def test_an_interrupt_leaves_no_frame_in_the_traceback_the_code_itself_sees(interrupts):
    with interrupts.armed():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            spend([])
        except KeyboardInterrupt as error:
            files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}

    assert files == {__file__}


class OneInterpreter:
    """Answers each request when it is told to; cancelling its Spark jobs takes until `jobs_cancelled` is set."""

    def __init__(self):
        self.answers = asyncio.Queue()
        self.jobs_cancelled = asyncio.Event()
        self.interrupted = 0
        self.notebooks = NotebookRuns(None)
        self.started, self.ended = asyncio.Event(), asyncio.Event()
        self.started.set()
        self.pid, self.is_expected_to_end = 1, True
        self.spark = SimpleNamespace(cancel=self.jobs_cancelled.wait)
        self.pipe = SimpleNamespace(begin=lambda _marker, _text: asyncio.sleep(0, ""))

    async def start(self):
        pass

    async def ask(self, _request):
        return await self.answers.get()

    def interrupt(self):
        self.interrupted += 1


def test_a_cancel_that_comes_too_late_is_not_for_the_next_command():
    async def scene():
        interpreter = OneInterpreter()
        context = Context("1", lambda _environment: interpreter, asyncio.Event(), None)
        await context.start()
        first = asyncio.create_task(context.run("a", "python", "1", Truth()))
        await asyncio.sleep(0)
        cancel = asyncio.create_task(context.cancel())
        await asyncio.sleep(0)
        interpreter.answers.put_nowait(reply("first"))
        await first
        second = asyncio.create_task(context.run("b", "python", "2", Truth()))
        await asyncio.sleep(0)
        interpreter.jobs_cancelled.set()
        await cancel
        interpreter.answers.put_nowait(reply("second"))
        return interpreter.interrupted, (await second).results

    assert asyncio.run(scene()) == (0, {"resultType": "text", "data": "second"})


def reply(value):
    nothing = {"error": None, "table": None, "html": None, "images": [], "restart": False}
    return {**nothing, "exit_value": value, "streams": [], "output_cap_mb": None, "secrets": []}
