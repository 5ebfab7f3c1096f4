"""The script that checks links to other people's servers: what it finds, and what it makes of their answers."""

from __future__ import annotations

import importlib.util
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".github/scripts/links.py"


@pytest.fixture(scope="module")
def links():
    spec = importlib.util.spec_from_file_location("links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["links"] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules["links"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [this](https://a.dev/x#y), or <https://b.dev>.", [(1, "https://a.dev/x"), (1, "https://b.dev")]),
        ("one\n(https://a.dev/x_(y)).", [(2, "https://a.dev/x_(y)")]),
        ("```\nhttps://a.dev\n```\n`https://b.dev`\nhttps://c.dev", [(5, "https://c.dev")]),
        ("http://127.0.0.1:8080 http://localhost/ http://dbk-local.invalid https://...", []),
        ("https://your-workspace.cloud.databricks.com/x https://{host}/api", []),
        ("https://pypi.org/project/dbk-sync/ https://github.com/i9wa4/jupyter-databricks-kernel/issues", []),
        ("https://pypi.org/project/pathspec/", [(1, "https://pypi.org/project/pathspec/")]),
    ],
)
def test_links_to_others_are_found_and_examples_are_not(links, text, found):
    assert list(links.links_of(text, is_page=True)) == found


def test_code_and_metadata_have_links_too(links, tmp_path):
    for name, text in {
        "docs/a.md": "[a](https://a.dev)",
        "packages/x/pyproject.toml": '[project.urls]\nSource = "https://b.dev/x"\n',
        "packages/x/src/x/_y.py": '"""Its rule: https://a.dev."""\nHINT = f"see https://c.dev/{1}"\n',
        "packages/x/tests/test_y.py": "# https://d.dev",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert links.collect(tmp_path) == {
        "https://a.dev": ["docs/a.md:1", "packages/x/src/x/_y.py:1"],
        "https://b.dev/x": ["packages/x/pyproject.toml:2"],
    }


def test_the_sources_of_the_comparison_are_among_the_links_of_this_repository(links, root):
    found = links.collect(root)

    assert any(place.startswith("docs/use-cases.md:") for places in found.values() for place in places)
    assert not [address for address in found if "i9wa4" in address]


@pytest.fixture(scope="module")
def server():
    """The address of a server that answers /200-503 by these in turn, once each and the last for ever; /get no HEAD."""
    asked = {}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked[self.path] = asked.get(self.path, 0) + 1
            name = self.path.strip("/")
            if name == "get":
                status = 405 if self.command == "HEAD" else 200
            else:
                answers = [int(each) for each in name.split("-")]
                status = answers[min(asked[self.path], len(answers)) - 1]
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/404")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "verdict", "reason", "waits"),
    [
        ("/200", "alive", "200", [0]),
        ("/get", "alive", "200", [0]),
        ("/404", "dead", "404", [0]),
        ("/302", "dead", "404", [0]),
        ("/403", "unsure", "403", [0]),
        ("/503-429-200", "alive", "200", [0, 1, 3]),
        ("/503", "unsure", "503", [0, 1, 3, 7]),
    ],
)
def test_an_answer_is_judged(links, server, path, verdict, reason, waits):
    waited = []

    answer = links.check(server + path, waited.append)

    assert (answer.verdict, answer.reason, waited) == (verdict, reason, waits)


def test_no_server_at_all_is_a_dead_link(links):
    assert links.check("http://127.0.0.1:9/", lambda _: None) == links.Answer("dead", "ConnectionError")


def test_the_report_lists_what_is_not_alive_and_counts(links):
    answers = {"https://a.dev": links.Answer("dead", "404"), "https://b.dev": links.Answer("alive", "200")}

    text = links.report(answers, {"https://a.dev": ["docs/a.md:1"], "https://b.dev": []})

    assert text == "- dead, 404: https://a.dev (docs/a.md:1)\n2 links, 1 dead."
