"""Loading: which layer wins, what each may hold, and what is said about a value that cannot be used."""

from __future__ import annotations

import pytest
from dbk_config import Secret, Settings, SettingsError, load
from dbk_config.errors import InvalidValue, MisplacedSetting, ProfileNotFound, UnknownSetting, UnreadableFile

NO_FILES = {"DATABRICKS_CONFIG_FILE": "/dev/null"}

SEED = """\
[tool.jupyter-databricks-kernel]
cluster_id = "0123-456789-abcdef12"

[tool.jupyter-databricks-kernel.sync]
enabled = true
source = "."
exclude = ["*.log", "data/", "*.tmp"]
max_size_mb = 100.0
max_file_size_mb = 10.0
use_gitignore = true
"""


def problems_of(cwd, env=NO_FILES, **arguments):
    with pytest.raises(SettingsError) as caught:
        load(cwd=cwd, env=env, arguments=arguments)
    return caught.value.problems


def test_the_full_example_of_the_readme_is_read_as_written(project):
    file = project(SEED)

    settings = load(cwd=file.parent, env=NO_FILES)

    assert settings.cluster_id == "0123-456789-abcdef12"
    assert settings.sync.exclude == ("*.log", "data/", "*.tmp")
    assert (settings.sync.max_size_mb, settings.sync.max_file_size_mb) == (100.0, 10.0)
    assert (settings.sync.enabled, settings.sync.use_gitignore, settings.sync.source) == (True, True, ".")
    assert settings.origin("sync.max_size_mb").line == 8
    assert settings.origin("sync.store").layer == "default"
    assert settings.project_dir == file.parent


FORMER = """\
[tool.jupyter-databricks-kernel.sync]
workspace_extract_dir = "/tmp/there"
compression_level = 6
"""


def test_what_version_1_was_told_still_holds(project):
    cwd = project(FORMER).parent
    variable = {"JUPYTER_DATABRICKS_KERNEL_EXTRACT_DIR": "/tmp/elsewhere"}

    settings = load(cwd=cwd, env=NO_FILES)
    by_variable = load(cwd=cwd, env=NO_FILES | variable)
    by_both = load(cwd=cwd, env=NO_FILES | variable | {"DBK_SYNC_EXTRACT_TO": "driver"})
    renamed = load(cwd=project(FORMER + 'extract_to = "driver"\n').parent, env=NO_FILES)

    assert (settings.sync.extract_to, settings.origin("sync.extract_to").line) == ("/tmp/there", 2)
    assert [one.sync.extract_to for one in (by_variable, by_both, renamed)] == ["/tmp/elsewhere", "driver", "driver"]


def test_nothing_at_all_gives_the_defaults(tmp_path):
    settings = load(cwd=tmp_path, env=NO_FILES)

    assert (settings.host, settings.token, settings.cluster_id, settings.profile) == (None, None, None, None)
    assert settings.sync == Settings().sync
    assert settings.project_dir == tmp_path


def test_each_layer_hides_the_weaker_ones(project, profiles):
    cwd = project(SEED).parent
    env = profiles("[dev]\ncluster_id = from-profile\nhost = dev.example.com\ntoken = dapi1\n")
    env["DATABRICKS_CONFIG_PROFILE"] = "dev"

    def cluster(**more):
        arguments = {"cluster_id": more.pop("argument", None)}
        settings = load(cwd=cwd, env=env | more, arguments=arguments)
        return settings.cluster_id, settings.origin("cluster_id").layer

    assert cluster() == ("0123-456789-abcdef12", "pyproject")
    assert cluster(DATABRICKS_CLUSTER_ID="from-env") == ("from-env", "environment")
    assert cluster(DATABRICKS_CLUSTER_ID="from-env", argument="mine") == ("mine", "argument")
    (cwd / "pyproject.toml").write_text("[project]\n")
    assert cluster() == ("from-profile", "profile")


def test_a_pyproject_without_our_table_is_passed_over(project):
    outer = project(SEED)
    inner = project('[project]\nname = "inner"\n', "packages/inner")

    settings = load(cwd=inner.parent, env=NO_FILES)

    assert settings.origin("cluster_id").file == outer
    assert settings.project_dir == outer.parent


