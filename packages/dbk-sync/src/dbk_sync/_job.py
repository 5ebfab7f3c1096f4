"""What every command of `dbk-sync` starts from and ends with: source, target, settings; and the exit code."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dbk_config import DbkError, Settings, cli, load

from dbk_sync import _state, errors
from dbk_sync._deadline import ending_after
from dbk_sync._exit_codes import exit_code
from dbk_sync._refused import Refused
from dbk_sync._report import Reporter
from dbk_sync._rule_file import RuleFile
from dbk_sync._scan import Scan, scan
from dbk_sync._scan_options import ScanOptions
from dbk_sync._service import detect
from dbk_sync._target import Target, parse_target

if TYPE_CHECKING:
    from dbk_sync._http import Http


@dataclass(slots=True)
class Job:
    """One run of a command.

    Attributes:
        arguments: The command line.
        settings: In force for the project of the source.
        source: The directory to push, absolute.
        target: Where to; None when nobody said.
        report: Hears what is done.
        phases_ms: How long things took.
    """

    arguments: argparse.Namespace
    settings: Settings
    source: Path
    target: Target | None
    report: Reporter
    phases_ms: dict[str, int] = field(default_factory=dict)
    _http: Http | None = None
    _requests_before: int = 0

    @property
    def options(self) -> ScanOptions:
        """What to select and what to refuse. Where nobody is watching, a file that looks like a secret is refused."""
        options = ScanOptions.from_settings(self.settings.sync)
        options = replace(
            options,
            skip_unreadable=getattr(self.arguments, "skip_unreadable", False),
            rule_files=_rule_files(self.arguments),
            tracked_only=getattr(self.arguments, "tracked_only", False),
        )
        unattended = os.environ.get("CI", "").lower() in ("true", "1")
        if unattended and self.settings.origin("sync.secrets").layer == "default":
            return replace(options, secrets="error")
        return options

    @property
    def http(self) -> Http:
        """The workspace, connected when it is first needed."""
        if self._http is None:
            from dbk_sync._connect import connect

            self._http = connect(self.settings)
            limits = [getattr(self.arguments, name, None) for name in ("concurrency", "bwlimit")]
            if any(limits):
                from dbk_sync._throttle import Throttled

                self._http = Throttled(self._http, *limits)
        return self._http

    @property
    def requests(self) -> int:
        """Requests made so far, since the last `begin`."""
        return 0 if self._http is None else self._http.traffic.requests - self._requests_before

    def begin(self) -> None:
        """Counts and times from here on."""
        self._requests_before += self.requests
        self.phases_ms.clear()

    @property
    def state_key(self) -> _state.StateKey:
        """What the hash cache of this source and target is kept by."""
        return _state.key_of(self.settings, str(self.target or ""), self.source)

    def scan(self) -> Scan:
        """The tree of the source, read as far as it is not known from before."""
        with self.timed("scan"):
            known = None if getattr(self.arguments, "checksum", False) else _state.load(self.state_key).cache
            return scan(self.source, self.options, known)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Adds the time of the block to a phase."""
        started_s = time.monotonic()
        try:
            yield
        finally:
            took_ms = round((time.monotonic() - started_s) * 1000)
            self.phases_ms[phase] = self.phases_ms.get(phase, 0) + took_ms

    def require_target(self) -> Target:
        """The target.

        Raises:
            TargetError: There is none.
        """
        if self.target is None:
            raise errors.TargetError(
                "There is no target.",
                "Name one: dbfs:/DIR, /Volumes/CATALOG/SCHEMA/VOLUME/DIR, /Workspace/Users/NAME/DIR or cluster:ID.",
            )
        return self.target

    def close(self) -> None:
        """Closes what was opened."""
        if self._http is not None:
            self._http.close()


def command(work: Callable[[Job], int | None]) -> Callable[[argparse.Namespace], int]:
    """The function for `cli.add_command` that makes the job, does the work, and turns errors into exit codes."""

    def run(arguments: argparse.Namespace) -> int:
        report = Reporter(
            events=getattr(arguments, "json", False),
            verbose=getattr(arguments, "log_level", "") in ("info", "debug"),
            service=detect(),
        )
        job: Job | None = None
        try:
            with cli.ending_in_order(), ending_after(getattr(arguments, "timeout", None)):
                job = _job(arguments, report)
                return work(job) or 0
        except Refused as refusal:
            return _failed(report, errors.AccessError(str(refusal)))
        except DbkError as error:
            if getattr(arguments, "log_level", "") == "debug":
                raise
            return _failed(report, error)
        finally:
            if job is not None:
                job.close()
            report.end()

    return run


def _job(arguments: argparse.Namespace, report: Reporter) -> Job:
    given = getattr(arguments, "places", None) or []
    places = [given] if isinstance(given, str) else list(given)
    target = parse_target(places.pop()) if places and _is_target(places[-1]) else None
    if len(places) > 1:
        raise errors.TargetError(f"{places[-1]!r} is not a place to push to.", "See dbk-sync push --help.")
    here = Path(places[0] if places else ".")
    if not here.is_dir():
        raise errors.SourceError(f"{os.fspath(here)!r} is not a directory.")
    settings = load(cwd=here, arguments=cli.arguments_of(arguments))
    cli.configure_logging(settings.log_level)
    source = here if places else settings.project_dir / settings.sync.source
    if target is None and settings.cluster_id and getattr(arguments, "needs_target", False):
        target = Target("cluster", settings.cluster_id)
    return Job(arguments, settings, Path(os.path.abspath(source)), target, report)


def _rule_files(arguments: argparse.Namespace) -> tuple[RuleFile, ...]:
    """The rules that are options, highest rank first: to leave out beats to select, and what is said last comes first.

    So it is for `databricks sync`, where the order of the options does not matter either.
    """
    excludes, includes = (getattr(arguments, name, []) for name in ("exclude_from", "include_from"))
    patterns = getattr(arguments, "include", [])
    said = [RuleFile("include", os.fsencode("\n".join(patterns)))] if patterns else []
    return (*reversed(excludes), *said, *reversed(includes))


def _is_target(text: str) -> bool:
    starts = ("dbfs:", "cluster:", "/Volumes/", "/Workspace/", "/Users/", "/Shared/", "/Repos/")
    return text.startswith(starts) and not os.path.isdir(text)


def _failed(report: Reporter, error: DbkError) -> int:
    code = exit_code(error)
    name = type(error).__name__
    report.error(error, name, code)
    return code
