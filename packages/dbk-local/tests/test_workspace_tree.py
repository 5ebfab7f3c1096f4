"""The workspace API: what becomes a notebook, what stays a file, and under which name."""

from __future__ import annotations

import base64
import concurrent.futures
import io
import json
import zipfile

import pytest
from dbk_local import _notebooks

BASE = "/Users/dev@example.com/t"
HEADER = "# Databricks notebook source"


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.fixture
def tree(api):
    """Call an operation of the workspace API on a fresh folder."""

    def call(operation, **fields):
        send = api.get if operation in {"get-status", "list", "export"} else api.post
        return send(f"/api/2.0/workspace/{operation}", **fields)

    call("delete", path=BASE, recursive=True)
    call("mkdirs", path=BASE)
    return call


def put(tree, name, text, **more):
    return tree("import", path=f"{BASE}/{name}", content=encoded(text), **more)


def exported(tree, name, **more):
    return base64.b64decode(tree("export", path=f"{BASE}/{name}", **more).json["content"]).decode()


def kinds(tree, path=BASE):
    objects = tree("list", path=path).json.get("objects", [])
    return {entry["path"].removeprefix(BASE + "/"): entry["object_type"] for entry in objects}


def test_source_is_a_notebook_under_its_given_name_and_gets_the_header(tree):
    assert put(tree, "nb.py", "print(1)", format="SOURCE", language="PYTHON").json == {}

    assert exported(tree, "nb.py") == f"{HEADER}\nprint(1)"
    info = tree("get-status", path=f"{BASE}/nb.py").json
    assert (info["object_type"], info["language"]) == ("NOTEBOOK", "PYTHON")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", f"{HEADER}\nprint(1)", ("a", "NOTEBOOK")),
        ("a.py", "print(1)", ("a.py", "FILE")),
        ("a", f"{HEADER}\nprint(1)", ("a", "FILE")),
        ("a.txt", f"{HEADER}\nprint(1)", ("a.txt", "FILE")),
        ("a.sql", "-- Databricks notebook source\nselect 1", ("a", "NOTEBOOK")),
        ("a.scala", "// Databricks notebook source\n1", ("a", "NOTEBOOK")),
        ("a.r", f"{HEADER}\n1", ("a", "NOTEBOOK")),
        ("a.ipynb", '{"cells": []}', ("a", "NOTEBOOK")),
    ],
)
def test_auto_makes_a_notebook_of_an_extension_and_a_header_and_drops_the_extension(tree, name, text, found):
    put(tree, name, text, format="AUTO")

    assert kinds(tree) == dict([found])


def test_raw_stays_a_file_byte_for_byte(tree):
    put(tree, "a.py", f"{HEADER}\n", format="RAW")

    assert kinds(tree) == {"a.py": "FILE"}
    assert tree("get-status", path=f"{BASE}/a.py").json["size"] == len(HEADER) + 1


def test_source_without_a_language_wants_an_archive(tree):
    answer = put(tree, "a.py", "print(1)")

    assert (answer.status, "The zip archive contains no items." in answer.json["message"]) == (400, True)


def test_an_archive_becomes_a_folder_and_comes_back_as_one(tree):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nb.py", f"{HEADER}\n1")
        archive.writestr("sub/data.txt", "x")

    assert put(tree, "d", buffer.getvalue(), format="DBC").status == 200

    assert kinds(tree, f"{BASE}/d") == {"d/nb": "NOTEBOOK", "d/sub": "DIRECTORY"}
    back = base64.b64decode(tree("export", path=f"{BASE}/d", format="SOURCE").json["content"])
    assert sorted(zipfile.ZipFile(io.BytesIO(back)).namelist()) == ["d/nb.py", "d/sub/data.txt"]


