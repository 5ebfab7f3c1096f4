"""What git tracks, as git itself says it: the index has several formats, and submodules have their own."""

from __future__ import annotations

import os
from typing import Final

from dbk_sync.errors import SourceError

_COMMAND: Final = ("git", "ls-files", "-z", "--cached", "--recurse-submodules")


def tracked_paths(source: bytes) -> frozenset[bytes]:
    """The paths below `source` that git tracks, those of submodules among them.

    Raises:
        SourceError: Git is not installed, or `source` is not in a repository that it trusts.
    """
    import subprocess  # seldom needed, and half as long to import as all the rest

    try:
        done = subprocess.run(_COMMAND, cwd=source, capture_output=True, check=False)
    except OSError as error:
        raise SourceError(
            f"Git cannot say what it tracks: {error.strerror}.", "Install git, or push without --tracked-only."
        ) from error
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().removeprefix("fatal: ").splitlines() or ["no reason was given"]
        raise SourceError(
            f"Git cannot say what it tracks in {os.fsdecode(source)}: {said[0]}.",
            "Push from a checkout that git trusts (git config --global --add safe.directory ...), "
            "or without --tracked-only.",
        )
    return frozenset(done.stdout.split(b"\0")[:-1])
