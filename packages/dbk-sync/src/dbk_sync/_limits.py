"""The size limits: everything that exceeds them, said at once and before any request."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dbk_sync.errors import FileSizeError

MB: Final = 1024 * 1024
"""A megabyte of the settings, in bytes."""

_SHOWN_FILES: Final = 20
_SHOWN_FOLDERS: Final = 5


def check_limits(
    sizes: Sequence[tuple[bytes, int]], *, max_size_mb: float | None, max_file_size_mb: float | None
) -> None:
    """Does nothing if `sizes` (path and size in bytes of every selected file) keep the limits; None is no limit.

    Raises:
        FileSizeError: They do not. The message lists every offender (the largest 20 by name), the largest folders
            with all that is in them, and the setting to change.
    """
    offenders = sorted(_over(sizes, max_file_size_mb), key=lambda size: (-size[1], size[0]))
    total_bytes = sum(size for _, size in sizes)
    over_total = max_size_mb is not None and total_bytes > max_size_mb * MB
    if not offenders and not over_total:
        return
    lines = [*_file_lines(offenders, max_file_size_mb)]
    if over_total:
        lines += _total_lines(sizes, total_bytes, max_size_mb)
    settings = [name for name, hit in (("max_file_size_mb", offenders), ("max_size_mb", over_total)) if hit]
    raise FileSizeError(
        "\n".join(lines),
        f"Add patterns to `exclude`, or raise {' and '.join(f'`{name}`' for name in settings)}, "
        "in [tool.jupyter-databricks-kernel.sync] of pyproject.toml.",
        offenders=tuple(offenders),
        total_bytes=total_bytes if over_total else None,
    )


def size_text(size_bytes: float) -> str:
    """A size for a person, such as `12.5 MB` or `812 bytes`."""
    for unit, step in (("GB", MB * 1024), ("MB", MB), ("kB", 1024)):
        if size_bytes >= step:
            return f"{size_bytes / step:.1f} {unit}"
    return f"{size_bytes:.0f} bytes"


def _over(sizes: Iterable[tuple[bytes, int]], max_file_size_mb: float | None) -> Iterator[tuple[bytes, int]]:
    if max_file_size_mb is not None:
        most_bytes = max_file_size_mb * MB
        yield from (size for size in sizes if size[1] > most_bytes)


def _file_lines(offenders: Sequence[tuple[bytes, int]], max_file_size_mb: float | None) -> Iterator[str]:
    if offenders:
        files = "1 file" if len(offenders) == 1 else f"{len(offenders)} files"
        yield f"File size exceeded limit of {max_file_size_mb:g} MB (max_file_size_mb): {files}, nothing was sent."
        yield from _size_lines(offenders, _SHOWN_FILES)
    if len(offenders) > _SHOWN_FILES:
        yield from _folder_lines(offenders)


def _total_lines(sizes: Sequence[tuple[bytes, int]], total_bytes: int, max_size_mb: float | None) -> Iterator[str]:
    yield (
        f"Total size exceeded limit of {max_size_mb:g} MB (max_size_mb): "
        f"{size_text(total_bytes)} in {len(sizes)} files, nothing was sent."
    )
    yield "Largest files:"
    yield from _size_lines(sorted(sizes, key=lambda size: (-size[1], size[0])), _SHOWN_FOLDERS)
    yield from _folder_lines(sizes)


def _folder_lines(sizes: Sequence[tuple[bytes, int]]) -> Iterator[str]:
    folders = _folder_sizes(sizes)
    if folders:
        yield "Largest folders:"
        yield from _size_lines(folders, _SHOWN_FOLDERS)


def _folder_sizes(sizes: Sequence[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
    """The folders below the source with all that is in them, largest first.

    Of folders one in the other with the very same files only the innermost is told: that is the one to exclude.
    """
    totals: Counter[bytes] = Counter()
    counts: Counter[bytes] = Counter()
    for path, size in sizes:
        end = path.rfind(b"/")
        while end > 0:
            folder = path[: end + 1]
            totals[folder] += size
            counts[folder] += 1
            end = path.rfind(b"/", 0, end)
    outer = {parent for folder in totals if counts[parent := _parent(folder)] == counts[folder]}
    kept = [(folder, size) for folder, size in totals.items() if folder not in outer]
    return sorted(kept, key=lambda size: (-size[1], size[0]))


def _parent(folder: bytes) -> bytes:
    return folder[: folder.rfind(b"/", 0, -1) + 1]


def _size_lines(sizes: Sequence[tuple[bytes, int]], most: int) -> Iterator[str]:
    for path, size in sizes[:most]:
        yield f"  {size_text(size):>10}  {os.fsdecode(path)}"
    if len(sizes) > most:
        yield f"  and {len(sizes) - most} more"
