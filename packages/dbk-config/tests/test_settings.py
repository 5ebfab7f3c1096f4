"""The settings object: what is required, what the SDK is given, and that a secret stays one."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from dbk_config import SETTINGS, DbkError, Secret, Settings, SettingsError, SyncSettings, load
from dbk_config.errors import SettingNotSet, UnknownSetting

NO_FILES = {"DATABRICKS_CONFIG_FILE": "/dev/null"}


def test_every_field_is_declared_as_a_setting():
    own = {field.name for field in dataclasses.fields(Settings)} - {"project_dir", "sync", "origins", "notes"}
    sync = {f"sync.{field.name}" for field in dataclasses.fields(SyncSettings)}

    assert set(SETTINGS) == own | sync


def test_every_variable_and_option_is_used_once():
    assert len({setting.env for setting in SETTINGS.values()}) == len(SETTINGS)
    assert len({setting.option for setting in SETTINGS.values()}) == len(SETTINGS)
    assert SETTINGS["sync.store"].env == "DBK_SYNC_STORE"
    assert SETTINGS["channel"].env == "DBK_CHANNEL"


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("host", "DATABRICKS_HOST not set", "Set DATABRICKS_HOST environment variable"),
        ("token", "DATABRICKS_TOKEN not set", "Set DATABRICKS_TOKEN environment variable or configure Databricks CLI"),
        ("cluster_id", "DATABRICKS_CLUSTER_ID not set", "Set DATABRICKS_CLUSTER_ID or configure in pyproject.toml"),
    ],
)
def test_what_is_required_and_missing_is_named_with_the_way_to_set_it(name, text, hint):
    with pytest.raises(SettingNotSet) as caught:
        Settings().require(name)

    assert caught.value.message == text
    assert caught.value.hint.startswith(hint)


def test_everything_missing_is_named_at_once():
    with pytest.raises(SettingsError, match="2 problems") as caught:
        Settings(token=Secret("x")).require("host", "token", "cluster_id")

    assert "DATABRICKS_HOST not set" in str(caught.value)
    assert "DATABRICKS_CLUSTER_ID not set" in str(caught.value)
    assert [problem.name for problem in caught.value.problems] == ["host", "cluster_id"]


def test_what_is_there_is_not_missed():
    Settings(host="https://a", cluster_id="c").require("host", "cluster_id", "sync.source")


def test_settings_made_directly_have_origins_too():
    settings = Settings(host="https://a")

    assert settings.origin("host").layer == "argument"
    assert settings.origin("channel").layer == "default"
    with pytest.raises(UnknownSetting):
        settings.origin("nothing")


def test_the_sdk_gets_host_and_token_when_both_are_given(tmp_path):
    env = NO_FILES | {"DATABRICKS_HOST": "a", "DATABRICKS_TOKEN": "dapi1"}

    assert load(cwd=tmp_path, env=env).sdk_arguments() == {"host": "https://a", "token": "dapi1", "auth_type": "pat"}


def test_the_sdk_gets_the_profile_when_that_has_the_credentials(tmp_path, profiles):
    env = profiles("[dev]\nhost = a\nclient_id = x\nclient_secret = y\n") | {"DATABRICKS_CONFIG_PROFILE": "dev"}

    arguments = load(cwd=tmp_path, env=env).sdk_arguments()

    file = env["DATABRICKS_CONFIG_FILE"]
    assert arguments == {"host": "https://a", "profile": "dev", "config_file": file}


def test_the_sdk_is_left_to_look_for_itself_when_only_the_host_is_known():
    assert Settings(host="https://a").sdk_arguments() == {"host": "https://a"}


def test_a_secret_shows_itself_nowhere():
    secret = Secret("dapi-very-secret")

    shown = [str(secret), repr(secret), f"{secret:>20}", str(Settings(token=secret)), f"{[secret]}"]

    assert not any("dapi" in text for text in shown)
    assert secret.reveal() == "dapi-very-secret"


def test_a_secret_is_a_value_but_not_a_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert copy.deepcopy(Secret("a")) == Secret("a")


def test_a_secret_is_not_pickled():
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret("a"))


def test_an_error_shows_its_hint_on_its_own_line_and_survives_pickling():
    error = pickle.loads(pickle.dumps(DbkError("It failed", "Do this.")))

    assert str(error) == "It failed\nDo this."
    assert (error.message, error.hint) == ("It failed", "Do this.")
    assert str(DbkError("It failed")) == "It failed"


def test_importing_loads_nothing_heavy():
    heavy = ("tomlkit", "argparse", "databricks", "urllib.request", "logging")
    code = f"import sys, dbk_config; print([name for name in {heavy} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert loaded == "[]"


def test_the_package_says_that_it_is_typed():
    assert (Path(sys.modules["dbk_config"].__file__).parent / "py.typed").exists()


def test_importing_the_package_or_its_errors_loads_nothing_that_reads_settings():
    code = (
        "import sys, dbk_config.errors; print([name for name in sys.modules if name.startswith(('dbk_', 'tomllib'))])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "['dbk_config', 'dbk_config.errors']"


def test_the_package_has_what_it_lists_and_nothing_else():
    import dbk_config

    assert set(dbk_config.__all__) <= set(dir(dbk_config))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = dbk_config.nothing
