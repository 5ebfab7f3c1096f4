"""A project and an interpreter on an embedded workspace: what arrives, by which requests, and what is left."""

import base64
import json
import os
import random
import time
from dataclasses import replace

import pytest
from dbk_sync import _packing, _parts, _transfer, pack
from dbk_sync.errors import (
    ChangedWhileReadingError,
    NameCollisionError,
    ReceiverError,
    RequestError,
    UnreadableFilesError,
    UploadError,
)

SMALL = {"a.py": b"a = 1\n", "pkg/__init__.py": b"", "pkg/b.py": b"b = 2\n"}
BIG = {"big.bin": random.Random(1).randbytes(1_800_000), **SMALL}
ME = "GET /api/2.0/preview/scim/v2/Me"


def as_tree(files):
    return {path.encode(): content for path, content in files.items() if content is not None}


@pytest.fixture
def started(place, synced, interpreter):
    """A function that makes a Sync whose interpreter is up, with the request log emptied afterwards."""

    def start(mounts=None, **settings):
        sync = synced(interpreter(mounts), **settings)
        place.workspace.clear_requests()
        return sync

    return start


def texts_of(sync):
    return sync._far.receiver._driver.texts


def test_a_small_project_travels_in_one_command(place, write, started, tools):
    write(SMALL)
    sync = started()

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path) == as_tree(SMALL)
    assert place.sync_requests() == [ME]
    assert len(texts_of(sync)) == 1
    assert (reply.store, reply.where, reply.written) == ("inline", "workspace", 3)
    assert sync.path == reply.path
    assert sync.plan().is_empty


def test_the_interpreter_is_in_the_tree_and_imports_from_it(write, started):
    write({**SMALL, "uses.py": b"from pkg.b import b\nvalue = b * 21\n"})
    sync = started()
    reply = sync.push(sync.plan())

    seen = sync._far.receiver._driver.execute("import os, uses; print(os.getcwd()); print(uses.value)")

    assert seen.splitlines() == [os.path.realpath(reply.path), "42"]


def test_code_runs_in_its_folder_and_imports_from_there_and_from_the_root(write, started):
    write({**SMALL, "sub/deep/near.py": b"near = 1\n", "sub/deep/pkg_like.txt": b"text"})
    sync = started(folder="sub/deep")
    reply = sync.push(sync.plan())

    seen = sync._far.receiver._driver.execute(
        "import os, sys, near, pkg.b; print(os.getcwd()); print(sys.path[:2]); print(open('pkg_like.txt').read())"
    )

    inner = f"{reply.path}/sub/deep"
    assert seen.splitlines() == [os.path.realpath(inner), str([inner, reply.path]), "text"]


def test_a_folder_that_is_not_sent_is_the_root_of_the_project(write, started, place):
    write(SMALL)
    sync = started(folder="not/there")
    reply = sync.push(sync.plan())

    assert sync._far.receiver._driver.execute("import os; print(os.getcwd())") == os.path.realpath(reply.path)


def test_ipython_takes_the_project_for_the_folder_that_it_began_in(write, started):
    write(SMALL)
    sync = started()
    reply = sync.push(sync.plan())

    seen = sync._far.receiver._driver.execute("import os\n%cd -q /\n%cd -q -\nprint(os.getcwd())")

    assert seen == os.path.realpath(reply.path)


def test_an_edit_travels_alone_and_names_the_modules_to_reload(place, write, started, tools):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())
    sync._far.receiver._driver.execute("import pkg.b")
    write({"pkg/b.py": b"b = 3\n", "a.py": None})
    place.workspace.clear_requests()

    reply = sync.push(sync.plan())

    assert (reply.written, reply.deleted, reply.changed_modules) == (1, 1, ("pkg.b",))
    assert tools.read_tree(reply.path) == as_tree({**SMALL, "pkg/b.py": b"b = 3\n", "a.py": None})
    assert place.sync_requests() == []
    assert len(texts_of(sync)) == 2
    assert len(texts_of(sync)[1]) < 2_000


