"""Files that look like secrets: found by name and content, never shown, never in command text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import Kind, ScanOptions, _secrets, plan, scan
from dbk_sync.errors import SecretsError
from hypothesis import given
from hypothesis import strategies as st

Plant = Callable[..., None]

TOKEN = b"dapi" + b"0123456789abcdef" * 2
KEY_ID = b"AKIA" + b"ABCDEFGH12345678"
PRIVATE = b"-----BEGIN " + b"RSA PRIVATE KEY-----\nMIIE"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (".env", b"", "has the name"),
        ("d/.env.production", b"", "has the name"),
        ("id_rsa", b"", "has the name"),
        ("x/server.PEM", b"", "has the name"),
        (".databrickscfg", b"", "has the name"),
        ("a.txt", PRIVATE, "contains a private key"),
        ("a.py", b"token = '" + TOKEN + b"'\n", "contains a Databricks token"),
        ("a.py", b"token = '" + TOKEN + b"-2'\n", "contains a Databricks token"),
        ("a.tf", b"id=" + KEY_ID + b"\n", "contains an AWS access key id"),
        (".env", b"x" * 60_000 + b" " + TOKEN, "contains a Databricks token"),
    ],
)
def test_a_secret_is_mentioned_with_its_reason_but_not_its_value(
    name: str, content: bytes, reason: str, root: Path, plant: Plant
):
    plant(root, {name: content})

    found = plan(scan(root))

    assert [finding.kind for finding in found.warnings] == [Kind.SECRET]
    assert f"{name} {reason}" in found.warnings[0].message
    assert TOKEN.decode() not in found.warnings[0].message
    assert found.secret_paths == {name.encode()}
    assert found.sends_secrets


@given(
    before=st.sampled_from([b"", b"d/", b"d.e/"]),
    name=st.sampled_from([*_secrets._NAMES, *(b"x" + suffix for suffix in _secrets._SUFFIXES), b".env.local", b"a.py"]),
    after=st.sampled_from([b"", b"", b".example", b"x", b"/a.py"]),
    upper=st.booleans(),
)
def test_the_quick_look_at_a_name_overlooks_none(before: bytes, name: bytes, after: bytes, upper: bool):
    path = before + (name.upper() if upper else name) + after

    assert _secrets.secret_flags(path, b"") == int(_secrets.is_secret_name(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env.example", b"TOKEN="),
        ("public.txt", b"-----BEGIN PUBLIC KEY-----"),
        ("a.py", b"dapi" + b"z" * 32),
        ("a.py", b"x" + TOKEN),
        ("a.py", KEY_ID + b"X"),
        ("keyboard.py", b"PRIVATE KEY"),
        ("environment.yml", b""),
    ],
)
def test_what_only_resembles_a_secret_is_not_mentioned(name: str, content: bytes, root: Path, plant: Plant):
    plant(root, {name: content})

    found = plan(scan(root))

    assert found.warnings == ()
    assert not found.sends_secrets


def test_secrets_can_be_an_error_that_names_all(root: Path, plant: Plant):
    plant(root, {".env": b"", "d/a.py": TOKEN, "b": b""})

    with pytest.raises(SecretsError, match=r"(?s)\.env: has the name.*d/a\.py: contains a Databricks token") as caught:
        scan(root, ScanOptions(secrets="error"))

    assert [path for path, _ in caught.value.files] == [b".env", b"d/a.py"]
    assert TOKEN.decode() not in str(caught.value)


def test_an_error_stays_one_for_files_that_are_not_read_again(root: Path, plant: Plant, later_ns: Callable[[], int]):
    plant(root, {"a.py": TOKEN})
    cache = scan(root, clock_ns=later_ns).cache

    with pytest.raises(SecretsError):
        scan(root, ScanOptions(secrets="error"), cache, clock_ns=later_ns)


def test_switched_off_there_are_no_warnings_but_command_text_stays_free_of_them(root: Path, plant: Plant):
    plant(root, {".env": b""})

    found = plan(scan(root, ScanOptions(secrets="off")))

    assert found.warnings == ()
    assert found.sends_secrets


def test_a_secret_is_mentioned_when_it_is_sent_only(root: Path, plant: Plant, later_ns: Callable[[], int]):
    plant(root, {".env": b"", "a": b"1"})
    first = scan(root, clock_ns=later_ns)
    plant(root, {"a": b"22"})

    second = plan(scan(root, cache=first.cache, clock_ns=later_ns), first.manifest)

    assert [entry.path for entry in second.puts] == [b"a"]
    assert second.warnings == ()
    assert not second.sends_secrets
