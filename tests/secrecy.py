"""A pytest plugin: a test that prints the token of a workspace fails, whatever it is about.

Everything a test can see is searched: what pytest captured (stdout, stderr, logging at DEBUG), the long form of a
failure, warnings, what `capsys` and `capfd` gave the test, the traceback of every error that `pytest.raises` caught,
the output of child processes, the messages of kernels, and the command text that reached the embedded workspace.

The tokens are those of every `dbk_local.Workspace` that was started, and every `DATABRICKS_TOKEN` that this process or
one of its children was given. A test that reads output in a way of its own passes it to the fixture `no_token_in`.

Loaded by `packages/conftest.py` and `tests/conftest.py`, hence in every run of every package.
"""

from __future__ import annotations

import functools
import io
import logging
import os
import subprocess
import traceback

import pytest

SHORTEST = 8
"""A shorter text is no token, and would hit ordinary words."""
LOGGERS = ("dbk", "databricks.sdk")


class Secrecy:
    """The tokens that are known, and where one was seen since the last look."""

    def __init__(self):
        self.tokens = set()
        self.leaks = []

    def know(self, token):
        if isinstance(token, str) and len(token) >= SHORTEST:
            self.tokens.add(token)

    def search(self, where, *outputs):
        """Remembers a leak when one of the outputs (text, bytes or None) has a token in it."""
        self.know(os.environ.get("DATABRICKS_TOKEN"))
        for output in outputs:
            text = output.decode("utf-8", "replace") if isinstance(output, (bytes, bytearray)) else output or ""
            if any(token in text for token in self.tokens):
                self.leaks.append(where)

    def take(self):
        """The places since the last call, each once."""
        found, self.leaks = sorted(set(self.leaks)), []
        return found

    # -- pytest's own hooks ---------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self):
        for name in LOGGERS:
            logger = logging.getLogger(name)
            # A command that an earlier test ran in this process has left its own handler and level behind.
            logger.handlers[:] = [Listener(self)]
            logger.setLevel(logging.DEBUG)
            logger.propagate = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self):
        report = yield
        for title, text in report.sections:
            if title.endswith(report.when):  # each report has those of the phases before it too
                self.search(title.lower(), text)
        self.search("the text of the failure", report.longreprtext)
        if found := self.take():
            said = f"the token of a workspace is in {', '.join(found)}"
            report.sections.append(("Secrecy", said))
            report.longrepr = report.longrepr if report.failed else said
            report.outcome = "failed"
        return report

    def pytest_warning_recorded(self, warning_message, nodeid):
        """Comes after the reports of its test: the next one fails, and names the right one."""
        self.search(f"a warning of {nodeid}", str(warning_message.message))

    def pytest_sessionfinish(self, session):
        """What no report can tell any more; a worker of pytest-xdist hands it to the run that it works for."""
        found = self.take()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["secrecy"] = found
        elif found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print(f"\nAfter the last test, the token of a workspace is in {', '.join(found)}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.leaks += getattr(node, "workeroutput", {}).get("secrecy", [])

    @pytest.fixture
    def no_token_in(self):
        """no_token_in(where, *outputs): the test fails when one of them has a token in it."""
        return self.search


class Listener(logging.Handler):
    """Searches every record, its traceback included, as it is made."""

    def __init__(self, secrecy):
        super().__init__(logging.DEBUG)
        self.secrecy = secrecy

    def emit(self, record):
        self.secrecy.search(f"the log of {record.name}", self.format(record))


def tapped(kind, secrecy):
    """A subclass of a kind of pipe that searches what is read from it."""

    def searching(name):
        original = getattr(kind, name)

        def method(self, *arguments):
            said = original(self, *arguments)
            secrecy.search("what a child process said", said)
            return said

        return method

    return type(kind.__name__, (kind,), {name: searching(name) for name in ("read", "readline", "__next__")})


def after(owner, name, then):
    """Makes the method `owner.name` call `then(self, result, named arguments)` when it is done."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def method(self, *arguments, **named):
        result = original(self, *arguments, **named)
        then(self, result, named)
        return result

    setattr(owner, name, method)


def listen_to_processes(secrecy):
    """Knows the token each child process is given, and searches what the child says."""
    text, raw = tapped(io.TextIOWrapper, secrecy), tapped(io.BufferedReader, secrecy)

    def started(process, _, named):
        secrecy.know((named.get("env") or {}).get("DATABRICKS_TOKEN"))
        # The one line that a workspace writes there is how its token is told.
        announces = isinstance(process.args, list) and {"dbk_local", "serve", "--json"} <= set(process.args)
        for name in ("stderr",) if announces else ("stdout", "stderr"):
            pipe = getattr(process, name)
            if type(pipe) is io.TextIOWrapper:
                form = {"encoding": pipe.encoding, "errors": pipe.errors, "line_buffering": pipe.line_buffering}
                setattr(process, name, text(pipe.detach(), **form))
            elif type(pipe) is io.BufferedReader:
                setattr(process, name, raw(pipe.detach()))

    after(subprocess.Popen, "__init__", started)
    after(subprocess.Popen, "communicate", lambda _, said, __: secrecy.search("what a child process said", *said))


def listen_to_pytest(secrecy):
    """Searches what tests read with `capsys` and `capfd`, and the errors they catch with `pytest.raises`."""
    after(pytest.CaptureFixture, "readouterr", lambda _, said, __: secrecy.search("what capsys or capfd gave", *said))
    raises = type(pytest.raises(SystemError))  # its name differs between the versions of pytest
    original = raises.__exit__

    def caught(self, kind, error, trace):
        if error is not None:
            text = "".join(traceback.format_exception(error))
            secrecy.search(f"the traceback of {kind.__name__}", text, repr(error), str(error))
        return original(self, kind, error, trace)

    raises.__exit__ = caught


def listen_to_workspaces(secrecy):
    """Knows every workspace's token, and searches the command text and bodies that a test looks at."""
    try:
        from dbk_local import Workspace
    except ImportError:
        return
    after(Workspace, "start", lambda workspace, _, __: secrecy.know(workspace.token))
    after(Workspace, "requests", lambda _, found, __: secrecy.search("a request to the workspace", repr(found)))


def listen_to_kernels(secrecy):
    """Searches every message that a client of a kernel takes off the wire."""
    try:
        from jupyter_client.session import Session
    except ImportError:
        return
    original = Session.deserialize

    def deserialize(self, parts, *arguments, **named):
        secrecy.search("a message of a kernel", *(bytes(getattr(part, "bytes", part)) for part in parts))
        return original(self, parts, *arguments, **named)

    Session.deserialize = deserialize


def register(config):
    """Switches the plugin on, once a run."""
    if config.pluginmanager.has_plugin("secrecy"):
        return
    secrecy = Secrecy()
    for listen in (listen_to_processes, listen_to_pytest, listen_to_workspaces, listen_to_kernels):
        listen(secrecy)
    config.pluginmanager.register(secrecy, "secrecy")
