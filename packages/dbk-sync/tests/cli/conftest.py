"""The command in this process, on an embedded workspace."""

import json
import os

import pytest
from dbk_local import Workspace
from dbk_sync._cli import main
from dbk_sync._http import Http
from dbk_sync._stores import store_of


class Ran:
    """What one run of the command did: exit code, both streams, and the requests it made."""

    def __init__(self, code, out, err, requests):
        self.code, self.out, self.err, self.requests = code, out, err, requests

    @property
    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def event(self, kind):
        return next(event for event in self.events if event["type"] == kind)


@pytest.fixture(scope="session")
def running_workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    with Workspace(spark=False, folder=folder) as workspace:
        workspace.folder = folder
        yield workspace


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A project directory that is the current one, and no setting from anywhere."""
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "DBK_", "GITHUB_", "GITLAB_", "CI", "TF_BUILD", "AGENT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "project"
    source.mkdir()
    monkeypatch.chdir(source)
    return source


@pytest.fixture
def workspace(running_workspace, alone, monkeypatch):
    """The workspace, by the two variables that name it; no faults, no requests so far."""
    monkeypatch.setenv("DATABRICKS_HOST", running_workspace.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", running_workspace.token)
    running_workspace.clear_faults()
    running_workspace.clear_requests()
    return running_workspace


@pytest.fixture
def project(alone):
    """Where `write` writes."""
    return alone


@pytest.fixture
def dbk_sync(capfd, running_workspace, request):
    """A function that runs the command with these words."""

    def run(*words):
        capfd.readouterr()
        seen = 0
        if "workspace" in request.fixturenames:
            running_workspace.clear_requests()
            seen = 1
        code = main([*map(str, words)])
        out, err = capfd.readouterr()
        found = [f"{one.method} {one.path}" for one in running_workspace.requests()] if seen else []
        return Ran(code, out, err, found)

    return run


TARGETS = {
    "dbfs": ("dbfs:/ci/{name}", ()),
    "volume": ("/Volumes/main/default/files/{name}", ()),
    "workspace": ("/Workspace/Users/dev@example.com/{name}", ()),
    "dbfs files": ("dbfs:/ci/{name}", ("--layout", "files")),
    "volume packs": ("/Volumes/main/default/files/{name}", ("--layout", "packs")),
}


class Target:
    """A target of its own for one test; `words` name it on the command line."""

    def __init__(self, workspace, text, options, packed):
        self.text = text
        self.options = options
        self.words = (text, *options)
        self.packed = packed
        self._path = text.removeprefix("dbfs:")
        self._http = Http(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"})
        self.store = store_of(self._path, self._http)

    def files(self, *, dirs=False):
        """What lies there as a dict of text path to bytes, without the directory of ours.

        Where `dirs` is true, directories without anything are in it, with None.
        """
        found = {}

        def look(folder):
            listed = list(self.store.list(f"{self._path}/{folder}".rstrip("/")))
            if dirs and folder and not listed:
                found[folder] = None
            for one in listed:
                path = f"{folder}/{one.name}".lstrip("/")
                if path == ".databricks":
                    continue
                if one.is_dir:
                    look(path)
                else:
                    found[path] = self.store.get(f"{self._path}/{path}")

        look("")
        return found

    def get(self, name):
        return self.store.get(f"{self._path}/{name}")

    def put(self, name, content):
        from dbk_sync._bodies import Bytes

        self.store.put(f"{self._path}/{name}", Bytes(content))

    def remove_dir(self, name):
        assert self.store.remove_dir(f"{self._path}/{name}")

    def delete(self, name):
        self.store.delete(f"{self._path}/{name}")

    def names(self, folder):
        return sorted(one.name for one in self.store.list(f"{self._path}/{folder}"))


@pytest.fixture
def target_of(workspace, request):
    """A function that gives a fresh target of a kind (a key of TARGETS)."""

    def make(kind):
        text, options = TARGETS[kind]
        name = f"t{abs(hash(request.node.nodeid)) % 10**9}"
        return Target(workspace, text.format(name=name), options, "packs" in kind or kind == "dbfs")

    return make


@pytest.fixture(params=TARGETS)
def target(request, target_of):
    """A fresh target of each kind."""
    return target_of(request.param)
