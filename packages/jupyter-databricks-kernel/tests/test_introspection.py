"""Completion and inspection of what is on the cluster (checks 28 and 29)."""

import re

import pytest
from jupyter_client.kernelspec import KernelSpecManager

NAMES = """
import os, json
rows = {"a": 1}
def shape(of, by=2):
    '''Gives a shape.'''
    return of
class Thing:
    size = 3
thing = Thing()
"""


@pytest.fixture(autouse=True, scope="module")
def names(kernel):
    kernel.client.run(NAMES)


def test_check_28_names_of_the_cluster_are_completed(client):
    assert "thing" in client.ask("complete", "thi")["matches"]
    assert "size" in " ".join(client.ask("complete", "thing.si")["matches"])
    assert "path" in " ".join(client.ask("complete", "os.pat")["matches"])


def test_check_28_the_cursor_counts(client):
    reply = client.ask("complete", "x = thi + 1", cursor_pos=7)

    assert "thing" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (4, 7)


def test_check_28_completion_does_not_wait_for_a_running_cell(kernel, client, wait_until):
    msg_id = client.start("import time\nprint('go', flush=True)\ntime.sleep(600)")
    wait_until(lambda: (m := client.next_output()) is not None and m["msg_type"] == "stream", "the cell runs")

    names = client.ask("complete", "thi")
    attributes = client.ask("complete", "thing.si")
    found = client.ask("inspect", "shape")
    kernel.interrupt()

    assert client.finish(msg_id).reply["ename"] == "KeyboardInterrupt"
    assert "thing" in names["matches"]
    assert "size" in " ".join(attributes["matches"])
    assert found["found"]


def test_an_unknown_name_is_not_found(client):
    assert client.ask("inspect", "nowhere_to_be_found")["found"] is False


@pytest.fixture(scope="module")
def stock(environment, start_kernel, tmp_path_factory):
    with start_kernel(environment(), tmp_path_factory.mktemp("stock"), "python3", specs=KernelSpecManager()) as running:
        running.client.run(NAMES)
        yield running.client


@pytest.mark.parametrize("detail", [0, 1])
@pytest.mark.parametrize("name", ["shape", "thing", "rows", "json.dumps", "len"])
def test_check_29_inspection_says_what_ipykernel_says(client, stock, name, detail):
    ours, theirs = (one.ask("inspect", name, detail_level=detail) for one in (client, stock))

    assert ours["found"]
    assert _text(ours) == _text(theirs)


def _text(reply):
    text = re.sub(r"\x1b\[[0-9;]*m", "", reply["data"]["text/plain"])
    return re.sub(r"(File:\s+).*|0x[0-9a-f]+", r"\1", text)
