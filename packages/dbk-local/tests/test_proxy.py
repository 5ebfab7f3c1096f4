"""The driver proxy: a server on the driver, reached through the workspace with the token."""

from __future__ import annotations

import http.client
import json
import urllib.parse

import pytest

SERVER = """
import http.server, json, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        told = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
        told["size"] = len(self.rfile.read(size))
        body = json.dumps(told).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Own", "yes")
        self.send_header("Set-Cookie", "session=1")
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_PUT = do_GET
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer((ADDRESS, 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1])
"""

STREAM = """
import http.server, threading
gate = threading.Event()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/open":
            gate.set()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.path != "/open":
            self.wfile.write(b"5\\r\\nfirst\\r\\n")
            gate.wait()
        self.wfile.write(b"4\\r\\nlast\\r\\n0\\r\\n\\r\\n")
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1])
"""

SOCKET = """
import asyncio, threading
from tornado.web import Application
from tornado.websocket import WebSocketHandler
class Echo(WebSocketHandler):
    def check_origin(self, origin): return True
    def select_subprotocol(self, names): return names[-1] if names else None
    def open(self): self.write_message(self.request.uri)
    def on_message(self, message):
        if message == "bye": self.close(4001, "as you wish")
        else: self.write_message(message, binary=isinstance(message, bytes))
port = []
up = threading.Event()
async def main():
    server = Application([("/.*", Echo)]).listen(0, "0.0.0.0")
    port.append(next(iter(server._sockets.values())).getsockname()[1])
    up.set()
    await asyncio.Event().wait()
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
up.wait()
print(port[0])
"""


@pytest.fixture
def listening(api, context):
    """Start a server on the driver; the path of the proxy to it."""

    def start(code):
        port = api.run(context, code)["data"]
        return f"/driver-proxy-api/o/0/{api.cluster_id}/{port}"

    return start


@pytest.fixture
def server(listening):
    return listening(SERVER.replace("ADDRESS", "'0.0.0.0'"))


def test_a_request_reaches_the_driver_without_the_prefix_and_without_the_token(api, server):
    answer = api.send(
        "POST", f"{server}/a%20b//c?x=1&y=%2F", b"z" * 100_000, {"X-Mine": "1", "Accept-Encoding": "gzip"}
    )

    told = answer.json
    assert (answer.status, answer.headers["x-own"]) == (201, "yes")
    assert (told["method"], told["path"], told["size"]) == ("POST", "/a%20b//c?x=1&y=%2F", 100_000)
    assert told["headers"]["X-Mine"] == "1"
    assert told["headers"]["Accept-Encoding"] == "gzip"
    assert "Authorization" not in told["headers"]
    assert api.workspace.token not in answer.body.decode()
    assert "set-cookie" not in answer.headers


def test_the_bare_port_is_the_root_of_the_server(api, server):
    assert api.send("GET", server).json["path"] == "/"


def test_the_proxy_wants_the_token(api, server, workspace):
    nothing = api.send("GET", server + "/", token=False)
    in_the_query = api.send("GET", f"{server}/?token={workspace.token}", token=False)

    assert nothing.status == in_the_query.status == 401


def test_a_server_that_listens_on_the_drivers_loopback_alone_is_out_of_reach(api, listening, workspace):
    near = listening(SERVER.replace("ADDRESS", "'127.0.0.1'"))

    unreachable = api.send("GET", near + "/")
    workspace.set_options(proxy_reaches="loopback")
    reached = api.send("GET", near + "/")

    assert (unreachable.status, reached.status) == (502, 201)


def test_a_streamed_answer_arrives_while_it_is_made(api, listening, workspace):
    path = listening(STREAM)
    target = urllib.parse.urlsplit(workspace.host)
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
    connection.request("GET", path + "/", headers={"Authorization": f"Bearer {workspace.token}"})
    response = connection.getresponse()

    first = response.read(5)
    api.send("GET", path + "/open")
    rest = response.read()

    connection.close()
    assert (first, rest) == (b"first", b"last")


def test_the_proxy_follows_the_clusters_state_owner_and_switch(api, server, workspace):
    workspace.set_options(single_user_name="boss@example.com")
    other = api.send("GET", server + "/")
    workspace.set_options(single_user_name="", driver_proxy="disabled")
    off = api.send("GET", server + "/")
    workspace.set_options(driver_proxy="enabled")
    workspace.terminate_cluster()
    stopped = api.send("GET", server + "/")

    assert "Single-user check failed" in other.json["message"]
    assert (other.status, off.status, stopped.status) == (403, 403, 400)


def test_an_unknown_cluster_or_a_silent_port_is_an_error(api):
    unknown = api.send("GET", "/driver-proxy-api/o/0/nothing/1/")
    silent = api.send("GET", f"/driver-proxy-api/o/0/{api.cluster_id}/1/")
    shapeless = api.send("GET", "/driver-proxy-api/x")

    assert (unknown.status, silent.status, shapeless.status) == (404, 502, 404)


def test_proxied_requests_are_in_the_log_and_can_be_hit_by_faults(api, server, workspace):
    workspace.fault("GET /driver-proxy-api/*", "503")

    assert [api.send("GET", server + "/x?a=1").status for _ in range(2)] == [503, 201]
    entry = [request for request in workspace.requests() if request.path.startswith("/driver-proxy")][-1]
    assert (entry.path, entry.query, entry.status) == (server + "/x", {"a": "1"}, 201)


@pytest.fixture
def connect(workspace):
    websocket = pytest.importorskip("websocket")
    opened = []

    def connect(path, token=workspace.token, **more):
        url = workspace.host.replace("http", "ws") + path
        header = {"Authorization": f"Bearer {token}"} if token else {}
        opened.append(websocket.create_connection(url, header=header, timeout=60, **more))
        return opened[-1]

    yield connect
    for one in opened:
        one.shutdown()


def test_a_websocket_passes_text_bytes_and_the_way_it_was_closed(listening, connect):
    socket = connect(listening(SOCKET) + "/ssh?id=7", subprotocols=["a", "b"])

    opened = socket.recv()
    socket.send("text")
    text = socket.recv()
    socket.send_binary(b"\x00\xff" * 100_000)
    binary = socket.recv()
    socket.send("bye")
    code, data = socket.recv_data()

    assert (opened, text, binary) == ("/ssh?id=7", "text", b"\x00\xff" * 100_000)
    assert socket.subprotocol == "b"
    assert (code, int.from_bytes(data[:2]), data[2:]) == (8, 4001, b"as you wish")


def test_a_websocket_wants_the_token_and_a_server(api, listening, connect):
    websocket = pytest.importorskip("websocket")
    path = listening(SOCKET)

    for where, token, status in ((path, "dapi0", 401), (f"/driver-proxy-api/o/0/{api.cluster_id}/1", None, 502)):
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            connect(where, **({"token": token} if token else {}))
        assert caught.value.status_code == status


def test_what_a_server_says_is_json_of_its_own(api, server):
    assert json.loads(api.send("PUT", server + "/p", b"{}").body)["method"] == "PUT"
