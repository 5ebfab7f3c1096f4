"""The DBFS API: limits, codes and texts that clients depend on."""

from __future__ import annotations

import base64
import json

import pytest

MB = 2**20


def encoded(content):
    return base64.b64encode(content).decode()


@pytest.fixture
def dbfs(api):
    """Call an operation of DBFS: `dbfs("put", path=...)`."""
    reading = {"get-status", "list", "read"}

    def call(operation, **fields):
        send = api.get if operation in reading else api.post
        return send(f"/api/2.0/dbfs/{operation}", **fields)

    return call


@pytest.fixture
def folder(dbfs):
    """An empty folder."""
    dbfs("delete", path="/tmp/t", recursive=True)
    dbfs("mkdirs", path="/tmp/t")
    return "/tmp/t"


def content_of(dbfs, path):
    return base64.b64decode(dbfs("read", path=path, length=MB).json["data"])


def test_a_file_is_put_read_in_parts_and_listed(dbfs, folder):
    assert dbfs("put", path=f"{folder}/a", contents=encoded(b"0123456789")).json == {}

    part = dbfs("read", path=f"{folder}/a", offset=8, length=100).json
    past_the_end = dbfs("read", path=f"{folder}/a", offset=99).json
    (listed,) = dbfs("list", path=f"dbfs:{folder}").json["files"]

    assert part == {"bytes_read": 2, "data": encoded(b"89")}
    assert past_the_end == {"bytes_read": 0, "data": ""}
    assert (listed["path"], listed["is_dir"], listed["file_size"]) == (f"{folder}/a", False, 10)
    assert dbfs("get-status", path=f"{folder}/a").json == listed