def test_folders_without_files_and_times_of_files_arrive_when_asked_for(write, started, project, tools):
    write({"a.py": b"a = 1\n"})
    (project / "out/deep").mkdir(parents=True)
    os.utime(project / "a.py", ns=(0, 1_000_000_000_123_456_789))
    sync = started(keep_empty_dirs=True, preserve_times=True)

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path, dirs=True) == {b"a.py": b"a = 1\n", b"out/deep": None}
    assert os.stat(f"{reply.path}/a.py").st_mtime_ns == 1_000_000_000_123_456_789
    assert sync.plan().is_empty


def test_a_renamed_file_travels_by_its_name_alone(place, write, started, tools):
    write(BIG)
    sync = started()
    sync.push(sync.plan())
    write({"big.bin": None, "data/renamed.bin": BIG["big.bin"]})
    place.workspace.clear_requests()

    reply = sync.push(sync.plan())

    assert (reply.written, reply.deleted, reply.store) == (1, 1, "inline")
    assert reply.sent_bytes < 1000
    assert place.sync_requests() == []
    renamed = {path: content for path, content in BIG.items() if path != "big.bin"}
    assert tools.read_tree(reply.path) == as_tree({**renamed, "data/renamed.bin": BIG["big.bin"]})


def test_an_edit_among_ten_thousand_files_is_asked_for_nothing_but_travels_with_the_cell(place, write, synced, child):
    write(SMALL)
    sync = synced(child())
    reply = sync.push(sync.plan())
    write({f"d{number // 100}/m{number}.py": b"" for number in range(10_000)})
    large = sync.plan()
    sync.acknowledge(large, replace(reply, tree=large.manifest.tree))  # as if it had arrived, which takes its time
    write({"d7/m700.py": b"changed = True\n"})
    place.workspace.clear_requests()
    commands = len(texts_of(sync))

    plan = sync.plan()
    attached = sync.attachment(plan)

    assert [entry.path for entry in plan.puts] == [b"d7/m700.py"]
    assert attached is not None
    assert len(json.dumps(attached)) < 1_000
    assert place.workspace.requests() == []
    assert len(texts_of(sync)) == commands


def test_nothing_is_asked_when_nothing_has_changed(place, write, started):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())
    place.workspace.clear_requests()

    reply = sync.push(sync.plan())

    assert place.workspace.requests() == []
    assert (reply.written, reply.sent_bytes, reply.path) == (0, 0, sync.path)


@pytest.fixture
def small_parts(monkeypatch):
    """What is 1.8 MB goes in three parts, as 7 MB would."""
    monkeypatch.setattr(_parts, "FIRST_BYTES", 500_000)


STORES = {
    "dbfs": ["POST /api/2.0/dbfs/put"] * 3,
    "volume": ["PUT /api/2.0/fs/files/Volumes/main/default/files/"] * 3,
    "workspace": ["POST /api/2.0/workspace/mkdirs", *["POST /api/2.0/workspace-files/import-file/Users/"] * 3],
    "command": [],
}


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("store", STORES)
def test_a_large_project_goes_through_the_chosen_store_and_leaves_nothing_there(place, write, started, tools, store):
    write(BIG)
    sync = started(store=store, volume=place.volume)

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path) == as_tree(BIG)
    assert reply.store == store
    seen = place.sync_requests()
    assert seen.pop(0) == ME
    assert len(seen) == len(STORES[store])
    assert all(one.startswith(start) for one, start in zip(seen, STORES[store], strict=True))
    # The receiver, the pack; pieces of 640 KiB where they are all that there is.
    assert len(texts_of(sync)) == (2 if store != "command" else 2 + 3)
    assert not [one for one in place.remote_files() if one.endswith(".pack")]
    sync.close()
    assert place.remote_files() == []
    assert sync.notices == []


@pytest.mark.parametrize("store", ["dbfs", "volume", "workspace"])
def test_a_pack_is_sent_once_as_it_is(place, write, started, store):
    write(BIG)
    sync = started(store=store, volume=place.volume)

    reply = sync.push(sync.plan())

    largest = max(place.workspace.requests(), key=lambda one: one.bytes_in)
    assert 1_800_000 < reply.sent_bytes < 1_802_000
    assert reply.sent_bytes <= largest.bytes_in <= reply.sent_bytes + 600
    assert sum(one.bytes_in for one in place.workspace.requests()) < reply.sent_bytes + 150_000


