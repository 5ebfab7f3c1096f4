"""What GitHub, Azure Pipelines and GitLab are told beside the log."""

import json

import pytest
from dbk_sync._service import detect

SMALL = {"a.py": b"a = 1\n", "pkg/b.py": b"b = 2\n"}
SECRET = {"100%,a:b/.env": b"PASSWORD=hunter2hunter2"}


def test_a_run_of_github_is_given_annotations_a_summary_and_outputs(dbk_sync, write, target, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    write({**SMALL, **SECRET})

    ran = dbk_sync("push", ".", *target.words)
    again = dbk_sync("push", ".", *target.words)
    failed = dbk_sync("push", ".", *target.words, "--max-file-size-mb", "0.000001")

    assert "::warning file=100%25%2Ca%3Ab/.env,title=dbk-sync::100%25,a:b/.env " in ran.err
    assert (tmp_path / "summary.md").read_text().count("### dbk-sync") == 2
    outputs = (tmp_path / "output").read_text().splitlines()
    assert [line for line in outputs if line.startswith("changed=")] == ["changed=true", "changed=false"]
    assert outputs[0].startswith("tree=")
    assert again.code == 0
    assert failed.err.count("::error file=") == 3


@pytest.mark.parametrize(
    ("variable", "value", "sign"),
    [("GITHUB_ACTIONS", "true", "::warning "), ("TF_BUILD", "True", "##vso[task.logissue ")],
)
def test_at_most_ten_annotations_of_a_kind_are_made(dbk_sync, write, target_of, monkeypatch, variable, value, sign):
    monkeypatch.setenv(variable, value)
    write({f"{number}/.env": b"PASSWORD=hunter2hunter2" for number in range(15)})

    ran = dbk_sync("push", ".", *target_of("volume").words)

    assert ran.err.count(sign) == 10


def test_a_run_of_azure_is_given_issues_a_summary_and_variables(dbk_sync, write, target_of, monkeypatch, tmp_path):
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path))
    target = target_of("volume")
    write({**SMALL, "100%;a]b/.env": b"PASSWORD=hunter2hunter2"})

    ran = dbk_sync("push", ".", *target.words)
    failed = dbk_sync("push", ".", *target.words, "--max-file-size-mb", "0.000001")

    assert "##vso[task.logissue type=warning;sourcepath=100%AZP25%3Ba%5Db/.env;]100%AZP25;a]b/.env " in ran.err
    assert f"##vso[task.uploadsummary]{tmp_path / 'dbk-sync.md'}" in ran.err
    assert f"| target | `{target.text}` |" in (tmp_path / "dbk-sync.md").read_text()
    assert "##vso[task.setvariable variable=dbk_sync_changed;isOutput=true;]true" in ran.err
    assert failed.err.count("##vso[task.logissue type=error;sourcepath=") == 3
    assert "were found%0A" not in failed.out


def test_a_job_of_gitlab_finds_reports_that_are_never_pushed(dbk_sync, write, target_of, monkeypatch, alone):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(alone))
    target, folder = target_of("volume"), alone / ".databricks/dbk-sync"
    write({**SMALL, **SECRET})

    dbk_sync("push", ".", *target.words)
    (remark,) = json.loads((folder / "code-quality.json").read_text())
    outputs = (folder / "outputs.env").read_text().splitlines()
    again = dbk_sync("push", ".", *target.words)

    assert remark["location"] == {"path": "100%,a:b/.env", "lines": {"begin": 1}}
    assert (remark["severity"], remark["check_name"]) == ("minor", "dbk-sync")
    assert outputs[0].startswith("DBK_SYNC_TREE=")
    assert "DBK_SYNC_CHANGED=true" in outputs
    assert "Nothing to do" in again.err
    assert json.loads((folder / "code-quality.json").read_text()) == []
    assert set(target.files()) == {*SMALL, *SECRET}


def test_a_failure_on_gitlab_is_in_the_report(dbk_sync, write, monkeypatch, alone):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(alone))
    write({"big.bin": bytes(2_000_000)})

    dbk_sync("check", "--max-file-size-mb", "1")

    (remark,) = json.loads((alone / ".databricks/dbk-sync/code-quality.json").read_text())
    assert (remark["severity"], remark["location"]["path"]) == ("blocker", "big.bin")


def test_a_checkout_that_cannot_be_written_is_no_trouble(dbk_sync, write, monkeypatch, alone):
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", "/dev/null")
    write(SMALL)

    assert dbk_sync("check").code == 0


def test_elsewhere_nobody_is_told_anything():
    assert detect({}) is None
    assert detect({"GITHUB_ACTIONS": "false", "TF_BUILD": "", "GITLAB_CI": "no"}) is None
