"""What survives the process, and what is never believed."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dbk_config import Settings
from dbk_sync import Entry, Plan, State, StateKey, plan, scan
from dbk_sync._state import cache_folder, forget, key_of, load, save

Plant = Callable[..., None]
KEY = StateKey(host="https://h", workspace_id="1", user="u@x", target="/t", source="/s")


@pytest.fixture
def proposal(root: Path, plant: Plant, later_ns: Callable[[], int]) -> Plan:
    plant(root, {"a": b"1", "d/run": b"2", "caf\udce9": b"3", "l": "-> a", ".env": b"", "empty": b""})
    (root / "d/run").chmod(0o755)
    return plan(scan(root, clock_ns=later_ns))


@pytest.fixture
def file(proposal: Plan) -> Path:
    """A saved state."""
    assert save(KEY, proposal, "receipt")
    (path,) = Path(cache_folder()).iterdir()
    return path


def is_empty(state: State) -> bool:
    return not state.cache.statuses and state.manifest is None and not state.receipt


def test_what_was_saved_is_loaded(proposal: Plan):
    assert save(KEY, proposal, "größe {}")

    state = load(KEY)

    assert state.manifest == proposal.manifest
    assert state.manifest is not None
    assert state.manifest.tree == proposal.manifest.tree
    assert state.cache == proposal.cache
    assert state.receipt == "größe {}"


def test_a_loaded_cache_saves_reading_and_plans_nothing(
    root: Path, file: Path, later_ns: Callable[[], int], deny: Callable[[Path], None]
):
    state = load(KEY)
    for path in ("a", "d/run", ".env"):
        deny(root / path)

    found = scan(root, cache=state.cache, clock_ns=later_ns)

    assert found.cache is state.cache
    assert plan(found, state.manifest).is_empty
    assert plan(found, None).secret_paths == {b".env"}


def test_an_empty_tree_has_a_state_too(tmp_path: Path):
    (tmp_path / "none").mkdir()

    assert save(KEY, plan(scan(tmp_path / "none")))
    assert load(KEY).manifest is not None


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_any_number_of_files_is_loaded_as_it_was(count: int, root: Path, plant: Plant):
    plant(root, {f"f{number}": str(number) for number in range(count)})
    proposal = plan(scan(root))

    assert save(KEY, proposal)
    state = load(KEY)

    assert state.manifest == proposal.manifest
    assert state.cache == proposal.cache
    assert all(isinstance(entry, Entry) for entry in state.cache.manifest)


def test_a_key_is_made_of_all_that_is_known_without_asking():
    settings = Settings(host="https://h", profile="one")
    key = key_of(settings, "dbfs:/t", Path("/src"))

    assert key == StateKey("https://h", "", "one", "dbfs:/t", "/src")
    assert key_of(replace(settings, profile="two"), "dbfs:/t", Path("/src")) != key


@pytest.mark.parametrize("part", ["host", "workspace_id", "user", "target", "source"])
def test_targets_that_differ_in_any_part_share_nothing(part: str, file: Path):
    assert is_empty(load(replace(KEY, **{part: "other"})))


def test_parts_cannot_be_mistaken_for_each_other(file: Path):
    assert is_empty(load(replace(KEY, host="https://h1", workspace_id="")))


def test_a_state_under_a_wrong_name_is_not_believed(file: Path, proposal: Plan):
    other = replace(KEY, target="/other")
    assert save(other, proposal)
    (theirs,) = set(file.parent.iterdir()) - {file}
    theirs.write_bytes(file.read_bytes())

    assert is_empty(load(other))


def test_no_damage_is_ever_believed(file: Path):
    good = file.read_bytes()
    chance = random.Random(4)
    for _ in range(300):
        at = chance.randrange(len(good))
        wrong = [good[:at], good[:at] + bytes((good[at] ^ 1 << chance.randrange(8),)) + good[at + 1 :], good + b"x"]
        file.write_bytes(chance.choice(wrong))

        assert is_empty(load(KEY))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"DBKSTATE", b"\0" * 200, b"DBKSTATE\x02\0\0\0" + b"\0" * 64])
def test_other_content_is_not_believed(content: bytes, file: Path):
    file.write_bytes(content)

    assert is_empty(load(KEY))


def test_only_the_user_may_read_it(file: Path):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_folder_is_in_the_users_cache(home: Path):
    assert cache_folder({"XDG_CACHE_HOME": "/x/cache"}) == "/x/cache/dbk-sync"
    assert cache_folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == "/h/.cache/dbk-sync"
    assert cache_folder({"HOME": "/h"}) == "/h/.cache/dbk-sync"


@pytest.mark.parametrize("bits", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(bits: int, file: Path, proposal: Plan):
    file.parent.chmod(bits)

    assert is_empty(load(KEY))
    assert not save(KEY, proposal)


def test_a_folder_of_somebody_else_is_not_used(file: Path, proposal: Plan, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)

    assert is_empty(load(KEY))
    assert not save(KEY, proposal)


def test_a_folder_that_is_a_link_is_not_used(file: Path, proposal: Plan):
    file.parent.rename(file.parent.parent / "elsewhere")
    file.parent.symlink_to("elsewhere")

    assert is_empty(load(KEY))
    assert not save(KEY, proposal)


def test_a_state_that_is_a_link_is_not_followed(file: Path, tmp_path: Path):
    file.rename(tmp_path / "moved")
    file.symlink_to(tmp_path / "moved")

    assert is_empty(load(KEY))


def test_a_folder_that_cannot_be_made_is_no_error(proposal: Plan, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    assert not save(KEY, proposal, environ={"XDG_CACHE_HOME": str(tmp_path / "file")})


def test_a_save_that_fails_leaves_the_old_state(file: Path, proposal: Plan, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    assert not save(KEY, proposal, "newer")
    assert load(KEY).receipt == "receipt"
    assert list(file.parent.iterdir()) == [file]


def test_a_state_can_be_forgotten(file: Path):
    forget(KEY)

    assert is_empty(load(KEY))
    forget(KEY)


def test_it_says_nothing_about_contents(root: Path, plant: Plant):
    plant(root, {"a": b"the secret itself"})

    save(KEY, plan(scan(root)))

    (path,) = Path(cache_folder()).iterdir()
    assert b"secret" not in path.read_bytes()
