"""Laws of loading and editing, on generated settings."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path

import pytest
from dbk_config import SETTINGS, Secret, load
from dbk_config._edit import changed, value_from_words
from dbk_config._origin import LAYERS
from dbk_config._toml import key_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

tomlkit = pytest.importorskip("tomlkit")
FAST = settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text("abcxyz019-_.*/", min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
FIXED = ("config_file", "profile")  # they decide what the layers are
SPECIAL = {
    "host": WORDS.map(lambda word: "https://h" + "".join(c for c in word if c.isalnum())),
    "cluster_id": st.text("0123456789abcdef-", min_size=1, max_size=20),
    "sync.volume": st.sampled_from(["/Volumes/a/b/c", "/Volumes/a/b/c/d"]),
    "sync.extract_to": st.sampled_from(["workspace", "driver", "/local_disk0/x"]),
}


def values_of(setting):
    """Valid values of a setting, as TOML types them."""
    if setting.name in SPECIAL:
        return SPECIAL[setting.name]
    if setting.choices:
        # "volume" is valid only together with sync.volume
        return st.sampled_from([choice for choice in setting.choices if choice != "volume"])
    return {
        "flag": st.booleans(),
        "integer": st.integers(1, 10**6),
        "number": st.floats(0.001, 1e6),
        "list": st.lists(TEXTS, max_size=4),
        "text": TEXTS,
        "secret": st.text("abcdef0123456789", min_size=8, max_size=20),
        "path": st.just("/dev/null"),
    }[setting.kind]


def some(layer):
    """A choice of settings that `layer` may give, with values."""
    allowed = {
        name: values_of(s)
        for name, s in SETTINGS.items()
        if layer in s.layers and name not in ("config_file", "profile")
    }
    return st.fixed_dictionaries({}, optional=allowed)


def as_env(name, value):
    if isinstance(value, str):
        return value
    return json.dumps(value)


def as_toml(values):
    document = {"tool": {"jupyter-databricks-kernel": {"sync": {}}}}
    for name, value in values.items():
        *tables, key = name.split(".")
        table = document["tool"]["jupyter-databricks-kernel"]
        (table["sync"] if tables else table)[key] = value
    return tomlkit.dumps(document)


def plain(value):
    value = value.reveal() if isinstance(value, Secret) else value
    return list(value) if isinstance(value, tuple) else value


@FAST
@given(some("argument"), some("environment"), some("pyproject"), some("profile"))
def test_each_value_comes_from_the_strongest_layer_that_has_it_and_says_so(argument, environment, pyproject, profile):
    with tempfile.TemporaryDirectory() as folder:
        file, config = Path(folder, "pyproject.toml"), Path(folder, "cfg")
        file.write_text(as_toml(pyproject))
        config.write_text("[p]\n" + "".join(f"{name} = {value}\n" for name, value in profile.items()))
        env = {SETTINGS[name].env: as_env(name, value) for name, value in environment.items()}
        env |= {"DATABRICKS_CONFIG_FILE": str(config), "DATABRICKS_CONFIG_PROFILE": "p"}

        loaded = load(cwd=Path(folder), env=env, arguments=argument)

        layers = dict(zip(LAYERS, (argument, environment, pyproject, profile), strict=False))
        for name, setting in SETTINGS.items():
            if name in FIXED:
                continue
            # An empty list in the environment is an empty text's equal: given, all the same.
            winner = next((layer for layer, values in layers.items() if name in values), "default")
            expected = layers[winner][name] if winner != "default" else plain(setting.default)
            assert plain(loaded.get(name)) == expected
            origin = loaded.origin(name)
            assert origin.layer == winner
            if origin.file:
                line = origin.file.read_text().splitlines()[origin.line - 1]
                assert line.startswith(name.rpartition(".")[2])


EDITABLE = [setting.name for setting in SETTINGS.values() if "pyproject" in setting.layers]

COMMENTED = """\
# 1
[tool.other]      # 2
b = 1             # 3

# 4
[tool.jupyter-databricks-kernel]   # 5
display_rows = 5  # 6
# 7
channel = "auto"  # 8

[tool.jupyter-databricks-kernel.sync] # 9
# 10
inline = true     # 11

[last]            # 12
# 13
"""


@FAST
@given(st.data())
def test_what_is_set_is_what_is_read_and_comments_and_order_stay(data):
    names = data.draw(st.lists(st.sampled_from(EDITABLE), min_size=1, max_size=6))
    file = Path("/project/pyproject.toml")
    text, wanted = COMMENTED, {}
    for name in names:
        value = data.draw(values_of(SETTINGS[name]))
        words = value if isinstance(value, list) else [as_env(name, value)]
        wanted[name] = value_from_words(name, words)
        text = changed(text, file, {name: wanted[name]})

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_bytes(text.encode())
        Path(folder, "cfg").write_text("[x]\n")
        env = {"DATABRICKS_CONFIG_FILE": str(Path(folder, "cfg"))}
        loaded = load(cwd=Path(folder), env=env, arguments={"profile": "x"})
    assert {name: plain(loaded.get(name)) for name in wanted if name != "profile"} == {
        name: value for name, value in wanted.items() if name != "profile"
    }
    rest = iter(text.splitlines())
    for line in COMMENTED.splitlines():
        comment = line[line.index("#") :] if "#" in line else ""
        assert any(later.endswith(comment) for later in rest)


@FAST
@given(st.data())
def test_set_then_unset_gives_the_text_back(data):
    there = ("display_rows", "channel", "sync.inline")
    name = data.draw(st.sampled_from([name for name in EDITABLE if name not in there]))
    file = Path("/project/pyproject.toml")

    edited = changed(COMMENTED, file, {name: value_from_words(name, _words(data.draw(values_of(SETTINGS[name]))))})

    assert changed(edited, file, {name: None}) == COMMENTED


def _words(value):
    return value if isinstance(value, list) else [as_env("", value)]


KEYS = st.text("ab-_.\"' #=[]é", min_size=1, max_size=6)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.text("ab\"'\n#[]{}=\\", max_size=8),
    st.lists(st.text("a#]", max_size=3), max_size=3),
)
TABLES = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=3),
    lambda inner: st.dictionaries(KEYS, st.one_of(SCALARS, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3),
    max_leaves=6,
)


@FAST
@given(TABLES)
def test_the_line_of_every_key_is_found(document):
    text = tomlkit.dumps(document)
    if tomllib.loads(text) != document:  # the writer's own faults are not the question
        return
    lines = key_lines(text)

    def check(table, path):
        for key, value in table.items():
            here = (*path, key)
            if isinstance(value, dict):
                check(value, here)
            elif not (isinstance(value, list) and value and isinstance(value[0], dict)):
                assert 1 <= lines[here] <= text.count("\n") + 1

    check(document, ())
