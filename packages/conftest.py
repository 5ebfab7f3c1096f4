"""For the tests of every package, alone or together: none of them may print a token, and all of them can interrupt."""

import importlib.util
import signal
from pathlib import Path


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts a job in the background so, and every process that a test starts would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    file = Path(__file__).resolve().parents[1] / "tests" / "secrecy.py"
    spec = importlib.util.spec_from_file_location("secrecy", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.register(config)