def pushed_with_progress(sync):
    """What a push answers, and the progress that it tells: bytes sent, bytes in all."""
    told = []
    sync._progress = lambda sent, total: told.append((sent, total))
    return sync.push(sync.plan()), told


def test_progress_is_told_up_to_the_last_byte(write, started):
    write(BIG)

    reply, told = pushed_with_progress(started())

    assert told[-1] == (reply.sent_bytes, reply.sent_bytes)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)


@pytest.mark.usefixtures("small_parts")
def test_progress_of_several_parts_is_one(write, started):
    write(BIG)

    reply, told = pushed_with_progress(started())

    assert told[-1] == (reply.sent_bytes, reply.sent_bytes)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert all(sent <= total for sent, total in told)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("failure", ["refused", "broken", "interrupted"])
def test_parts_are_removed_when_one_of_them_cannot_be_sent(place, write, started, tools, failure, monkeypatch):
    write(BIG)
    sync = started()
    monkeypatch.setattr(_parts, "FIRST_BYTES", 100_000)  # six parts, some of which still wait for their turn
    monkeypatch.setattr(_transfer, "_PATIENCE_S", 1000.0)

    if failure == "refused":
        place.workspace.fault(
            "POST /api/2.0/dbfs/put", "status", status=403, code="PERMISSION_DENIED", message="no", after=1, times=None
        )
        reply = sync.push(sync.plan())
        assert reply.store == "workspace"
        assert tools.read_tree(reply.path) == as_tree(BIG)
    elif failure == "broken":
        place.workspace.fault("POST /api/2.0/dbfs/put", "status", status=409, code="ODD", message="no", after=2)
        with pytest.raises(RequestError, match="no"):
            sync.push(sync.plan())
    else:

        def interrupt(sent, _total):
            if sent > 300_000:
                raise KeyboardInterrupt

        sync._progress = interrupt
        with pytest.raises(KeyboardInterrupt):
            sync.push(sync.plan())

    place.workspace.clear_faults()
    assert [one for one in place.remote_files() if one.startswith("dbfs/")] == []
    sync._progress = None
    assert tools.read_tree(sync.push(sync.plan()).path or sync.path) == as_tree(BIG)


@pytest.mark.usefixtures("small_parts")
def test_a_file_that_changes_when_parts_have_gone_changes_nothing_there(place, write, started, tools, monkeypatch):
    write(SMALL)
    sync = started()
    path = sync.push(sync.plan()).path
    write(BIG)

    def until_one_has_gone(*given, **options):
        pieces = list(pack(*given, **options))
        yield from pieces[:-1]
        deadline = time.monotonic() + 60
        while not any(one.path == "/api/2.0/dbfs/put" for one in place.workspace.requests()):
            assert time.monotonic() < deadline
        raise ChangedWhileReadingError("big.bin changed while it was being sent.")

    with monkeypatch.context() as patched:
        patched.setattr(_packing, "pack", until_one_has_gone)
        with pytest.raises(ChangedWhileReadingError):
            sync.push(sync.plan())

    assert tools.read_tree(path) == as_tree(SMALL)
    assert [one for one in place.remote_files() if one.startswith("dbfs/")] == []
    assert sync.push(sync.plan()).written == 1
    assert tools.read_tree(path) == as_tree(BIG)


def test_a_pack_larger_than_a_block_goes_by_blocks_where_posted_files_are_refused(place, write, started, tools):
    write(BIG)
    sync = started()
    place.workspace.fault("POST /api/2.0/dbfs/put", "status", status=415, times=None)

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path) == as_tree(BIG)
    assert [one.rpartition("/")[2] for one in place.sync_requests()] == [
        *("Me", "put", "create", "add-block", "add-block", "close")
    ]


