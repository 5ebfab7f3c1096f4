"""The JSON schema and the loader agree about what is valid."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from dbk_config import SETTINGS, SettingsError, load
from dbk_config._schema import schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

jsonschema = pytest.importorskip("jsonschema")
tomlkit = pytest.importorskip("tomlkit")

KEYS = [name for name, setting in SETTINGS.items() if "pyproject" in setting.layers and name != "profile"]
CHOICES = sorted({choice for setting in SETTINGS.values() for choice in setting.choices})
VALUES = st.one_of(
    st.booleans(),
    st.integers(-2, 3),
    st.floats(-2, 3).filter(lambda number: not number.is_integer()),  # JSON makes no difference between 1.0 and 1
    st.sampled_from([*CHOICES, "", "/Volumes/a/b/c", "/Volumes/a", "/x", "a b", "driver", "https://x"]),
    st.lists(st.sampled_from(["", "*.log"]), max_size=2),
    st.lists(st.just(1), min_size=1, max_size=1),
)


def table_of(values):
    table = {"sync": {}}
    for name, value in values.items():
        *tables, key = name.split(".")
        (table["sync"] if tables else table)[key] = value
    return table


def loads(table):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(tomlkit.dumps({"tool": {"jupyter-databricks-kernel": table}}))
        try:
            load(cwd=Path(folder), env={"DATABRICKS_CONFIG_FILE": "/dev/null"})
        except SettingsError:
            return False
    return True


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*KEYS, "token", "host", "nothing", "sync.nothing"]), VALUES, max_size=3))
def test_the_schema_accepts_what_the_loader_accepts(values):
    table = table_of(values)

    assert jsonschema.Draft7Validator(schema()).is_valid(table) == loads(table)


def test_the_schema_is_a_valid_schema():
    jsonschema.Draft7Validator.check_schema(schema())
