"""Requests against an embedded workspace that misbehaves: what is repeated, what is not, and what is said."""

import os
import sys

import pytest
from dbk_config import Secret, Settings
from dbk_config.errors import SettingsError
from dbk_sync._bodies import Bytes, Multipart, Spooled
from dbk_sync._connect import connect
from dbk_sync._http import Http
from dbk_sync._stores import DbfsStore, Refused, VolumeStore, WorkspaceStore, store_of
from dbk_sync.errors import AccessError, RequestError, TransientError


@pytest.fixture
def slept():
    return []


@pytest.fixture
def http(place, slept):
    one = Http(place.workspace.host, lambda: {"Authorization": f"Bearer {place.workspace.token}"}, sleep=slept.append)
    yield one
    one.close()


@pytest.fixture(params=["dbfs", "volume", "workspace"])
def store_and_folder(request, http, place):
    folder = {
        "dbfs": "/tmp/t",
        "volume": f"{place.volume}/t",
        "workspace": f"/Workspace/Users/{place.workspace.user_name}/t",
    }
    return store_of(folder[request.param], http), folder[request.param]


def test_the_stores_are_told_apart_by_the_path(http):
    kinds = [type(store_of(path, http)) for path in ("/tmp/x", "/Volumes/a/b/c/x", "/Workspace/Users/u/x")]

    assert kinds == [DbfsStore, VolumeStore, WorkspaceStore]


def test_a_store_keeps_what_it_is_given(store_and_folder):
    store, folder = store_and_folder
    path = f"{folder}/a b%c/é.bin"
    content = bytes(range(256)) * 9000

    assert store.get(path) is None
    assert list(store.list(folder)) == []
    assert store.put(path, Bytes(content))
    assert store.get(path) == content
    assert not store.put(path, Bytes(b"x"), overwrite=False)
    assert store.put(path, Bytes(b""))
    assert store.get(path) == b""
    assert [(one.name, one.is_dir) for one in store.list(folder)] == [("a b%c", True)]
    assert [(one.name, one.is_dir, one.size_bytes) for one in store.list(f"{folder}/a b%c")] == [("é.bin", False, 0)]
    assert not store.remove_dir(f"{folder}/a b%c")
    store.delete(path)
    store.delete(path)
    assert store.remove_dir(f"{folder}/a b%c")
    assert store.remove_dir(folder)


def test_a_closed_store_is_refused_with_a_sentence(store_and_folder, place):
    store, folder = store_and_folder
    place.workspace.fault("* /api/*", "status", status=403, code="PERMISSION_DENIED", message="not you", times=None)

    with pytest.raises(Refused, match=r"Permission denied on .*: no write access to .*/t/x \(not you\)"):
        store.put(f"{folder}/x", Bytes(b"x"))


@pytest.mark.parametrize("kind", ["429", "503"])
def test_a_busy_workspace_is_asked_again_when_it_says(http, place, slept, kind):
    place.workspace.fault("POST /api/2.0/dbfs/put", kind, times=2, retry_after=7)

    assert DbfsStore(http).put("/tmp/x", Bytes(b"x"))
    DbfsStore(http).delete("/tmp/x")

    assert slept == [7.0, 7.0]
    assert http.traffic.requests == 4


def test_without_a_time_the_pauses_grow(http, place, slept):
    place.workspace.fault("GET /api/*", "503", times=3)

    http.request("GET", "/api/2.0/preview/scim/v2/Me").check()

    assert slept == [0.4, 0.8, 1.6]


def test_a_workspace_that_stays_busy_is_a_transient_error(http, place, slept):
    place.workspace.fault("GET /api/*", "429", times=None, retry_after=50)

    with pytest.raises(TransientError, match=r"too busy: GET /api/2.0/preview/scim/v2/Me"):
        http.request("GET", "/api/2.0/preview/scim/v2/Me")

    assert slept == [50.0, 50.0]


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "half-response"])
def test_a_lost_connection_is_tried_again_with_the_whole_body(http, place, kind):
    place.workspace.fault("POST /api/2.0/dbfs/put", kind, times=2)
    content = bytes(3_000_000)

    DbfsStore(http).put("/tmp/x", Bytes(content))

    assert DbfsStore(http).get("/tmp/x") == content
    DbfsStore(http).delete("/tmp/x")


