"""The start page: served without a token, holding none, and fed by routes that want one."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/_local/page.js", "text/javascript"), ("/_local/page.css", "text/css")],
)
def test_the_page_is_open_and_holds_no_token(api, workspace, path, kind):
    answer = api.send("GET", path, token=False)

    assert (answer.status, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
    assert workspace.token.encode() not in answer.body
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_script(api):
    page = api.send("GET", "/", token=False).body.decode()

    assert "://" not in page
    assert "<script>" not in page
    assert " on" + "click=" not in page


def test_what_it_shows_changes_as_things_happen(api, context, workspace, until):
    command = api.execute(context, "while True: pass")
    api.running(context, command)
    workspace.fault("GET /api/2.0/dbfs/list", "503")

    status = workspace.status()

    (cluster,) = status["clusters"]
    (shown,) = cluster["contexts"]
    assert (cluster["state"], shown["id"], shown["running"]) == ("RUNNING", context, command)
    assert (cluster["commands"][-1]["text"], cluster["commands"][-1]["status"]) == ("while True: pass", "Running")
    assert status["faults"][0]["kind"] == "503"
    assert workspace.token not in str(status)


def test_files_are_listed_folders_first(api):
    api.post("/api/2.0/dbfs/mkdirs", path="/shown/z-folder")
    api.post("/api/2.0/dbfs/put", path="/shown/a-file", contents="YWJj")

    found = api.get("/_local/files", root="dbfs", path="/shown/").json

    assert found["path"] == "/shown"
    assert [(entry["name"], entry["is_dir"]) for entry in found["entries"]] == [("z-folder", True), ("a-file", False)]
    assert found["entries"][1]["size"] == 3
    assert api.get("/_local/files", root="etc").status == 400
    assert api.get("/_local/files", root="dbfs", path="/../..").json["path"] == "/"


def test_the_workspaces_own_routes_are_not_in_the_log(api, workspace):
    workspace.status()
    api.send("GET", "/", token=False)

    assert workspace.requests() == []


@pytest.mark.browser
def test_a_browser_shows_contexts_commands_files_and_requests_live(api, workspace, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    import shutil

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch_persistent_context(tmp_path, executable_path=chromium, args=flags)
        page = browser.pages[0]
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{workspace.host}/#token={workspace.token}")
        page.wait_for_selector("#live:not([hidden])")
        context = api.create()
        api.run(context, "print('<b>not bold</b>')")
        page.wait_for_selector(f"#clusters code:has-text('{context}')")
        page.wait_for_selector("#commands code:has-text('not bold')")
        page.wait_for_selector("#requests code:has-text('/api/1.2/commands/execute')")
        page.click("#files button:has-text('Users/')")
        page.wait_for_selector("#files button:has-text('dev@example.com/')")
        asked_for_token = page.is_visible("#login")
        shown, address = page.content(), page.url
        browser.close()

    assert problems == []
    assert not asked_for_token
    assert workspace.token not in shown
    assert workspace.token not in address