def test_the_nearest_of_two_projects_wins_whole(project):
    project(SEED)
    inner = project('[tool.jupyter-databricks-kernel]\nchannel = "result"\n', "inner")

    settings = load(cwd=inner.parent, env=NO_FILES)

    assert settings.channel == "result"
    assert settings.cluster_id is None


def test_without_our_table_anywhere_the_project_is_the_working_folder(project):
    file = project("[project]\n")
    below = file.parent / "a" / "b"
    below.mkdir(parents=True)

    assert load(cwd=below, env=NO_FILES).project_dir == below


def test_every_problem_is_reported_at_once_with_file_and_line(project):
    file = project(
        "[tool.jupyter-databricks-kernel]\n"
        "cluster_id = 5\n"
        'chanel = "auto"\n'
        "\n"
        "[tool.jupyter-databricks-kernel.sync]\n"
        "max_size_mb = -1\n"
        'exclude = "*.log"\n'
        'links = "all"\n'
    )

    problems = problems_of(file.parent, NO_FILES | {"DBK_DISPLAY_ROWS": "many"})

    assert [(p.name, p.line) for p in problems] == [
        ("display_rows", None),
        ("cluster_id", 2),
        ("chanel", 3),
        ("sync.max_size_mb", 6),
        ("sync.exclude", 7),
        ("sync.links", 8),
    ]
    assert all(str(p).startswith(f"{file}:{p.line}: ") for p in problems[1:])
    assert str(problems[2]).endswith("Did you mean 'channel'?")
    assert 'must be one of "inside", "skip", "error", not "all"' in str(problems[5])
    assert str(problems[0]) == 'DBK_DISPLAY_ROWS: must be a whole number of rows, 1 or more, not "many"'


def test_the_joint_error_shows_each_message_and_hint(project):
    file = project('[tool.jupyter-databricks-kernel]\nchanel = "auto"\nclusterid = "x"\n')

    with pytest.raises(SettingsError) as caught:
        load(cwd=file.parent, env=NO_FILES)

    text = str(caught.value)
    assert text.startswith("2 problems in the settings:\n")
    assert "Did you mean 'channel'?" in text
    assert "Did you mean 'cluster_id'?" in text


@pytest.mark.parametrize(
    "line",
    [
        "display_rows = true",
        "display_rows = 0",
        "display_rows = 1.5",
        "start_timeout_s = inf",
        "start_timeout_s = nan",
        "start_timeout_s = 0",
        'cluster_id = ""',
        'cluster_id = "https://x/#/clusters/1"',
        "sync.enabled = 1",
        "sync.exclude = [1]",
        'sync.volume = "/Volumes/main/default"',
        'sync.volume = "/Volumes/a/b/c/../d"',
        'sync.extract_to = "here"',
        'sync.extract_to = "/a/../b"',
        'sync.store = "s3"',
        'sync.store = "volume"',
    ],
)
def test_a_value_out_of_range_is_refused_with_its_line(project, line):
    file = project(f"[tool.jupyter-databricks-kernel]\n\n{line}\n")

    (problem,) = problems_of(file.parent)

    assert isinstance(problem, InvalidValue)
    assert (problem.file, problem.line) == (file, 3)


@pytest.mark.parametrize("name", ["token", "host", "config_file"])
def test_a_token_and_its_destination_are_refused_in_pyproject(project, name):
    file = project(f'[tool.jupyter-databricks-kernel]\n{name} = "dapi-very-secret"\n')

    (problem,) = problems_of(file.parent)

    assert isinstance(problem, MisplacedSetting)
    assert problem.line == 2
    assert "dapi-very-secret" not in str(problem)


def test_a_file_that_is_not_toml_is_reported_with_line_and_column(project):
    file = project('[project]\nname = "x\n')

    (problem,) = problems_of(file.parent)

    assert isinstance(problem, UnreadableFile)
    assert f"{file}:2: not valid TOML" in str(problem)
    assert "(line 2, column 10)" in str(problem)