def test_a_block_is_never_sent_twice(http, place):
    place.workspace.fault("POST /api/2.0/dbfs/put", "status", status=413, times=None)
    place.workspace.fault("POST /api/2.0/dbfs/add-block", "drop-after")

    with pytest.raises(TransientError, match="Connection lost"):
        DbfsStore(http).put("/tmp/x", Bytes(b"x"))

    assert [one for one in place.sync_requests() if "add-block" in one] == ["POST /api/2.0/dbfs/add-block"]
    place.workspace.clear_faults()
    DbfsStore(http).delete("/tmp/x")


def test_a_host_that_is_not_there_is_named(slept):
    http = Http("http://127.0.0.1:9", dict, sleep=slept.append)

    with pytest.raises(TransientError, match=r"Connection lost: GET http://127.0.0.1:9/x: .*refused"):
        http.request("GET", "/x")

    assert len(slept) == 11


def test_a_wrong_token_is_named_as_such_and_not_shown(place):
    http = Http(place.workspace.host, lambda: {"Authorization": "Bearer dapi-very-wrong"})

    with pytest.raises(AccessError, match=r"Invalid token: 40[13]") as raised:
        DbfsStore(http).put("/tmp/x", Bytes(b"x"))

    assert "dapi" not in str(raised.value)
    assert "dapi" not in repr(http)


def test_a_sign_in_page_is_not_followed(http, place):
    place.workspace.fault("GET /api/*", "html", status=302)

    with pytest.raises(AccessError, match="redirect"):
        http.request("GET", "/api/2.0/preview/scim/v2/Me")


def test_an_html_answer_is_quoted_as_text(http, place):
    place.workspace.fault("GET /api/*", "html", status=500)

    answer = http.request("GET", "/api/2.0/preview/scim/v2/Me")

    assert "<" not in answer.message
    assert isinstance(answer.error(), RequestError)
    assert answer.json == {}


def test_a_plain_token_needs_no_sdk(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "databricks.sdk.core", None)
    http = connect(Settings(host=place.workspace.host, token=Secret(place.workspace.token)))

    assert http.request("GET", "/api/2.0/preview/scim/v2/Me").json["userName"] == place.workspace.user_name
    http.close()


def test_the_clients_credentials_are_used(place):
    sdk = pytest.importorskip("databricks.sdk")
    client = sdk.WorkspaceClient(host=place.workspace.host, token=place.workspace.token, auth_type="pat")

    http = connect(Settings(), client)

    assert http.request("GET", "/api/2.0/preview/scim/v2/Me").ok
    http.close()


def test_missing_host_and_credentials_have_the_known_messages(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("DATABRICKS_", "ARM_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SettingsError, match="DATABRICKS_HOST not set"):
        connect(Settings())


def test_a_form_is_what_the_standard_library_reads_back():
    from email import message_from_bytes, policy

    form = Multipart({"path": "dbfs:/tmp/x", "overwrite": "True"}, "file", "x", Bytes(b"\0\r\n--content"))
    raw = form.open().read()
    parsed = message_from_bytes(f"Content-Type: {form.content_type}\r\n\r\n".encode() + raw, policy=policy.HTTP)

    parts = {part.get_param("name", header="content-disposition"): part.get_content() for part in parsed.iter_parts()}

    assert len(raw) == form.size_bytes
    assert parts == {"path": "dbfs:/tmp/x", "overwrite": "True", "file": b"\0\r\n--content"}


def test_a_spool_is_read_as_often_as_needed_and_may_be_large():
    with Spooled(bytes(1 << 20) for _ in range(12)) as spool:
        first, second = spool.open().read(), spool.open().read(5)

        assert (len(first), second, spool.size_bytes) == (12 << 20, bytes(5), 12 << 20)


@pytest.mark.parametrize("host", ["ftp://127.0.0.1", "http://:0:0"])
def test_an_address_that_is_none_is_not_tried_twice(slept, host):
    with pytest.raises(TransientError, match="Connection lost"):
        Http(host, dict, sleep=slept.append).request("GET", "/x")

    assert slept == []