def test_an_existing_path_is_kept_unless_overwritten_by_its_own_kind(tree):
    put(tree, "a", "1", format="SOURCE", language="PYTHON")

    refused = put(tree, "a", "2", format="SOURCE", language="PYTHON")
    replaced = put(tree, "a", "2", format="SOURCE", language="PYTHON", overwrite="true")
    mismatch = put(tree, "a", "2", format="RAW", overwrite=True)

    assert (refused.status, refused.json["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert refused.json["message"] == f"Path ({BASE}/a) already exists."
    assert replaced.status == 200
    assert "type mismatch" in mismatch.json["message"]
    assert exported(tree, "a") == f"{HEADER}\n2"


def test_a_missing_parent_or_path_is_not_found(tree):
    parent = put(tree, "no/such/a", "1", format="RAW")
    path = tree("get-status", path=f"{BASE}/nothing")

    assert (parent.status, parent.json["message"]) == (404, f"The parent folder ({BASE}/no/such) does not exist.")
    assert (path.status, path.json["message"]) == (404, f"Path ({BASE}/nothing) doesn't exist.")


def test_content_over_ten_mebibytes_is_refused(tree):
    answer = put(tree, "large", b"x" * (10 * 2**20 + 1), format="RAW")

    assert answer.json["error_code"] == "MAX_NOTEBOOK_SIZE_EXCEEDED"
    assert "exceeded max size (10485760 bytes)" in answer.json["message"]


def test_a_full_folder_is_deleted_recursively_alone(tree):
    put(tree, "a", "1", format="SOURCE", language="SQL")

    refused = tree("delete", path=BASE)
    recursive = tree("delete", path=BASE, recursive="true")

    assert (refused.status, refused.json["error_code"]) == (400, "DIRECTORY_NOT_EMPTY")
    assert recursive.status == 200
    assert tree("delete", path=BASE).status == 404


def test_a_deleted_notebooks_name_can_become_a_file(tree):
    put(tree, "a", "1", format="SOURCE", language="PYTHON")
    tree("delete", path=f"{BASE}/a")

    put(tree, "a", "1", format="RAW")

    assert kinds(tree) == {"a": "FILE"}


def test_the_prefix_and_doubled_slashes_name_the_same_object(tree):
    put(tree, "a", "1", format="RAW")

    infos = [tree("get-status", path=path).json for path in (f"{BASE}/a", f"/Workspace/{BASE}/a", f"/{BASE}//a")]

    assert infos[0] == infos[1] == infos[2]
    assert infos[0]["path"] == f"{BASE}/a"


def test_mkdirs_stops_at_a_file_and_is_idempotent(tree):
    put(tree, "a", "1", format="RAW")

    assert tree("mkdirs", path=f"{BASE}/a/b").json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert [tree("mkdirs", path=f"{BASE}/x/y").status for _ in range(2)] == [200, 200]


def test_an_export_comes_as_bytes_on_request(tree):
    put(tree, "a", "1", format="SOURCE", language="PYTHON")

    answer = tree("export", path=f"{BASE}/a", direct_download="true")

    assert answer.body == f"{HEADER}\n1".encode()


@pytest.mark.parametrize("form", ["HTML", "JUPYTER"])
def test_a_notebook_can_be_exported_in_other_formats(tree, form):
    put(tree, "a", "x < 1", format="SOURCE", language="PYTHON")

    text = exported(tree, "a", format=form)

    assert "x &lt; 1" in text if form == "HTML" else json.loads(text)["cells"][0]["source"] == ["x < 1"]


def test_extra_info_is_given_on_request(tree):
    put(tree, "a", "1", format="SOURCE", language="PYTHON")

    plain = tree("get-status", path=f"{BASE}/a").json
    more = tree("get-status", path=f"{BASE}/a", return_export_info="true").json

    assert set(more) - set(plain) == {"repos_export_format"}
    assert {"created_at", "modified_at", "object_id", "language"} <= set(plain)


def test_a_workspace_file_is_written_and_read_as_bytes(api, tree):
    path = f"{BASE}/data%20set.bin"

    written = api.send("POST", f"/api/2.0/workspace-files/import-file{path}?overwrite=false", b"\x00\xff")
    again = api.send("POST", f"/api/2.0/workspace-files/import-file{path}?overwrite=false", b"\x00")
    replaced = api.send("POST", f"/api/2.0/workspace-files/import-file{path}?overwrite=true", b"new")
    read = api.send("GET", f"/api/2.0/workspace-files{path}")

    assert (written.status, again.status, replaced.status) == (200, 409, 200)
    assert read.body == b"new"
    assert kinds(tree) == {"data set.bin": "FILE"}


def test_a_workspace_file_needs_a_parent_and_a_name_no_notebook_has(api, tree):
    put(tree, "nb", "1", format="SOURCE", language="PYTHON")

    orphan = api.send("POST", f"/api/2.0/workspace-files/import-file{BASE}/no/a?overwrite=true", b"")
    taken = api.send("POST", f"/api/2.0/workspace-files/import-file{BASE}/nb?overwrite=true", b"")

    assert orphan.status == 404
    assert (taken.status, taken.json["error_code"]) == (400, "")
    assert "already exists" in taken.json["message"]


def test_a_command_sees_and_writes_workspace_files(api, context, tree):
    put(tree, "mod.py", "value = 7", format="AUTO")

    results = api.run(context, f"print(open('/Workspace{BASE}/mod.py').read())")
    if results["resultType"] == "error":
        pytest.skip("/Workspace is not visible to plain file functions on this platform")
    api.run(context, f"open('/Workspace{BASE}/made', 'w').write('x')")

    assert results["data"] == "value = 7"
    assert kinds(tree) == {"mod.py": "FILE", "made": "FILE"}


CELLS = [("code", "x = 1\ny = 2"), ("markdown", "# Title\n\ntext"), ("code", "%sql\nselect 1"), ("code", "z")]


@pytest.mark.parametrize("language", list(_notebooks.COMMENTS))
def test_cells_survive_the_source_format_and_jupyters(language):
    source = _notebooks.source_of(CELLS, language)

    back, found = _notebooks.from_jupyter(_notebooks.to_jupyter(source, language))

    assert _notebooks.source_cells(source, language) == CELLS
    assert (back, found) == (source, language)


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 1}', "not json"])
def test_what_is_no_notebook_is_refused(tree, text):
    assert put(tree, "a", text or " ", format="JUPYTER").json["error_code"] == "INVALID_PARAMETER_VALUE"


def test_notebooks_that_arrive_at_the_same_time_are_all_kept(tree, api):
    names = [f"{BASE}/n{number}.ipynb" for number in range(60)]
    notebook = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    def send(name):
        return api.send("POST", f"/api/2.0/workspace-files/import-file{name}?overwrite=true", notebook).status

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, names))

    assert set(answers) == {200}
    assert len([one for one in tree("list", path=BASE).json["objects"] if one["object_type"] == "NOTEBOOK"]) == 60


def test_notebooks_are_still_notebooks_after_a_restart_of_the_workspace(tmp_path, api_of):
    from dbk_local import Workspace

    for first in (True, False):
        with Workspace(spark=False, folder=tmp_path / "kept", cluster_state="TERMINATED") as workspace:
            api = api_of(workspace)
            if first:
                fields = {"path": "/Shared/nb", "content": encoded("1"), "format": "SOURCE", "language": "R"}
                api.post("/api/2.0/workspace/import", **fields)
                api.post("/api/2.0/dbfs/put", path="/kept", contents=encoded("kept"))
                api.send("PUT", "/api/2.0/fs/files/Volumes/main/default/files/kept", b"kept")
            else:
                info = api.get("/api/2.0/workspace/get-status", path="/Shared/nb").json
                assert (info["object_type"], info["language"]) == ("NOTEBOOK", "R")
                assert api.get("/api/2.0/dbfs/get-status", path="/kept").json["file_size"] == 4
                assert api.send("GET", "/api/2.0/fs/files/Volumes/main/default/files/kept").body == b"kept"
