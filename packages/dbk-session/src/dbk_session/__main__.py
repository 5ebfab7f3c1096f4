"""`dbk-session`, also as `python -m dbk_session`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Runs the command line; gives the exit code. Ctrl-C is obeyed without a word from the first import on."""
    try:
        from dbk_session._cli import main as run

        return run(argv)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