def test_a_file_that_is_not_utf8_is_reported_with_its_line(project):
    file = project("")
    file.write_bytes(b"[project]\nname = '\xff'\n")

    (problem,) = problems_of(file.parent)

    assert str(problem) == f"{file}:2: not UTF-8 text\nSave the file as UTF-8."


def test_our_table_must_be_a_table(project):
    file = project("[tool]\njupyter-databricks-kernel = 1\n")

    (problem,) = problems_of(file.parent)

    assert str(problem) == f"{file}:2: tool.jupyter-databricks-kernel: must be a table"


def test_an_unknown_argument_is_refused(tmp_path):
    (problem,) = problems_of(tmp_path, clusterid="x")

    assert isinstance(problem, UnknownSetting)
    assert problem.hint == "Did you mean 'cluster_id'?"


def test_arguments_may_be_typed_or_text(tmp_path):
    arguments = {"sync.exclude": ["a", "b"], "sync.enabled": "no", "display_rows": 7, "start_timeout_s": "1.5"}

    settings = load(cwd=tmp_path, env=NO_FILES, arguments=arguments)

    assert settings.sync.exclude == ("a", "b")
    assert (settings.sync.enabled, settings.display_rows, settings.start_timeout_s) == (False, 7, 1.5)


def test_a_list_in_the_environment_has_commas_or_is_json(tmp_path):
    def exclude(text):
        return load(cwd=tmp_path, env=NO_FILES | {"DBK_SYNC_EXCLUDE": text}).sync.exclude

    assert exclude("*.log, data/") == ("*.log", "data/")
    assert exclude('["a,b", "c"]') == ("a,b", "c")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("adb-1.azuredatabricks.net", "https://adb-1.azuredatabricks.net"),
        ("https://x.cloud.databricks.com/", "https://x.cloud.databricks.com"),
        ("https://x.cloud.databricks.com/?o=123#setting/clusters", "https://x.cloud.databricks.com"),
        ("https://x.cloud.databricks.com/browse/folders?o=1", "https://x.cloud.databricks.com"),
        ("https://x.cloud.databricks.com:443", "https://x.cloud.databricks.com"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://[::1]:8123/", "http://[::1]:8123"),
        ("localhost:8080", "https://localhost:8080"),
    ],
)
def test_a_host_is_made_a_base_address(tmp_path, given, normal):
    settings = load(cwd=tmp_path, env=NO_FILES | {"DATABRICKS_HOST": given})

    assert settings.host == normal


@pytest.mark.parametrize("host", ["ftp://x", "https://", "a b", "https://user:dapi123@x.example.com"])
def test_a_host_that_is_none_is_refused(tmp_path, host):
    (problem,) = problems_of(tmp_path, NO_FILES | {"DATABRICKS_HOST": host})

    assert problem.name == "host"
    assert "dapi123" not in str(problem)


def test_a_profile_gives_host_token_and_cluster_with_their_lines(tmp_path, profiles):
    env = profiles("[DEFAULT]\nhost = a\n\n[dev]\nhost: b.example.com\ntoken = dapi1\ncluster_id=0-1\njobs-api = 2\n")

    settings = load(cwd=tmp_path, env=env, arguments={"profile": "dev"})

    assert (settings.host, settings.cluster_id) == ("https://b.example.com", "0-1")
    assert settings.token == Secret("dapi1")
    assert [settings.origin(name).line for name in ("host", "token", "cluster_id")] == [5, 6, 7]


def test_a_profile_may_be_named_by_the_project(project, profiles):
    env = profiles("[DEFAULT]\nhost = a\n[dev]\nhost = b\ntoken = dapi1\n")
    cwd = project('[tool.jupyter-databricks-kernel]\nprofile = "dev"\n').parent

    assert load(cwd=cwd, env=env).host == "https://b"


def test_the_default_section_is_not_mixed_into_a_profile(tmp_path, profiles):
    env = profiles("[DEFAULT]\nhost = a\ntoken = dapi1\n[dev]\nhost = b\n")

    assert load(cwd=tmp_path, env=env | {"DATABRICKS_CONFIG_PROFILE": "dev"}).token is None


