"""Code that runs on the driver, and how it gets there.

`agent` runs inside the user's execution context, `control` in a second one beside it. Both are ordinary modules that
need nothing but the standard library and the IPython that is there; they are tested as such, and shipped as source.
`wire` is what both sides share with the client.
"""

from __future__ import annotations

from typing import Any

from . import wire
from ._pack import pack

__all__ = ["bootstrap", "control_bootstrap", "wire"]

_AGENT_ROOT = '''"""The agent of dbk-session; its parts are readable below `_dbk_agent.agent`."""
from .agent.entry import again, call, current, install, is_open, register_attachment
'''
_CONTROL_ROOT = '''"""The control side of dbk-session."""
from .control.entry import again, call, install, is_open
'''


def bootstrap(**options: Any) -> str:
    """The command that installs the agent in the user's context and prints a `hello` frame.

    The same text again changes nothing and prints `hello` again, with the same nonce. Another version of the agent is
    replaced.

    Args:
        options: `display_rows` (rows that `display` of a frame shows, 1000), `inline_chars` (longest frame, 24000),
            `budget_bytes` (output of one cell, 100 MB), `spool_root` (folder for the records; default: the best local
            place), `descriptors` (also record what subprocesses write, true), `widgets` (the front end shows them,
            false), `completion` (names will be asked for, false).
    """
    return pack(wire.AGENT, ["wire", "cutting", "agent"], _AGENT_ROOT, options)


def control_bootstrap(**options: Any) -> str:
    """The command that makes a context the control side of another; prints a `hello` frame."""
    return pack(wire.CONTROL, ["wire", "cutting", "control", "agent.spool"], _CONTROL_ROOT, options)
