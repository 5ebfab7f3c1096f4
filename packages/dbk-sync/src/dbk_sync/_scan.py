"""The tree of a source: which files, and what is in them."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from dbk_sync._cache import CHANGED, RACY_WINDOW_NS, Fresh, HashCache, kept_status, new_fresh
from dbk_sync._collector import collector_paused
from dbk_sync._content import ChangingError, read_content
from dbk_sync._findings import Finding, Kind
from dbk_sync._limits import check_limits
from dbk_sync._links import link_problem
from dbk_sync._manifest import Entry, Manifest, mode_of, new_entry
from dbk_sync._rule_file import RuleFile
from dbk_sync._secrets import secret_flags, secret_reason
from dbk_sync._selection import Selection
from dbk_sync._tracked import tracked_paths
from dbk_sync._walk import Found, Problem, Walk, walk
from dbk_sync.errors import ChangedWhileReadingError, LinkError, SecretsError, UnreadableFilesError

if TYPE_CHECKING:
    from dbk_config import SyncSettings

LinkPolicy = Literal["inside", "skip", "error"]
SecretPolicy = Literal["warn", "error", "off"]


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to select and what to refuse; the settings of `[tool.jupyter-databricks-kernel.sync]` of the same names.

    What is no setting: `rule_files` are more rules, those of the first one first, which rank between `exclude` and the
    ignore files. `tracked_only` leaves out what git does not track. `skip_unreadable` makes remarks of files and
    directories that cannot be read, not an error.
    """

    exclude: tuple[str, ...] = ()
    use_gitignore: bool = True
    max_size_mb: float | None = None
    max_file_size_mb: float | None = None
    links: LinkPolicy = "inside"
    secrets: SecretPolicy = "warn"
    skip_unreadable: bool = False
    rule_files: tuple[RuleFile, ...] = ()
    tracked_only: bool = False

    def selection(self, source: str | os.PathLike[str]) -> Selection:
        """The rules of `source` together with these.

        Raises:
            SourceError: `source` is not a directory, or one of git's own.
        """
        return Selection(source, self.exclude, self.rule_files, use_gitignore=self.use_gitignore)

    @classmethod
    def from_settings(cls, settings: SyncSettings) -> ScanOptions:
        """The options that the settings give."""
        return cls(
            exclude=tuple(settings.exclude),
            use_gitignore=settings.use_gitignore,
            max_size_mb=settings.max_size_mb,
            max_file_size_mb=settings.max_file_size_mb,
            links=cast("LinkPolicy", settings.links),
            secrets=cast("SecretPolicy", settings.secrets),
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """A source as it was at one moment of the scan, file by file.

    Attributes:
        source: The source directory, absolute and without links.
        cache: What is known about its files now; give it to the next scan.
        skipped: Selected paths that cannot be sent, with the reason.
        warnings: Remarks about the source as a whole.
        read_files: How many files had to be read.
        warns_of_secrets: Whether a plan mentions files that look like secrets.
    """

    source: bytes
    cache: HashCache
    skipped: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    read_files: int = 0
    warns_of_secrets: bool = True

    @property
    def manifest(self) -> Manifest:
        """The tree."""
        return self.cache.manifest


def scan(
    source: str | os.PathLike[str],
    options: ScanOptions | None = None,
    cache: HashCache | None = None,
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> Scan:
    """The tree of the directory `source`.

    Args:
        source: The directory.
        options: What to select and what to refuse.
        cache: What an earlier scan knew; files with the same status are not read again.
        clock_ns: Gives the time in nanoseconds since the epoch, by the clock of the file system.

    Raises:
        SourceError: `source` is not a directory, or git does not say what it tracks there.
        RulesError: An ignore file cannot be read.
        FileSizeError: A size limit is exceeded; raised before any file is read.
        UnreadableFilesError: Directories or files cannot be read; lists all.
        ChangedWhileReadingError: Something else took the place of files while they were read; lists all.
        LinkError: `links` is `error` and links leave the source; lists all.
        SecretsError: `secrets` is `error` and files look like secrets; lists all.
    """
    return scan_closely(source, options or ScanOptions(), cache or HashCache(), clock_ns=clock_ns)[0]


def scan_closely(
    source: str | os.PathLike[str],
    options: ScanOptions,
    cache: HashCache,
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> tuple[Scan, Walk, Selection]:
    """`scan`, together with where it looked."""
    started_ns = clock_ns()
    selection = options.selection(source)
    with collector_paused():
        found = _walked(selection, options, cache)
        _check_sizes(found, cache.manifest, options)
        reading = _Reading(selection.source, started_ns, list(found.unreadable))
        links, refused = reading.links(found.links, options.links)
        fresh = [*reading.files(sorted(found.misses)), *links]
        if options.skip_unreadable:
            refused += reading.unread()
        reading.check()
        updated = cache.updated(found.hits, fresh)
    _check_secrets(updated, options)
    skipped = (*found.skipped, *refused)
    result = Scan(
        source=selection.source,
        cache=updated,
        skipped=tuple(sorted(skipped, key=_path)),
        warnings=tuple(found.warnings),
        read_files=len(found.misses),
        warns_of_secrets=options.secrets != "off",
    )
    return result, found, selection


def select(source: str | os.PathLike[str], options: ScanOptions | None = None) -> list[bytes]:
    """The selected paths of `source` in byte order: what `git ls-files` would list, links included. Reads no content.

    Raises:
        SourceError: `source` is not a directory.
        RulesError: An ignore file cannot be read.
        UnreadableFilesError: Directories cannot be listed.
    """
    options = options or ScanOptions()
    found = _walked(options.selection(source), options, HashCache())
    _raise_unreadable(found.unreadable)
    return sorted(path for path, *_ in (*found.misses, *found.links))


def sendable(source: str | os.PathLike[str], options: ScanOptions) -> tuple[list[bytes], list[Finding]]:
    """`select` without the links that cannot be sent, and what is to be said about those."""
    root = os.fsencode(os.path.realpath(source))
    troubles = {path: link_trouble(root, path, options) for path in select(source, options)}
    refused = [_link_finding(path, trouble) for path, trouble in troubles.items() if trouble is not None]
    return [path for path, trouble in troubles.items() if trouble is None], refused


def link_trouble(source: bytes, path: bytes, options: ScanOptions) -> str | None:
    """Why the link at `path` cannot be sent; None when it can, or is none (any more)."""
    try:
        target = os.readlink(os.path.join(source, path))
    except OSError:
        return None
    return "links are skipped" if options.links == "skip" else link_problem(source, path, target)


def _walked(selection: Selection, options: ScanOptions, cache: HashCache) -> Walk:
    found = walk(selection, cache.statuses)
    if options.tracked_only:
        found.keep(tracked_paths(selection.source))
    return found


class _Reading:
    """Reads what a walk found, and collects what cannot be read."""

    def __init__(self, source: bytes, started_ns: int, unreadable: list[Problem]) -> None:
        self._source = source
        self._safe_ns = started_ns - RACY_WINDOW_NS
        self._unreadable = unreadable
        self._changing: list[Problem] = []

    def files(self, misses: Iterable[Found]) -> Iterator[Fresh]:
        root = self._source + b"/"
        for path, found, found_bytes, found_mode in misses:
            try:
                sha256, head, status, size_bytes, st_mode = read_content(root + path, found, found_bytes, found_mode)
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted meanwhile: as if it had not been found
            except ChangingError:
                self._changing.append((path, "no regular file any more when it was read"))
                continue
            except OSError as error:
                self._unreadable.append((path, error.strerror or str(error)))
                continue
            entry = new_entry((path, mode_of(st_mode), size_bytes, sha256))
            yield new_fresh((entry, kept_status(status, self._safe_ns), secret_flags(path, head)))

    def links(self, found: Iterable[Found], policy: LinkPolicy) -> tuple[list[Fresh], list[Finding]]:
        read: list[Fresh] = []
        refused: list[Finding] = []
        for path, *_ in found:
            try:
                target = os.readlink(os.path.join(self._source, path))
            except OSError:
                continue  # deleted or replaced meanwhile
            problem = "links are skipped" if policy == "skip" else link_problem(self._source, path, target)
            if problem is None:
                entry = Entry(path, "link", len(target), hashlib.sha256(target).digest())
                read.append(Fresh(entry, CHANGED, 0))
            else:
                refused.append(_link_finding(path, problem))
        if refused and policy == "error":
            raise _links_error(refused)
        return read, refused

    def unread(self) -> list[Finding]:
        """Takes what cannot be read for skipped."""
        unreadable, self._unreadable = self._unreadable, []
        return [
            Finding(Kind.UNREADABLE, path, f"{os.fsdecode(path)} is skipped, since it cannot be read: {reason}")
            for path, reason in unreadable
        ]

    def check(self) -> None:
        _raise_unreadable(self._unreadable)
        if self._changing:
            raise ChangedWhileReadingError(
                f"Files that changed into something else while they were read:\n{_listed(self._changing)}",
                "Sync again when they are at rest, or exclude them.",
                files=tuple(self._changing),
            )


def _check_sizes(found: Walk, known: Manifest, options: ScanOptions) -> None:
    if options.max_size_mb is not None or options.max_file_size_mb is not None:
        sizes = [(path, known.by_path[path].size_bytes) for path in found.hits]
        sizes += [(path, size_bytes) for path, _, size_bytes, _ in found.misses]
        check_limits(sizes, max_size_mb=options.max_size_mb, max_file_size_mb=options.max_file_size_mb)


def _check_secrets(cache: HashCache, options: ScanOptions) -> None:
    if options.secrets == "error" and cache.secrets:
        files = tuple((path, secret_reason(flags)) for path, flags in sorted(cache.secrets.items()))
        raise SecretsError(
            f"Files that look like secrets:\n{_listed(files)}",
            'Ignore or exclude them, or set secrets = "warn".',
            files=files,
        )


def _raise_unreadable(unreadable: list[Problem]) -> None:
    if unreadable:
        files = tuple(sorted(unreadable))
        raise UnreadableFilesError(
            f"Files that cannot be read:\n{_listed(files)}",
            "Make them readable, or exclude them.",
            files=files,
        )


def _link_finding(path: bytes, problem: str) -> Finding:
    return Finding(Kind.LINK, path, f"Link skipped: {os.fsdecode(path)} ({problem})")


def _links_error(refused: list[Finding]) -> LinkError:
    files = tuple((finding.path, finding.message) for finding in sorted(refused, key=_path))
    listed = "\n".join(f"  {message}" for _, message in files)
    return LinkError(f"Links that cannot be sent:\n{listed}", 'Exclude them, or set links = "skip".', files=files)


def _listed(files: Iterable[Problem]) -> str:
    return "\n".join(f"  {os.fsdecode(path)}: {reason}" for path, reason in files)


def _path(finding: Finding) -> bytes:
    return finding.path
