"""Trees as dicts, packs of their differences, and a receiver whose roots lie in a temporary directory.

In a tree dict None stands for a directory without anything.
"""

import hashlib
import json
import os
import secrets
import stat
import subprocess
import sys
import tempfile
import time

import pytest
from dbk_config import Secret, Settings, SyncSettings
from dbk_local import Workspace
from dbk_sync import _sync
from dbk_sync._delta import difference
from dbk_sync._entry import Entry, directory
from dbk_sync._http import Http
from dbk_sync._manifest import Manifest
from dbk_sync._pack import pack
from dbk_sync._pack_header import to_reuse
from dbk_sync._plan import Plan
from dbk_sync.driver import _receive, _roots
from dbk_sync.driver._names import CONTROL

USER = "someone@example.com"


class Link(bytes):
    """Content of a tree dict that stands for a link to these bytes."""


class Script(bytes):
    """Content of a tree dict that stands for an executable file."""


def manifest_of(tree):
    def entry(path, content):
        if content is None:
            return directory(path)
        mode = "link" if isinstance(content, Link) else "755" if isinstance(content, Script) else "644"
        return Entry(path, mode, len(content), hashlib.sha256(content).digest())

    return Manifest.of(entry(path, content) for path, content in tree.items())


def pack_of(base, new):
    """The pack from one tree dict (None: from nothing) to another."""
    old = None if base is None else manifest_of(base)
    manifest = manifest_of(new)
    plan = Plan(b"/nowhere", old, manifest, difference(old, manifest))
    return b"".join(
        pack(plan, lambda entry: [] if new[entry.path] is None else [bytes(new[entry.path])], reuse=to_reuse(plan))
    )


def read_tree(root, *, dirs=False):
    """What lies at `root` as a tree dict, without the receiver's own directory and what Python compiled by itself.

    Directories without anything are in it where `dirs` is true.
    """
    root = os.fsencode(root)
    found = {}
    for folder, folders, names in os.walk(root):
        if dirs and not folders and not names and folder != root:
            found[os.path.relpath(folder, root)] = None
        if os.path.relpath(folder, root) == os.path.dirname(CONTROL):
            folders[:] = []
            continue
        if "__pycache__" in os.fsdecode(folder).split(os.sep):
            continue
        for name in names + [one for one in folders if os.path.islink(os.path.join(folder, one))]:
            whole = os.path.join(folder, name)
            path = os.path.relpath(whole, root)
            if os.path.islink(whole):
                found[path] = Link(os.readlink(whole))
                continue
            with open(whole, "rb") as file:
                content = file.read()
            found[path] = Script(content) if os.stat(whole).st_mode & stat.S_IXUSR else content
    return found


class Bench:
    """A receiver with one session, and what is asked of it."""

    def __init__(self, extract_to="driver", disk=None, session=None):
        self.receiver = _receive.Receiver(disk)
        self.session = session or secrets.token_hex(8)
        self.extract_to = extract_to

    def ask(self, op, data=b"", **more):
        request = {
            "op": op,
            "session": self.session,
            "extract_to": self.extract_to,
            "user": USER,
            "project": "my project",
        }
        return self.receiver.answer({**request, **more}, data)

    def apply(self, base, new):
        return self.ask("apply", pack_of(base, new), source={"kind": "inline"})

    def let_go(self):
        """What the end of the interpreter does to its locks."""
        self.receiver._let_go(self.session)


