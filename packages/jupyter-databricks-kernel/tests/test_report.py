"""What `%dbk` answers."""

import pytest
from jupyter_databricks_kernel._report import Facts, plain, sent, status

CLUSTER = {"name": "<mine>", "state": "RUNNING", "runtime": "17.3.x-scala2.13", "access_mode": "USER_ISOLATION"}
FACTS = Facts("https://w", "0123-456789-abc", "idle", CLUSTER, "ctx", "spool", "3.12.3")


def test_the_status_has_a_line_for_each_fact():
    lines = dict(
        line.split(maxsplit=1) for line in status(FACTS)["text/plain"].replace("er state", "er-state").splitlines()
    )

    assert lines["workspace"] == "https://w"
    assert lines["cluster"] == "<mine> 0123-456789-abc"
    assert lines["cluster-state"] == "RUNNING"
    assert lines["runtime"] == "17.3.x-scala2.13"
    assert lines["access"] == "mode    standard"
    assert lines["session"] == "ready"
    assert lines["context"] == "ctx"
    assert lines["output"].startswith("live")
    assert lines["last"] == "sync      nothing sent yet"


def test_the_status_links_to_the_pages_of_the_cluster():
    shown = status(FACTS)["text/html"]

    assert "&lt;mine&gt;" in shown
    for page in ("", "/spark-ui", "/driver-logs"):
        assert f'href="https://w/compute/clusters/0123-456789-abc{page}"' in shown


@pytest.mark.parametrize("facts", [Facts("", "", "new"), Facts("https://w", "", "new")])
def test_without_a_cluster_it_says_what_is_missing_and_links_nowhere(facts):
    answer = status(facts)

    assert "DATABRICKS_CLUSTER_ID not set" in answer["text/plain"]
    assert "href" not in answer["text/html"]
    assert "access mode" not in answer["text/plain"]


def test_a_sync_of_nothing_says_so():
    assert sent(None) == plain("Nothing has changed since the last sync.")
