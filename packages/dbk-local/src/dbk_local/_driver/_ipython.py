"""The parts of IPython used here, as `Any`: how much of it is typed differs from release to release."""

from __future__ import annotations

from typing import Any

from IPython.core import compilerop, displayhook, displaypub, error, interactiveshell
from IPython.core import display as core_display
from IPython.core.getipython import get_ipython as _get_ipython
from IPython.display import display as _display

CachingCompiler: Any = compilerop.CachingCompiler
DisplayHook: Any = displayhook.DisplayHook
DisplayPublisher: Any = displaypub.DisplayPublisher
InteractiveShell: Any = interactiveshell.InteractiveShell
StdinNotImplementedError: Any = error.StdinNotImplementedError
HTML: Any = core_display.HTML
display: Any = _display
get_ipython: Any = _get_ipython
