"""The public conformance suite of Jupyter, whole: 13 tests, with all three kinds of history (checks 1 and 46)."""

import unittest

import ipykernel
import jupyter_kernel_test
import pytest
from jupyter_client.manager import KernelManager

SAMPLES = {
    "language_name": "python",
    "file_extension": ".py",
    "code_hello_world": "print('hello, world')",
    "code_stderr": "import sys; print('test', file=sys.stderr)",
    "completion_samples": [{"text": "zi", "matches": {"zip"}}],
    "complete_code_samples": ["1", "print('hello, world')", "def f(x):\n  return x*2\n\n\n"],
    "incomplete_code_samples": ["print('''hello", "def f(x):\n  x*2"],
    "invalid_code_samples": ["import = 7q"],
    "code_page_something": "zip?",
    "code_generate_error": "raise ValueError('boom')",
    "code_execute_result": [
        {"code": "1+2+3", "result": "6"},
        {"code": "[n*n for n in range(1, 4)]", "result": "[1, 4, 9]"},
    ],
    "code_display_data": [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"},
        {"code": "from IPython.display import Math, display; display(Math('\\\\frac{1}{2}'))", "mime": "text/latex"},
    ],
    "code_history_pattern": "1?2*",
    "supported_history_operations": ("tail", "range", "search"),
    "code_inspect_sample": "zip",
    "code_clear_output": "from IPython.display import clear_output; clear_output()",
}


# What is left of it when only the API's own results can be had, which are text or an error.
PLAIN = ("kernel_info", "execute_stdout", "error", "completion", "inspect", "is_complete", "history")


@pytest.fixture(scope="module")
def kernel(request, workspace, environment, start_kernel, make_project, tmp_path_factory):
    """A kernel whose output comes through the given channel, with a history of its own, in which the suite searches."""
    settings = f'channel = "{request.param}"\nsync.enabled = false'
    own = {name: str(tmp_path_factory.mktemp("own")) for name in ("JUPYTER_DATA_DIR", "XDG_STATE_HOME")}
    with start_kernel(environment(workspace, **own), make_project(settings)) as running:
        yield running


@pytest.fixture(scope="module")
def suite(kernel):
    """The suite's cases on the module's kernel instead of one of their own."""
    kernel.client.run("1")  # the suite allows 15 s for a reply, and a cluster may take longer to come up

    class Conformance(jupyter_kernel_test.KernelTests):
        kc, km = kernel.client.kc, kernel.manager

        @classmethod
        def setUpClass(cls):
            pass

        @classmethod
        def tearDownClass(cls):
            pass

    for name, value in SAMPLES.items():
        setattr(Conformance, name, value)
    return Conformance


@pytest.fixture
def patient(monkeypatch, kernel):
    """Each message may take longer than the suite's 0.1 s on a machine that does much else."""
    get = kernel.client.kc.iopub_channel.get_msg

    def get_msg(timeout=None):
        return get(timeout=None if timeout is None else max(timeout, 20))

    def flush_channels(self):
        """Takes all that is under way: a question is asked, and its `idle` comes after everything before it."""
        msg_id = self.kc.kernel_info()
        kernel.client.reply(self.kc.get_shell_msg, msg_id)
        while True:
            message = get(timeout=60)
            ours = message["msg_type"] == "status" and message["parent_header"].get("msg_id") == msg_id
            if ours and message["content"]["execution_state"] == "idle":
                return

    monkeypatch.setattr(kernel.client.kc.iopub_channel, "get_msg", get_msg)
    monkeypatch.setattr(jupyter_kernel_test.KernelTests, "flush_channels", flush_channels)
    monkeypatch.setattr(jupyter_kernel_test, "TIMEOUT", 60)


def cases():
    return list(unittest.defaultTestLoader.getTestCaseNames(jupyter_kernel_test.KernelTests))


def run(suite, case):
    outcome = unittest.TestResult()

    suite(case).run(outcome)

    assert outcome.skipped == []
    assert [text for _, text in outcome.failures + outcome.errors] == []


@pytest.mark.parametrize("kernel", ["auto"], indirect=True)
@pytest.mark.parametrize("case", cases())
@pytest.mark.usefixtures("patient")
def test_check_01_conformance(suite, case):
    run(suite, case)


@pytest.mark.parametrize("kernel", ["result"], indirect=True)
@pytest.mark.parametrize("case", cases())
@pytest.mark.usefixtures("patient")
def test_check_46_conformance_without_a_live_channel(suite, case):
    run(suite, case)


@pytest.mark.parametrize("kernel", ["plain"], indirect=True)
@pytest.mark.parametrize("case", [f"test_{name}" for name in PLAIN])
@pytest.mark.usefixtures("patient")
def test_check_46_conformance_with_nothing_but_the_api(suite, case):
    run(suite, case)


def test_check_01_all_thirteen_are_there():
    # With the one below, which needs a client that connects to a fresh kernel.
    assert len(cases()) == 12


@pytest.mark.skipif(ipykernel.version_info < (7, 2), reason="ipykernel welcomes its subscribers from 7.2 on")
def test_check_01_the_first_message_of_a_fresh_kernel_is_the_welcome(specs, environment, make_project):
    manager = KernelManager(kernel_name="databricks", kernel_spec_manager=specs)
    manager.start_kernel(env=environment(), cwd=str(make_project()))
    kc = manager.client()
    try:
        kc.start_channels()
        first = kc.get_iopub_msg(timeout=60)
    finally:
        kc.stop_channels()
        manager.shutdown_kernel()
        manager.cleanup_resources()

    assert first["msg_type"] == "iopub_welcome"
    assert first["content"] == {"subscription": ""}