@pytest.fixture
def roots(tmp_path, monkeypatch):
    """The driver's disk and the workspace's users, in a temporary directory; search path and cwd are restored."""
    for name in ("disk", "temp"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "users" / USER).mkdir(parents=True)
    monkeypatch.setattr(_roots, "LOCAL_DISKS", (os.fsencode(tmp_path / "disk"),))
    monkeypatch.setattr(_roots, "WORKSPACE", os.fsencode(tmp_path / "users"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def bench(roots):
    made = []

    def make(**options):
        made.append(Bench(**options))
        return made[-1]

    yield make
    for one in made:
        one.let_go()


@pytest.fixture
def tools():
    """The functions above, since test modules cannot import one another."""

    class Tools:
        pass

    Tools.Link, Tools.Script = Link, Script
    Tools.manifest_of, Tools.pack_of, Tools.read_tree = map(staticmethod, (manifest_of, pack_of, read_tree))
    return Tools


class Interpreter:
    """A context of an embedded workspace as a `Driver`, by plain requests. `mounts` stands for the driver's `/`."""

    def __init__(self, workspace, mounts):
        self.mounts = mounts
        self.texts = []
        self._workspace = workspace
        self._http = Http(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"})
        self.open()

    def open(self):
        """A new context, as after a restart of the kernel."""
        self.id = self._post("contexts/create", clusterId=self._workspace.cluster_id, language="python")["id"]

    def run(self, code):
        """What a session does for a sync; the receiver is pointed to the mounts, so that they need no privilege."""
        self.texts.append(code)
        if code.startswith("exec("):
            code = code.replace("\n", _MOUNTED.format(root=str(self.mounts)), 1)
        return self.execute(code)

    def execute(self, code):
        """Runs a command and gives its text."""
        command = self._post("commands/execute", **self._ids(), language="python", command=code)["id"]
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            query = {**self._ids(), "commandId": command}
            answer = self._http.request("GET", "/api/1.2/commands/status", query=query).check().json
            if answer["status"] in ("Finished", "Error", "Cancelled"):
                assert answer["results"]["resultType"] == "text", answer
                return answer["results"]["data"]
            time.sleep(0.01)
        raise AssertionError("the command does not end")

    def destroy(self):
        """Ends the context."""
        self._post("contexts/destroy", clusterId=self._workspace.cluster_id, contextId=self.id)
        self._http.close()

    def _ids(self):
        return {"clusterId": self._workspace.cluster_id, "contextId": self.id}

    def _post(self, name, **arguments):
        return self._http.request("POST", f"/api/1.2/{name}", json=arguments).check().json


_MOUNTED = """
_dbk = __import__("sys").modules["_dbk_sync"]
_dbk._source.ROOT = {root!r}
_dbk._roots.WORKSPACE = {root!r}.encode() + b"/Workspace/Users"
_dbk._roots.LOCAL_DISKS = ({root!r}.encode() + b"/disk",)
"""


_LOOP = """
import contextlib, io, json, sys
for line in sys.stdin:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(json.loads(line), {"__name__": "__main__"})
    print(json.dumps(printed.getvalue()), flush=True)
"""


class Child(Interpreter):
    """A Python process of its own as a `Driver`, without a workspace in between: for very many commands."""

    def __init__(self, mounts):
        self.mounts = mounts
        self.texts = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def execute(self, code):
        print(json.dumps(code), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def destroy(self):
        self._process.kill()
        self._process.communicate()


class Place:
    """An embedded workspace and, at `root`, the directories its drivers see: `dbfs`, `Workspace`, `Volumes`, `disk`."""

    def __init__(self, workspace, root):
        self.workspace = workspace
        self.root = root
        self.volume = "/Volumes/main/default/files"

    def remote_files(self):
        """Everything that lies in the workspace's stores and on the driver's disk."""
        found = []
        for top in ("dbfs", "Workspace", "Volumes", "disk"):
            for folder, _, names in os.walk(self.root / top, followlinks=True):
                found += [os.path.relpath(os.path.join(folder, name), self.root) for name in names]
        return sorted(found)

    def sync_requests(self):
        """`METHOD path` of the requests so far that are not commands, in order."""
        return [f"{one.method} {one.path}" for one in self.workspace.requests() if not one.path.startswith("/api/1.2/")]


@pytest.fixture(scope="session")
def running_place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    root = tmp_path_factory.mktemp("driver")
    (root / "disk").mkdir()
    for name in ("dbfs", "workspace", "volumes"):
        (folder / name).mkdir(exist_ok=True)
        (root / {"workspace": "Workspace", "volumes": "Volumes"}.get(name, name)).symlink_to(folder / name)
    with Workspace(spark=False, folder=folder) as workspace:
        yield Place(workspace, root)


@pytest.fixture
def place(running_place):
    """The workspace of this test session, as new."""
    for path in running_place.remote_files():
        os.unlink(running_place.root / path)
    running_place.workspace.clear_faults()
    running_place.workspace.clear_requests()
    return running_place


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A source directory, and an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "my project"
    source.mkdir()
    return source


@pytest.fixture
def interpreter(place):
    """A function that makes contexts, which end with the test."""
    made = []

    def make(mounts=None):
        made.append(Interpreter(place.workspace, mounts or place.root))
        return made[-1]

    yield make
    for one in made:
        one.destroy()


@pytest.fixture
def child(place):
    """A function that makes Python processes, which end with the test."""
    made = []

    def make():
        made.append(Child(place.root))
        return made[-1]

    yield make
    for one in made:
        one.destroy()


@pytest.fixture
def synced(place, project, interpreter):
    """A function that makes a `Sync` of the project; `notices` of it hears what the user would."""
    made = []

    def make(driver=None, folder=None, **settings):
        notices = []
        one = _sync.Sync(
            Settings(
                host=place.workspace.host,
                token=Secret(place.workspace.token),
                cluster_id=place.workspace.cluster_id,
                project_dir=project,
                sync=SyncSettings(**settings),
            ),
            driver=driver or interpreter(),
            notify=notices.append,
            folder=project / folder if folder else None,
        )
        one.notices = notices
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()