def test_blocks_make_a_file_and_count_decoded(dbfs, folder):
    handle = dbfs("create", path=f"{folder}/deep/er/b").json["handle"]

    for block in (b"x" * MB, b"y"):
        assert dbfs("add-block", handle=handle, data=encoded(block)).status == 200
    too_large = dbfs("add-block", handle=handle, data=encoded(b"x" * (MB + 1)))
    closed = dbfs("close", handle=handle)
    again = dbfs("add-block", handle=handle, data="")

    assert (too_large.status, too_large.json["error_code"]) == (400, "MAX_BLOCK_SIZE_EXCEEDED")
    assert closed.json == {}
    assert (again.status, again.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert dbfs("get-status", path=f"{folder}/deep/er/b").json["file_size"] == MB + 1


def test_a_handle_ends_after_ten_idle_minutes(dbfs, folder, workspace):
    handle = dbfs("create", path=f"{folder}/c").json["handle"]

    workspace.advance(601)

    assert dbfs("add-block", handle=handle, data="").json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize("operation", ["put", "create"])
def test_what_exists_is_not_overwritten_unasked(dbfs, folder, operation):
    dbfs("put", path=f"{folder}/a", contents=encoded(b"old"))

    refused = dbfs(operation, path=f"{folder}/a")
    allowed = dbfs(operation, path=f"{folder}/a", overwrite=True)

    assert (refused.status, refused.json["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "A file or directory already exists" in refused.json["message"]
    assert allowed.status == 200


def test_limits_of_put_and_read_are_one_mebibyte(dbfs, folder):
    put = dbfs("put", path=f"{folder}/a", contents=encoded(b"x" * (MB + 1)))
    dbfs("put", path=f"{folder}/b", contents=encoded(b"x" * MB))
    read = dbfs("read", path=f"{folder}/b", length=MB + 1)

    assert (put.json["error_code"], read.json["error_code"]) == ("MAX_BLOCK_SIZE_EXCEEDED", "MAX_READ_SIZE_EXCEEDED")
    assert dbfs("read", path=f"{folder}/b").json["bytes_read"] == MB // 2


def test_a_multipart_put_may_be_longer_and_is_exact(api, dbfs, folder):
    # As the legacy CLI sends it: the part itself claims to be multipart/form-data, and the content ends in a newline.
    content = bytes(range(256)) * 8000 + b"\r\n"
    head = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}'
    named = [head.format("path", f"dbfs:{folder}/m").encode(), head.format("overwrite", "False").encode()]
    name = b'Content-Disposition: form-data; name="file"; filename="m"\r\nContent-Type: multipart/form-data\r\n\r\n'
    file = name + content
    body = b"".join(b"--bound\r\n" + part + b"\r\n" for part in (*named, file)) + b"--bound--\r\n"

    answer = api.send("POST", "/api/2.0/dbfs/put", body, {"Content-Type": "multipart/form-data; boundary=bound"})

    assert (answer.status, answer.json) == (200, {})
    pieces = [
        dbfs("read", path=f"{folder}/m", offset=start, length=MB).json["data"] for start in range(0, len(content), MB)
    ]
    assert b"".join(base64.b64decode(piece) for piece in pieces) == content


def test_arguments_may_come_as_a_form_and_as_words(api, dbfs, folder):
    dbfs("put", path=f"{folder}/a", contents=encoded(b"old"))

    answer = api.send(
        "POST",
        "/api/2.0/dbfs/put",
        f"path={folder}/a&contents={encoded(b'new!')}&overwrite=true",
        {"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert answer.status == 200
    assert content_of(dbfs, f"{folder}/a") == b"new!"


@pytest.mark.parametrize("operation", ["get-status", "list", "read"])
def test_what_is_missing_is_not_found(dbfs, operation):
    answer = dbfs(operation, path="/tmp/nothing/here")

    assert (answer.status, answer.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("fields", [{"path": "/tmp"}, {"path": "/tmp", "offset": -1}, {"path": "/tmp", "length": -1}])
def test_a_folder_and_negative_numbers_cannot_be_read(dbfs, fields):
    assert dbfs("read", **fields).json["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_full_folder_is_deleted_recursively_alone(dbfs, folder):
    dbfs("put", path=f"{folder}/sub/a", contents="")

    refused = dbfs("delete", path=folder)
    recursive = dbfs("delete", path=folder, recursive="true")
    missing = dbfs("delete", path=folder)

    assert refused.status == 400
    assert refused.json["message"] == "Directory is not empty. Use recursive delete or remove contents first."
    assert (recursive.status, missing.status) == (200, 200)
    assert dbfs("get-status", path=folder).status == 404


def test_mkdirs_makes_parents_is_idempotent_and_stops_at_a_file(dbfs, folder):
    dbfs("put", path=f"{folder}/file", contents="")

    assert [dbfs("mkdirs", path=f"{folder}/x/y").status for _ in range(2)] == [200, 200]
    assert dbfs("mkdirs", path=f"{folder}/file/z").json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert dbfs("put", path=f"{folder}/file/z", contents="").json["error_code"] == "RESOURCE_ALREADY_EXISTS"


def test_move_takes_files_and_folders_and_never_overwrites(dbfs, folder):
    dbfs("put", path=f"{folder}/d/a", contents=encoded(b"a"))
    dbfs("put", path=f"{folder}/b", contents=encoded(b"b"))

    moved = dbfs("move", source_path=f"{folder}/d", destination_path=f"{folder}/e")
    into = dbfs("move", source_path=f"{folder}/b", destination_path=f"{folder}/e")
    dbfs("put", path=f"{folder}/b", contents=encoded(b"b2"))
    onto = dbfs("move", source_path=f"{folder}/b", destination_path=f"{folder}/e/a")
    nowhere = dbfs("move", source_path=f"{folder}/b", destination_path=f"{folder}/no/such")
    nothing = dbfs("move", source_path=f"{folder}/missing", destination_path=f"{folder}/x")

    assert (moved.status, into.status) == (200, 200)
    assert (content_of(dbfs, f"{folder}/e/a"), content_of(dbfs, f"{folder}/e/b")) == (b"a", b"b")
    assert onto.json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert (nowhere.status, nothing.status) == (404, 404)


def test_volumes_are_not_served_by_this_api(dbfs):
    answer = dbfs("create", path="/Volumes/a/b/c/x")

    assert "No operations allowed on this path." in answer.json["message"]


@pytest.mark.parametrize("fields", [{"path": "relative"}, {}, {"path": "/a\0b"}])
def test_a_path_is_absolute_and_present(dbfs, fields):
    assert dbfs("get-status", **fields).json["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"'])
def test_a_body_that_is_no_object_is_malformed(api, body):
    answer = api.send("POST", "/api/2.0/dbfs/mkdirs", body, {"Content-Type": "application/json"})

    assert (answer.status, answer.json["error_code"]) == (400, "MALFORMED_REQUEST")


def test_contents_that_are_no_base64_are_refused(dbfs, folder):
    assert dbfs("put", path=f"{folder}/a", contents="***").json["error_code"] == "INVALID_PARAMETER_VALUE"


def test_the_root_has_what_every_root_has_and_stays(dbfs):
    assert {"/FileStore", "/tmp", "/user"} <= {entry["path"] for entry in dbfs("list", path="/").json["files"]}
    assert dbfs("delete", path="/", recursive=True).status == 400


def test_a_code_reads_what_a_client_wrote(api, context, dbfs, folder):
    dbfs("put", path=f"{folder}/shared", contents=encoded(b"from outside"))

    results = api.run(context, f"print(dbutils.fs.head('dbfs:{folder}/shared'))")

    assert results == {"resultType": "text", "data": "from outside"}


def test_the_message_of_an_error_is_json(dbfs):
    assert set(json.loads(dbfs("list", path="/nothing").body)) == {"error_code", "message"}
