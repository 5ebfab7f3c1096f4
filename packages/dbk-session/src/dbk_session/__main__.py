"""`dbk-session`, also as `python -m dbk_session`."""

from __future__ import annotations

import sys

from dbk_session._cli import main, make_parser

__all__ = ["main", "make_parser"]

if __name__ == "__main__":
    sys.exit(main())
