"""The Files API over volumes, the catalog behind it, secrets and identities."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

FILES, FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"
VOLUME = "/Volumes/main/default/vol"


@pytest.fixture
def volume(api):
    """A new, empty volume."""
    api.send("DELETE", "/api/2.1/unity-catalog/volumes/main.default.vol")
    made = api.post(
        "/api/2.1/unity-catalog/volumes", catalog_name="main", schema_name="default", name="vol", volume_type="MANAGED"
    )
    assert made.status == 200, made
    return VOLUME


def reason(answer):
    return answer.json["details"][0]["reason"]


def test_of_many_new_files_of_one_name_at_a_time_one_is_taken(api, volume):
    def write(number):
        return api.send("PUT", f"{FILES}{volume}/new?overwrite=false", b"%d" % number * 10_000).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(write, range(8)))

    assert sorted(statuses) == [204] + 7 * [409]
    content = api.send("GET", f"{FILES}{volume}/new").body
    assert content == b"%d" % statuses.index(204) * 10_000
    listed = api.send("GET", f"{FOLDERS}{volume}").json["contents"]
    assert [one["name"] for one in listed] == ["new"]


def test_nothing_can_be_put_where_there_is_no_volume(api):
    for names in ("nope/default/v", "main/nope/v", "main/default/nope"):
        put = api.send("PUT", f"{FILES}/Volumes/{names}/x", b"x")
        made = api.send("PUT", f"{FOLDERS}/Volumes/{names}/folder")
        itself = api.send("PUT", f"{FOLDERS}/Volumes/{names}")

        assert [answer.status for answer in (put, made, itself)] == [404] * 3
        assert put.json["error_code"] == "NOT_FOUND"
        assert names.replace("/", ".") in put.json["message"]
    assert [row["name"] for row in api.get("/api/2.1/unity-catalog/catalogs").json["catalogs"]] == ["main"]


def test_a_new_volume_can_be_written_by_a_context_that_is_there(api, context, request):
    if api.run(context, "import os\nos.path.isdir('/Volumes')")["data"] != "True":
        pytest.skip("no mount namespaces here")

    volume = request.getfixturevalue("volume")
    api.run(context, f"open('{volume}/x', 'w').write('by the driver')")

    assert api.send("GET", f"{FILES}{volume}/x").body == b"by the driver"


def test_bytes_go_in_and_come_out(api, volume):
    content = bytes(range(256)) * 1000

    written = api.send("PUT", f"{FILES}{volume}/deep/er%20/f.bin", content)
    read = api.send("GET", f"{FILES}{volume}/deep/er%20/f.bin")
    head = api.send("HEAD", f"{FILES}{volume}/deep/er%20/f.bin")

    assert (written.status, written.body) == (204, b"")
    assert (read.status, read.body, read.headers["content-type"]) == (200, content, "application/octet-stream")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(content)))
    assert "last-modified" in head.headers


def test_a_file_larger_than_memory_is_meant_to_hold_goes_through_the_disk(api, volume, workspace):
    piece = bytes(range(256)) * 4096

    def pieces():
        yield from (piece for _ in range(40))

    written = api.send("PUT", f"{FILES}{volume}/large", pieces())
    read = api.send("GET", f"{FILES}{volume}/large")

    assert written.status == 204
    assert read.body == piece * 40
    assert [entry["name"] for entry in api.get("/_local/files", root="volumes", path=volume[8:]).json["entries"]] == [
        "large"
    ]


@pytest.mark.parametrize(
    ("header", "status", "found", "shown"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=5-99", 206, b"56789", "bytes 5-9/10"),
        ("bytes=10-", 416, None, None),
        ("lines=1-2", 400, None, None),
    ],
)
def test_a_part_of_a_file(api, volume, header, status, found, shown):
    api.send("PUT", f"{FILES}{volume}/f", b"0123456789")

    answer = api.send("GET", f"{FILES}{volume}/f", headers={"Range": header})

    assert answer.status == status
    assert answer.headers.get("content-range") == shown
    assert found is None or answer.body == found


def test_overwriting_is_the_default_and_can_be_refused(api, volume):
    api.send("PUT", f"{FILES}{volume}/f", b"1")

    default = api.send("PUT", f"{FILES}{volume}/f", b"2")
    refused = api.send("PUT", f"{FILES}{volume}/f?overwrite=false", b"3")

    assert (default.status, refused.status) == (204, 409)
    assert api.send("GET", f"{FILES}{volume}/f").body == b"2"


def test_folders_are_made_listed_in_pages_and_removed_when_empty(api, volume):
    made = [api.send("PUT", f"{FOLDERS}{volume}/a/b").status for _ in range(2)]
    api.send("PUT", f"{FILES}{volume}/a/f", b"xyz")

    first = api.get(f"{FOLDERS}{volume}/a", page_size=1).json
    second = api.get(f"{FOLDERS}{volume}/a", page_size=1, page_token=first["next_page_token"]).json
    full = api.send("DELETE", f"{FOLDERS}{volume}/a")
    empty = api.send("DELETE", f"{FOLDERS}{volume}/a/b")

    assert made == [204, 204]
    (folder,), (file,) = first["contents"], second["contents"]
    assert (folder["name"], folder["is_directory"], folder["path"]) == ("b", True, f"{volume}/a/b")
    assert (file["name"], file["file_size"], file["is_directory"]) == ("f", 3, False)
    assert "next_page_token" not in second
    assert (full.status, reason(full)) == (400, "FILES_API_DIRECTORY_IS_NOT_EMPTY")
    assert empty.status == 204


@pytest.mark.parametrize(
    ("method", "path"), [("GET", FILES), ("HEAD", FILES), ("DELETE", FILES), ("GET", FOLDERS), ("HEAD", FOLDERS)]
)
def test_what_is_missing_is_not_found_and_head_has_no_body(api, volume, method, path):
    answer = api.send(method, f"{path}{volume}/nothing")

    assert answer.status == 404
    assert (answer.body == b"") == (method == "HEAD")


def test_files_and_folders_are_told_apart(api, volume):
    api.send("PUT", f"{FILES}{volume}/f", b"")
    api.send("PUT", f"{FOLDERS}{volume}/d")

    folder_over_file = api.send("PUT", f"{FOLDERS}{volume}/f")
    file_over_folder = api.send("PUT", f"{FILES}{volume}/d", b"")
    below_a_file = api.send("PUT", f"{FILES}{volume}/f/x", b"")
    file_as_folder = api.send("HEAD", f"{FOLDERS}{volume}/f")
    folder_as_file = api.send("HEAD", f"{FILES}{volume}/d")

    assert [answer.status for answer in (folder_over_file, file_over_folder, below_a_file)] == [409, 409, 409]
    assert "points to an existing file" in folder_over_file.json["message"]
    assert (file_as_folder.status, folder_as_file.status) == (404, 409)


@pytest.mark.parametrize("path", ["/Volumes", "/Volumes/main", "/tmp/x", ""])
def test_only_paths_inside_a_volume_are_taken(api, path):
    assert api.send("GET", f"{FILES}{path}").status == 400


def test_a_download_stops_when_the_file_has_changed(api, volume):
    api.send("PUT", f"{FILES}{volume}/f", b"x")

    answer = api.send("GET", f"{FILES}{volume}/f", headers={"If-Unmodified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"})

    assert answer.status == 412


def test_the_catalog_has_three_levels(api, volume):
    base = "/api/2.1/unity-catalog"
    api.send("DELETE", f"{base}/schemas/main.s2?force=true")
    schema = api.post(f"{base}/schemas", catalog_name="main", name="s2").json
    orphan = api.post(f"{base}/volumes", catalog_name="main", schema_name="nothing", name="v", volume_type="MANAGED")
    twice = api.post(f"{base}/schemas", catalog_name="main", name="s2")
    volumes = api.get(f"{base}/volumes", catalog_name="main", schema_name="default").json["volumes"]

    assert schema["full_name"] == "main.s2"
    assert (orphan.status, orphan.json["error_code"]) == (404, "SCHEMA_DOES_NOT_EXIST")
    assert (twice.status, twice.json["error_code"]) == (400, "SCHEMA_ALREADY_EXISTS")
    assert "main.default.vol" in [row["full_name"] for row in volumes]
    assert "main" in [row["name"] for row in api.get(f"{base}/catalogs").json["catalogs"]]
    assert api.send("DELETE", f"{base}/schemas/main.s2").status == 200
    assert api.send("GET", f"{base}/schemas/main.s2").status == 404


def test_secrets_are_written_listed_and_read_by_a_command_and_are_not_in_the_log(api, context, workspace):
    base = "/api/2.0/secrets"
    api.post(f"{base}/scopes/delete", scope="mine")
    assert api.post(f"{base}/scopes/create", scope="mine").status == 200
    api.post(f"{base}/put", scope="mine", key="a", string_value="s3cret")
    api.post(f"{base}/put", scope="mine", key="b", bytes_value=base64.b64encode(b"bytes").decode())

    listed = api.get(f"{base}/list", scope="mine").json["secrets"]
    value = api.get(f"{base}/get", scope="mine", key="b").json["value"]
    inside = api.run(context, "dbutils.secrets.get('mine', 'a') == 's3' + 'cret'")

    assert [row["key"] for row in listed] == ["a", "b"]
    assert base64.b64decode(value) == b"bytes"
    assert inside["data"].endswith("True")
    assert {"name": "mine", "backend_type": "DATABRICKS"} in api.get(f"{base}/scopes/list").json["scopes"]
    assert api.post(f"{base}/scopes/create", scope="mine").json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert api.post(f"{base}/delete", scope="mine", key="a").status == 200
    assert api.get(f"{base}/get", scope="mine", key="a").status == 404
    assert api.get(f"{base}/list", scope="nothing").status == 404
    assert "s3cret" not in str([request.body_json for request in workspace.requests() if "secrets" in request.path])


def test_the_file_of_secrets_is_for_its_owner_alone(tmp_path):
    from dbk_local._secrets import Secrets

    secrets = Secrets(tmp_path / "secrets.json")
    secrets.create_scope("s")
    secrets.put("s", "k", b"v")

    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_me_has_the_workspaces_id_in_a_header(api):
    answer = api.send("GET", "/api/2.0/preview/scim/v2/Me")

    assert answer.headers["x-databricks-org-id"] == "1234567890123456"
    assert (answer.json["userName"], answer.json["active"]) == ("dev@example.com", True)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("displayName eq users", 1),
        ('displayName eq "users"', 1),
        ("displayName eq nobody", 0),
        ("displayName co ser", 1),
    ],
)
def test_groups_are_filtered(api, text, count):
    assert api.get("/api/2.0/preview/scim/v2/Groups", filter=text).json["totalResults"] == count


def test_scim_has_errors_of_its_own_shape(api):
    malformed = api.get("/api/2.0/preview/scim/v2/Groups", filter="nonsense")
    missing = api.send("GET", "/api/2.0/preview/scim/v2/Users/1")

    assert (malformed.status, malformed.json["scimType"], malformed.json["status"]) == (400, "invalidFilter", "400")
    assert (missing.status, missing.json["detail"]) == (404, "User with id 1 not found.")
