"""What a sync would do: the pure decision on a scan and the last acknowledged manifest."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dbk_sync._cache import HashCache
from dbk_sync._delta import Delta, difference
from dbk_sync._entry import Entry
from dbk_sync._findings import Finding, Kind
from dbk_sync._manifest import Manifest
from dbk_sync._scan import Scan
from dbk_sync._secrets import secret_reason
from dbk_sync.errors import NameCollisionError


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between the source and what the target acknowledged last.

    Attributes:
        source: Absolute path of the source directory, as the operating system names it.
        base: What the target acknowledged last; None when nothing is known, and everything is sent.
        manifest: The tree the target has afterwards.
        delta: From `base` to `manifest`.
        warnings: Remarks a person should see, about the source or about what is sent: secrets, colliding names,
            names that are not UTF-8, an ignored source.
        skipped: Selected paths that cannot be sent, with the reason.
        secret_paths: Selected paths that look like secrets; these never travel in command text.
        filter_deletes: Those of `deletes` that still exist in the source: gone only because the rules changed.
        preserve_times: Whether the puts get the modification time they have in the source.
        cache: What is known about the files of `manifest`; `_state.save` stores it once the target has acknowledged.
    """

    source: bytes
    base: Manifest | None
    manifest: Manifest
    delta: Delta
    warnings: tuple[Finding, ...] = ()
    skipped: tuple[Finding, ...] = ()
    secret_paths: frozenset[bytes] = frozenset()
    filter_deletes: tuple[bytes, ...] = ()
    preserve_times: bool = False
    cache: HashCache = field(default_factory=HashCache, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the target already has this tree, so that nothing needs to be sent."""
        return self.base is not None and not self.delta.puts and not self.delta.deletes

    @property
    def puts(self) -> tuple[Entry, ...]:
        """New and changed entries, in path order."""
        return self.delta.puts

    @property
    def deletes(self) -> tuple[bytes, ...]:
        """Paths the target has to remove, in path order."""
        return self.delta.deletes

    @property
    def size_bytes(self) -> int:
        """Content to send, in bytes before compression."""
        return sum(entry.size_bytes for entry in self.delta.puts)

    @property
    def sends_secrets(self) -> bool:
        """Whether a put looks like a secret, so that the delta must not travel in command text."""
        return any(entry.path in self.secret_paths for entry in self.delta.puts)


def plan(scan: Scan, base: Manifest | None = None, *, case_sensitive: bool = True) -> Plan:
    """What brings a target that has `base` (None: nothing known) to the tree of `scan`.

    Args:
        scan: The source.
        base: What the target acknowledged last.
        case_sensitive: Whether the target keeps names apart that differ only by case or Unicode form.

    Raises:
        NameCollisionError: It does not, and there are such names; lists all.
    """
    manifest = scan.manifest
    delta = difference(base, manifest)
    clashes = list(_clashes(manifest.entries)) if delta.puts else []
    if not case_sensitive:
        _refuse(clashes, "Rename or exclude them.")
    secrets = scan.cache.secrets
    return Plan(
        source=scan.source,
        base=base,
        manifest=manifest,
        delta=delta,
        warnings=(*scan.warnings, *clashes, *_put_warnings(delta.puts, scan)),
        skipped=scan.skipped,
        secret_paths=frozenset(secrets),
        filter_deletes=tuple([path for path in delta.deletes if _is_there(os.path.join(scan.source, path))]),
        preserve_times=scan.preserve_times,
        cache=scan.cache,
    )


def refuse_clashes(entries: Iterable[Entry], hint: str) -> None:
    """Does nothing if a target that may not tell case and Unicode forms apart can keep these files.

    Raises:
        NameCollisionError: It cannot; lists all, with `hint` as the way out.
    """
    _refuse(list(_clashes(entries)), hint)


def _refuse(clashes: Sequence[Finding], hint: str) -> None:
    if clashes:
        files = tuple((finding.path, finding.message) for finding in clashes)
        listed = "\n".join(f"  {message}" for _, message in files)
        raise NameCollisionError(f"Names that the target may not keep apart:\n{listed}", hint, files=files)


def _is_there(whole: bytes) -> bool:
    """Whether there is still something a plan could hold: a directory of the same name is something else."""
    try:
        return not stat.S_ISDIR(os.lstat(whole).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # nobody can say that it is gone


def _put_warnings(puts: Iterable[Entry], scan: Scan) -> Iterator[Finding]:
    secrets = scan.cache.secrets
    for entry in puts:
        path = entry.path
        if scan.warns_of_secrets and path in secrets:
            message = f"{os.fsdecode(path)} {secret_reason(secrets[path])}; exclude it if it must stay here"
            yield Finding(Kind.SECRET, path, message)
        if not path.isascii() and _text(path) is None:
            yield Finding(Kind.NAME, path, f"{path!r} is not UTF-8; some targets refuse such names")


def _clashes(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Names that are equal when case and Unicode form are ignored."""
    paths = [entry.path for entry in entries]
    keys = [path.lower() if path.isascii() else _folded(path) for path in paths]
    if len(set(keys)) == len(keys):
        return
    groups: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for key, path in zip(keys, paths, strict=True):
        groups[key].append(path)
    for first, *others in groups.values():
        for path in others:
            message = f"{os.fsdecode(path)} differs from {os.fsdecode(first)} only by case or Unicode form"
            yield Finding(Kind.COLLISION, path, message)


def _folded(path: bytes) -> bytes:
    text = _text(path)
    return path if text is None else unicodedata.normalize("NFC", text.casefold()).encode()


def _text(path: bytes) -> str | None:
    try:
        return path.decode()
    except UnicodeDecodeError:
        return None