@pytest.mark.usefixtures("small_parts")
def test_posted_files_are_tried_once_where_they_are_refused(place, write, started, tools):
    write(BIG)
    sync = started()
    place.workspace.fault("POST /api/2.0/dbfs/put", "status", status=415, times=None)

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path) == as_tree(BIG)
    assert sum(one.endswith("/put") for one in place.sync_requests()) == 1


def test_disabled_dbfs_is_said_once_and_the_next_store_is_used(place, write, started, tools):
    write(BIG)
    place.workspace.set_options(dbfs="disabled")
    try:
        sync = started(volume=place.volume)
        first = sync.push(sync.plan())
        write({"big.bin": random.Random(2).randbytes(1_800_000)})
        second = sync.push(sync.plan())
    finally:
        place.workspace.set_options(dbfs="enabled")

    assert first.store == second.store == "volume"
    assert len(sync.notices) == 1
    assert sync.notices[0].startswith("DBFS is disabled in this workspace")
    assert sync.notices[0].endswith("Using the volume instead.")
    assert tools.read_tree(second.path) != as_tree(BIG)


def test_a_refused_dbfs_is_named_as_such(place, write, started):
    write(BIG)
    sync = started()
    place.workspace.fault(
        "POST /api/2.0/dbfs/*", "status", status=403, code="PERMISSION_DENIED", message="no rights", times=None
    )

    reply = sync.push(sync.plan())

    assert reply.store == "workspace"
    assert sync.notices[0].startswith("Permission denied on DBFS: no write access to dbfs:/tmp/dbk-sync-")
    assert "Using workspace files instead." in sync.notices[0]


def test_a_driver_without_dbfs_is_not_sent_a_pack_there(place, write, started, tools, tmp_path):
    write(BIG)
    mounts = tmp_path / "mounts"
    mounts.mkdir()
    for name in ("Workspace", "Volumes", "disk"):
        (mounts / name).symlink_to(place.root / name)
    sync = started(mounts)

    reply = sync.push(sync.plan())

    assert reply.store == "workspace"
    assert not [one for one in place.sync_requests() if "/dbfs/" in one]
    assert sync.notices == ["The driver cannot read DBFS: this cluster has no /dbfs. Using workspace files instead."]
    assert tools.read_tree(reply.path) == as_tree(BIG)


def test_a_store_the_driver_cannot_read_is_left_and_emptied(place, write, started, tools, tmp_path):
    write(BIG)
    mounts = tmp_path / "mounts"
    (mounts / "Workspace" / "Users").mkdir(parents=True)
    (mounts / "disk").mkdir()
    sync = started(mounts, store="volume", volume=place.volume, extract_to="driver")

    reply = sync.push(sync.plan())

    assert reply.store == "command"
    assert [notice.partition(":")[0] for notice in sync.notices] == ["The driver cannot read the uploaded pack"] * 2
    assert [notice.rpartition(". ")[2] for notice in sync.notices] == [
        "Using workspace files instead.",
        "Using command text instead.",
    ]
    assert place.remote_files() == []
    assert tools.read_tree(reply.path) == as_tree(BIG)


def test_without_any_store_it_is_an_error_that_names_the_reasons(place, write, started):
    write({**BIG, ".env": b"PASSWORD=1"})
    sync = started()
    for route in ("* /api/2.0/dbfs/*", "* /api/2.0/workspace*"):
        place.workspace.fault(route, "status", status=403, code="PERMISSION_DENIED", message="no", times=None)

    with pytest.raises(UploadError, match=r"(?s)Permission denied on DBFS.*Permission denied on workspace files"):
        sync.push(sync.plan())


def test_secrets_and_all_without_inline_stay_out_of_command_text(write, started, tools):
    secret = b"TOKEN=" + base64.b64encode(os.urandom(40))
    write({**SMALL, ".env": secret})

    first, second = started(), started(inline=False)
    first.push(first.plan())
    write({"a.py": b"a = 4\n", ".env": secret + b"2"})
    attached = first.attachment(first.plan())
    third = first.push(first.plan())
    reply = second.push(second.plan())

    assert third.store == reply.store == "dbfs"
    assert attached is None
    assert second.attachment(second.plan()) is None
    assert tools.read_tree(third.path)[b".env"] == secret + b"2"
    for text in texts_of(first) + texts_of(second):
        assert len(text) < 40_000


