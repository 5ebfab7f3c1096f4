"""`dbk-sync push SRC cluster:ID`, through dbk-session, on an embedded cluster."""

import pytest

pytest.importorskip("dbk_session")

SMALL = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 2\n"}


def test_a_cluster_gets_the_tree_keeps_it_and_is_sent_only_what_changed(
    dbk_sync, write, workspace, tmp_path, monkeypatch
):
    monkeypatch.setenv("DBK_SYNC_EXTRACT_TO", str(tmp_path / "on-the-driver"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write(SMALL)

    first = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--json")
    same = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--json")
    write({"a.py": b"a = 2\n"})
    edit = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--json")
    text = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--full")

    assert first.code == same.code == edit.code == 0, first.out
    assert [ran.event("summary")["written"] for ran in (first, same, edit)] == [2, 0, 1]
    assert (tmp_path / "on-the-driver" / "a.py").read_bytes() == b"a = 2\n"
    assert workspace.contexts() == []
    assert "requests" not in text.err  # most of them are the session's


def test_what_cannot_be_sent_is_said_before_a_cluster_is_asked(dbk_sync, write, workspace):
    write({"big": bytes(2_000_000)})

    ran = dbk_sync("push", ".", f"cluster:{workspace.cluster_id}", "--max-file-size-mb", "1")

    assert ran.code == 4
    assert ran.requests == []


def test_a_cluster_that_is_not_there_is_named(dbk_sync, write, workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    write(SMALL)

    ran = dbk_sync("push", ".", "cluster:0000-000000-nowhere1")

    assert ran.code != 0
    assert "0000-000000-nowhere1" in ran.err