def test_the_default_profile_is_used_when_none_is_named(tmp_path, profiles):
    env = profiles("[DEFAULT]\nhost = a\ntoken = dapi%1\n")

    settings = load(cwd=tmp_path, env=env)

    assert (settings.host, settings.profile) == ("https://a", "DEFAULT")
    assert settings.token == Secret("dapi%1")


def test_the_files_own_choice_of_profile_is_followed(tmp_path, profiles):
    env = profiles("[__settings__]\ndefault_profile = dev\n[DEFAULT]\nhost = a\n[dev]\nhost = b\n")

    settings = load(cwd=tmp_path, env=env)

    assert (settings.host, settings.profile) == ("https://b", "dev")


@pytest.mark.parametrize("variable", ["DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID"])
def test_the_file_is_left_alone_when_the_environment_authenticates(tmp_path, profiles, variable):
    env = profiles("[DEFAULT]\nhost = a\ncluster_id = c\n")

    settings = load(cwd=tmp_path, env=env | {variable: "x"})

    assert settings.cluster_id is None
    assert f"{variable} is set and no profile is named" in settings.notes[0]


def test_a_missing_profile_is_an_error_that_names_those_there_are(tmp_path, profiles):
    env = profiles("[dev]\nhost = a\n[prod]\nhost = b\n")

    (problem,) = problems_of(tmp_path, env | {"DATABRICKS_CONFIG_PROFILE": "stage"})

    assert isinstance(problem, ProfileNotFound)
    assert "has no profile 'stage' (named by environment DATABRICKS_CONFIG_PROFILE)" in problem.message
    assert "It has: dev, prod." in problem.hint


def test_a_named_profile_needs_its_file(tmp_path):
    env = {"DATABRICKS_CONFIG_FILE": str(tmp_path / "none"), "DATABRICKS_CONFIG_PROFILE": "dev"}

    (problem,) = problems_of(tmp_path, env)

    assert isinstance(problem, ProfileNotFound)
    assert "does not exist" in str(problem)


@pytest.mark.parametrize(
    "text", ["token = dapi-very-secret\n", "[a]\ndapi-very-secret\n", "[a]\nx=1\nx=2\n", "[a]\n[a]\n"]
)
def test_a_broken_configuration_file_is_reported_without_its_text(tmp_path, profiles, text):
    (problem,) = problems_of(tmp_path, profiles(text))

    assert isinstance(problem, UnreadableFile)
    assert problem.line in (1, 2, 3)
    assert "dapi-very-secret" not in str(problem)


def test_the_home_folder_of_the_environment_has_the_configuration_file(tmp_path):
    (tmp_path / ".databrickscfg").write_text("[DEFAULT]\nhost = a\n")

    assert load(cwd=tmp_path, env={"HOME": str(tmp_path)}).host == "https://a"


@pytest.mark.parametrize("token", ["dapi secret", "dapi\x00secret", "dapi\nsecret", "däpi-secret"])
def test_a_malformed_token_is_refused_without_being_shown(tmp_path, token):
    (problem,) = problems_of(tmp_path, NO_FILES | {"DATABRICKS_TOKEN": token})

    assert "DATABRICKS_TOKEN: must be" in str(problem)
    assert "secret" not in str(problem)


def test_lines_are_found_however_the_table_is_written(project):
    file = project(
        '# [tool.jupyter-databricks-kernel]\r\nnote = """\r\n[tool.jupyter-databricks-kernel]\r\ncluster_id = 1 """\r\n'
        '[ tool . "jupyter-databricks-kernel" ] # ours\r\n'
        'sync.exclude = [ # ]\r\n  \'a\', """b""",\r\n]\r\n'
        "'cluster_id' = '#'\r\n"
    )

    settings = load(cwd=file.parent, env=NO_FILES)

    assert settings.sync.exclude == ("a", "b")
    assert settings.origin("sync.exclude").line == 6
    assert settings.origin("cluster_id").line == 9


def test_an_inline_table_has_the_line_it_is_on(project):
    file = project('[tool]\njupyter-databricks-kernel = { cluster_id = "a", sync = { inline = false } }\n')

    settings = load(cwd=file.parent, env=NO_FILES)

    assert settings.origin("sync.inline").line == 2