@pytest.mark.usefixtures("permissions_count")
def test_what_cannot_be_read_is_told_before_any_request(place, write, started, project):
    write({**SMALL, "b": b"2"})
    (project / "b").chmod(0)
    sync = started()

    with pytest.raises(UnreadableFilesError, match="  b: Permission denied"):
        sync.plan()

    assert place.workspace.requests() == []


def test_names_that_a_volume_may_not_keep_apart_are_refused_before_any_request(place, write, started):
    write({"README": b"1", "readme": b"2"})

    with pytest.raises(NameCollisionError, match="readme differs from README only by case"):
        started(extract_to=f"{place.volume}/tree").plan()
    told = started(extract_to="driver").plan().warnings

    assert place.workspace.requests() == []
    assert [finding.path for finding in told] == [b"readme"]


def test_a_delta_travels_with_a_cell(place, write, started, tools):
    write(SMALL)
    sync = started()
    path = sync.push(sync.plan()).path
    write({"pkg/b.py": b"b = 5\n"})
    place.workspace.clear_requests()
    plan = sync.plan()

    name, payload = sync.attachment(plan)
    # As the agent does: JSON there and back, the handler called with it.
    call = f"__import__('sys').modules['_dbk_sync']._service.attached(json.loads({json.dumps(json.dumps(payload))}))"
    answer = json.loads(sync._far.receiver._driver.execute(f"import json\nprint(json.dumps({call}))"))
    before = sync.plan().is_empty
    reply = sync.acknowledge(plan, answer)

    assert name == "sync"
    assert not before
    assert sync.plan().is_empty
    assert reply.written == 1
    assert tools.read_tree(path) == as_tree({**SMALL, "pkg/b.py": b"b = 5\n"})
    assert place.sync_requests() == []


def test_a_cell_does_not_run_on_the_wrong_files(write, started):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())
    write({"a.py": b"2"})
    sync.push(sync.plan())
    write({"a.py": b"3"})
    _, payload = sync.attachment(sync.plan())
    driver = sync._far.receiver._driver
    payload["request"]["session"] = "00000000ffffffff"
    call = f"__import__('sys').modules['_dbk_sync']._service.attached(json.loads({json.dumps(json.dumps(payload))}))"

    seen = driver.execute(f"import json\ntry:\n    {call}\nexcept Exception as error:\n    print(type(error).__name__)")

    assert seen == "SyncNeedsFull"


def test_the_attachment_is_known_to_the_agent(write, started):
    write(SMALL)
    sync = started()
    driver = sync._far.receiver._driver
    driver.execute(
        "import sys, types\n"
        "agent = sys.modules['_dbk_agent'] = types.ModuleType('_dbk_agent')\n"
        "agent.handlers = {}\n"
        "agent.register_attachment = agent.handlers.__setitem__"
    )

    sync.push(sync.plan())

    assert driver.execute("print(list(agent.handlers), agent.handlers['sync'].__name__)") == "['sync'] attached"


def test_a_new_interpreter_gets_the_receiver_again_and_keeps_its_tree(place, write, started, tools):
    write(SMALL)
    sync = started()
    path = sync.push(sync.plan()).path
    sync._far.receiver._driver.destroy()
    sync._far.receiver._driver.open()
    write({"a.py": b"new"})

    sync.renew()
    reply = sync.push(sync.plan())

    assert (reply.path, reply.written) == (path, 1)
    assert tools.read_tree(path) == as_tree({**SMALL, "a.py": b"new"})
    assert sync._far.receiver._driver.execute("import os; print(os.getcwd())") == os.path.realpath(path)


def test_without_a_renewal_the_driver_asks_for_the_receiver_by_itself(write, started, tools):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())
    sync._far.receiver._driver.destroy()
    sync._far.receiver._driver.open()
    write({"a.py": b"new"})

    reply = sync.push(sync.plan())

    assert tools.read_tree(reply.path) == as_tree({**SMALL, "a.py": b"new"})
    assert len(texts_of(sync)) == 3


