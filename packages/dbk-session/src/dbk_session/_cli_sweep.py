"""`dbk-session sweep`."""

from __future__ import annotations

import argparse
import sys

from dbk_config import cli

from dbk_session._connect import door_of_environment, door_of_settings
from dbk_session._journal import Entry, Journal
from dbk_session._sweep import Swept, has_ended, sweep
from dbk_session._transport import Door, Http
from dbk_session.errors import SessionError

__all__ = ["run_sweep"]


def run_sweep(arguments: argparse.Namespace) -> int:
    """Lists or removes what is left over; gives the exit code."""
    journal = Journal()
    if arguments.list:
        _list(journal)
        return 0
    left = list(journal.orphans())
    if arguments.detached:
        left += [entry for entry in journal.entries() if entry.detached is not None]
    if arguments.forget is not None:
        return _forget(journal, arguments.forget.rstrip("/"), left)
    problems = 0
    for host in sorted({entry.host for entry in left}):
        here = [entry for entry in left if entry.host == host]
        problems += _sweep_host(arguments, journal, host, here)
    if not left:
        print("nothing is left over")
    return 1 if problems else 0


def _list(journal: Journal) -> None:
    orphans = {entry.session for entry in journal.orphans()}
    entries = list(journal.entries())
    if not entries:
        print("no session is open or left over")
    for entry in entries:
        if entry.detached is not None:
            state = f"detached, attach with: dbk-session attach {entry.name}"
        else:
            state = "left over" if entry.session in orphans else f"in use by process {entry.pid}"
        known, unknown = len(journal.contexts(entry.session)), len(journal.unanswered(entry.session))
        contexts = f"{known} contexts" + (f" and perhaps {unknown} more" if unknown else "")
        print(f"{entry.session}  {entry.host}  {entry.cluster_id}  {contexts}  {state}")


def _forget(journal: Journal, host: str, left: list[Entry]) -> int:
    """Forgets all that was left on a workspace; gives the exit code."""
    there = [entry for entry in left if entry.host == host]
    if not there:
        print(f"nothing is left over on {host}")
    for entry in there:
        print(f"{entry.cluster_id} on {host}: {len(journal.contexts(entry.session))} contexts forgotten")
        journal.remove(entry.session)
    return 0


def _sweep_host(arguments: argparse.Namespace, journal: Journal, host: str, entries: list[Entry]) -> int:
    """Sweeps one workspace; gives the number of contexts that could not be removed."""
    if has_ended(host):
        print(f"{host}: this embedded workspace has ended, and all its contexts with it")
        for entry in entries:
            journal.remove(entry.session)
        return 0
    try:
        http = Http(_door(arguments, host, entries[0]))
    except SessionError as error:
        print(f"{host}: {error.message}", file=sys.stderr)
        _tell_of_forgetting(host)
        return len(entries)
    outcomes = sweep(journal, entries, http)
    http.close()
    for outcome in outcomes:
        print(f"{outcome.entry.cluster_id} {_told(outcome)}")
    left = sum(1 for outcome in outcomes if outcome.problem and outcome.context_id)
    if left:
        _tell_of_forgetting(host)
    return left


def _tell_of_forgetting(host: str) -> None:
    print(f"Is this workspace gone for ever? Then: dbk-session sweep --forget {host}", file=sys.stderr)


def _told(outcome: Swept) -> str:
    if not outcome.context_id:
        # Nobody can do anything about it: no API lists contexts.
        return f"may have a context more, {outcome.problem}; it runs nothing, and goes when the cluster stops"
    what = f"could not be removed: {outcome.problem}" if outcome.problem else "removed"
    return f"context {outcome.context_id} {what}"


def _door(arguments: argparse.Namespace, host: str, entry: Entry) -> Door:
    settings = cli.settings_of(arguments)
    if settings.host is not None and settings.host.rstrip("/") == host:
        return door_of_settings(settings)
    return door_of_environment(host, entry.profile, entry.config_file)
