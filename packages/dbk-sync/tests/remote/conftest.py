"""Trees as dicts, packs of their differences, and a receiver whose roots lie in a temporary directory."""

import hashlib
import os
import secrets
import stat

import pytest
from dbk_sync._manifest import Entry, Manifest, difference
from dbk_sync._pack import pack
from dbk_sync._plan import Plan
from dbk_sync.driver import _receive, _roots
from dbk_sync.driver._tree import CONTROL

USER = "someone@example.com"


class Link(bytes):
    """Content of a tree dict that stands for a link to these bytes."""


class Script(bytes):
    """Content of a tree dict that stands for an executable file."""


def manifest_of(tree):
    def entry(path, content):
        mode = "link" if isinstance(content, Link) else "755" if isinstance(content, Script) else "644"
        return Entry(path, mode, len(content), hashlib.sha256(content).digest())

    return Manifest.of(entry(path, content) for path, content in tree.items())


def pack_of(base, new):
    """The pack from one tree dict (None: from nothing) to another."""
    old = None if base is None else manifest_of(base)
    manifest = manifest_of(new)
    plan = Plan(b"/nowhere", old, manifest, difference(old, manifest))
    return b"".join(pack(plan, lambda entry: [bytes(new[entry.path])]))


def read_tree(root):
    """What lies at `root` as a tree dict, without the receiver's own directory."""
    root = os.fsencode(root)
    found = {}
    for folder, folders, names in os.walk(root):
        if os.path.relpath(folder, root) == os.path.dirname(CONTROL):
            folders[:] = []
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
    (tmp_path / "disk").mkdir()
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