def test_a_driver_that_lost_the_tree_gets_all_of_it(place, write, started, tools):
    write(SMALL)
    sync = started(extract_to="driver")
    path = sync.push(sync.plan()).path
    sync._far.receiver._driver.execute(f"import os, shutil; os.chdir('/'); shutil.rmtree({path!r})")
    write({"a.py": b"new"})

    reply = sync.push(sync.plan())

    assert reply.written == 3
    assert tools.read_tree(path) == as_tree({**SMALL, "a.py": b"new"})


def test_what_was_forgotten_is_sent_in_full(write, started):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())

    sync.forget()

    assert sync.plan().base is None
    assert sync.push(sync.plan()).written == 3


def test_closing_leaves_nothing_on_the_workspace_or_the_driver(place, write, started):
    write(SMALL)
    one, two = started(), started(extract_to="driver")
    one.push(one.plan())
    two.push(two.plan())

    one.close()
    two.close()

    assert place.remote_files() == []


@pytest.mark.parametrize("extract_to", ["workspace", "driver"])
def test_another_interpreter_removes_the_files_of_one_that_is_gone(place, write, synced, interpreter, extract_to):
    write(SMALL)
    user, other = interpreter(), interpreter()
    sync = synced(user, extract_to=extract_to)
    sync.push(sync.plan())
    farewell = sync.farewell()
    user.destroy()

    assert other.run(farewell) == ""
    assert place.remote_files() == []
    user.open()


def test_closing_twice_or_without_a_driver_is_fine(write, synced, started):
    write(SMALL)
    sync = started()
    sync.push(sync.plan())
    sync._far.receiver._driver.destroy()

    sync.close()
    sync.close()

    sync._far.receiver._driver.open()


def test_a_chosen_directory_that_is_not_ours_is_refused(write, started, tmp_path):
    write(SMALL)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    sync = started(extract_to=str(tmp_path / "taken"))

    with pytest.raises(ReceiverError, match="files that are not from a sync") as raised:
        sync.push(sync.plan())

    assert raised.value.code == "unsafe-target"
    assert sync.plan().base is None


def test_two_kernels_of_one_project_do_not_disturb_each_other(write, started, tools):
    write(SMALL)
    one, two = started(), started()
    first, second = one.push(one.plan()), two.push(two.plan())
    write({"a.py": b"new"})

    one.push(one.plan())
    between = tools.read_tree(second.path)
    two.push(two.plan())

    assert first.path != second.path
    assert between == as_tree(SMALL)
    assert tools.read_tree(first.path) == tools.read_tree(second.path) == as_tree({**SMALL, "a.py": b"new"})


def test_names_that_are_not_text_and_scripts_arrive(project, started, tools):
    os.close(os.open(os.fsencode(project) + b"/\xff.txt", os.O_CREAT | os.O_WRONLY))
    (project / "run.sh").write_bytes(b"#!/bin/sh\n")
    (project / "run.sh").chmod(0o755)
    (project / "link").symlink_to("run.sh")
    sync = started()

    reply = sync.push(sync.plan())

    found = tools.read_tree(reply.path)
    assert found == {b"\xff.txt": b"", b"run.sh": b"#!/bin/sh\n", b"link": b"run.sh"}
    assert isinstance(found[b"run.sh"], tools.Script)
    assert isinstance(found[b"link"], tools.Link)


def test_a_named_tree_outlives_its_maker_and_is_gone_on_with(write, place, project, interpreter, tools):
    from dbk_config import Secret, Settings, SyncSettings
    from dbk_sync import Sync

    write(SMALL)
    settings = Settings(
        host=place.workspace.host,
        token=Secret(place.workspace.token),
        project_dir=project,
        sync=SyncSettings(extract_to="driver"),
    )
    with Sync(settings, driver=interpreter(), name="mine") as first:
        path = first.push(first.plan()).path
    write({"a.py": b"new"})

    with Sync(settings, driver=interpreter(), name="mine") as second:
        second.renew()
        reply = second.push(second.plan())

    assert (reply.path, reply.written) == (path, 1)
    assert tools.read_tree(path) == as_tree({**SMALL, "a.py": b"new"})
