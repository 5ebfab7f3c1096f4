"""Profiles and variables are read as the SDK itself reads them: its own code is the oracle."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from dbk_config import SettingsError, load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Config = pytest.importorskip("databricks.sdk.config").Config

HOSTS = st.sampled_from(["https://a.example.com", "b.example.com/", "http://127.0.0.1:8123", "c.example.com:443"])
KEYS = {"host": HOSTS, "token": st.just("dapi1%"), "cluster_id": st.just("0-1"), "account_id": st.just("x")}
SECTION = st.fixed_dictionaries({}, optional=KEYS)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "DEFAULT": SECTION,
        "dev": SECTION,
        "Prod One": SECTION,
        "__settings__": st.fixed_dictionaries({"default_profile": st.sampled_from(["dev", "gone", "", "DEFAULT"])}),
    },
)
VARIABLES = {
    "DATABRICKS_HOST": HOSTS,
    "DATABRICKS_TOKEN": st.sampled_from(["dapi2", ""]),
    "DATABRICKS_CLUSTER_ID": st.just("0-2"),
    "DATABRICKS_CLIENT_ID": st.just("client"),
    "DATABRICKS_AZURE_RESOURCE_ID": st.just("resource"),
    "DATABRICKS_OIDC_TOKEN_ENV": st.just("X"),
    "DATABRICKS_CONFIG_PROFILE": st.sampled_from(["dev", "Prod One", "DEFAULT", "gone"]),
}


def by_the_sdk(env):
    """What the SDK's loaders make of it, without its network probes; "error" when they refuse."""
    config = Config.__new__(Config)
    config._inner = {}
    with mock.patch.dict(os.environ, env, clear=True):
        try:
            config._load_from_env()
            config._known_file_config_loader()
        except ValueError:
            return "error"
    config._fix_host_if_needed()
    return config.host, config.token, config.cluster_id


def by_us(env, folder):
    try:
        found = load(cwd=folder, env=env)
    except SettingsError:
        return "error"
    return found.host, found.token and found.token.reveal(), found.cluster_id


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, st.fixed_dictionaries({}, optional=VARIABLES))
def test_host_token_and_cluster_are_those_the_sdk_finds(sections, variables):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "cfg")
        lines = (f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in body.items()) for name, body in sections.items())
        file.write_text("\n".join(lines))
        env = {"DATABRICKS_CONFIG_FILE": str(file), **variables}

        assert by_us(env, Path(folder)) == by_the_sdk(env)
