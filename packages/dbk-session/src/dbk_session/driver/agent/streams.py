"""`sys.stdout` and `sys.stderr`: what a run writes is recorded, everything else goes where it went before."""

from __future__ import annotations

import codecs
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from .runs import Runs
from .scribe import Scribe


class Tee(io.TextIOBase):
    """A text stream that records what the current run writes.

    Outside a run, and in a forked child (which has no scribe: its text comes back through the captured descriptor),
    everything goes to the stream that was there before. What programs ask a stream for is answered by that stream.
    """

    def __init__(self, name: str, original: Any, runs: Runs, scribe: Scribe, settle: Callable[[], None]) -> None:
        super().__init__()
        self._name = name
        self.original = original
        self._runs = runs
        self._scribe = scribe
        self._settle = settle
        self._pid = os.getpid()
        self._binary = _Binary(self)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if os.getpid() != self._pid:
            return self._write_in_child(text)
        run = self._runs.current()
        if run is None:
            return int(self.original.write(text) or len(text))
        if text:
            self._settle()
            self._scribe.stream(run, self._name, text)
        return len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)

    def _write_in_child(self, text: str) -> int:
        descriptor = 1 if self._name == "stdout" else 2
        data = text.encode(self.encoding, "backslashreplace")
        while data:
            data = data[os.write(descriptor, data) :]
        return len(text)

    def flush(self) -> None:
        # Records need no flush: the scribe writes them within 50 ms.
        if self._runs.current() is None:
            self.original.flush()

    def close(self) -> None:
        # `sys.stdout.close()` in a cell, or the garbage collector, must not end the host's stream.
        return

    def isatty(self) -> bool:
        return bool(self.original.isatty())

    def fileno(self) -> int:
        return int(self.original.fileno())

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def name(self) -> str:
        """As of the standard streams."""
        return f"<{self._name}>"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The original's, or UTF-8."""
        return getattr(self.original, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """The original's way with characters that its encoding lacks."""
        return getattr(self.original, "errors", None) or "strict"

    @property
    def buffer(self) -> Any:
        """Takes bytes, as `sys.stdout.buffer` does."""
        return self._binary

    def __getattr__(self, attribute: str) -> Any:
        # Anything else (`reconfigure`, `mode`, what an ipykernel stream has) is the original's.
        if attribute.startswith("__") or "original" not in self.__dict__:
            raise AttributeError(attribute)
        return getattr(self.original, attribute)


class _Binary(io.BufferedIOBase):
    """`sys.stdout.buffer`: bytes that are decoded and written to the text stream."""

    def __init__(self, tee: Tee) -> None:
        super().__init__()
        self._tee = tee
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: Any) -> int:
        data = bytes(data)
        self._tee.write(self._decoder.decode(data))
        return len(data)

    def flush(self) -> None:
        self._tee.flush()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._tee.fileno()

    def close(self) -> None:
        return

    @property
    def raw(self) -> Any:
        """Nothing is buffered here."""
        return self


class StandardStreams:
    """Puts the two streams in place and takes them away again."""

    def __init__(self, runs: Runs, scribe: Scribe, settle: Callable[[], None]) -> None:
        self.stdout = Tee("stdout", sys.stdout, runs, scribe, settle)
        self.stderr = Tee("stderr", sys.stderr, runs, scribe, settle)

    def install(self) -> None:
        """From here on programs write to the agent's streams."""
        self._swap_handlers({id(self.stdout.original): self.stdout, id(self.stderr.original): self.stderr})
        sys.stdout, sys.stderr = self.stdout, self.stderr

    def uninstall(self) -> None:
        """Give back the streams that were there, unless somebody else has replaced them since."""
        self._swap_handlers({id(self.stdout): self.stdout.original, id(self.stderr): self.stderr.original})
        if sys.stdout is self.stdout:
            sys.stdout = self.stdout.original
        if sys.stderr is self.stderr:
            sys.stderr = self.stderr.original

    def print_to_host(self, line: str) -> None:
        """Write one line where the host reads a command's result."""
        self.stdout.original.write(line + "\n")
        self.stdout.original.flush()

    def _swap_handlers(self, new: dict[int, Any]) -> None:
        """Log handlers keep the stream of the time they were made: they get the one that is in place now."""
        known = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
        for logger in known:
            for handler in getattr(logger, "handlers", []):
                stream = new.get(id(getattr(handler, "stream", None)))
                if stream is not None and isinstance(handler, logging.StreamHandler):
                    handler.setStream(stream)
