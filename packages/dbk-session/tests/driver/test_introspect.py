"""Completion and inspection: the shell's own when it is idle, from the snapshot when it is busy."""

import threading

import pytest
from dbk_session.driver import answers, wire
from dbk_session.driver.agent import warmup
from dbk_session.driver.agent.core import Options
from dbk_session.driver.agent.runs import Run, Runs

SNAPSHOT = {
    "names": {
        "frame": {"type": "pandas.DataFrame", "kind": "instance", "columns": ["a", "b c"], "attributes": ["own"]},
        "fun": {"type": "function", "kind": "function", "signature": "(x, y=1)", "doc": "Does it."},
        "number": {"type": "int", "kind": "instance", "repr": "42"},
        "mod": {"type": "module", "kind": "module", "attributes": ["path", "pathsep"]},
    },
    "types": {
        "pandas.DataFrame": {"attributes": ["head", "columns"], "doc": "A table."},
        "int": {"attributes": ["real"]},
    },
}


def test_completion_of_the_namespace_is_the_shells_own(driver):
    driver.run("import os\nsome_long_name = 1")

    reply = driver.call("complete", code="x = some_lo", cursor_pos=11)
    paths = driver.call("complete", code="os.pathse", cursor_pos=9)

    assert (reply["matches"], reply["cursor_start"], reply["cursor_end"]) == (["some_long_name"], 4, 11)
    assert reply["metadata"]["_jupyter_types_experimental"][0]["text"] == "some_long_name"
    assert paths["matches"][0].endswith("pathsep")
    assert driver.call("complete", code="nothing_like_it", cursor_pos=15)["matches"] == []


class Interpreter:
    """What the thread that loads needs of one."""

    def __init__(self):
        self.runs, self.options, self.done = Runs(), Options(completion=True), []

    def warming(self):
        return [lambda: self.done.append("first"), lambda: 1 / 0, lambda: self.done.append("last")]


def test_what_completion_needs_is_loaded_when_nothing_runs(monkeypatch, wait_until):
    monkeypatch.setattr(warmup, "IDLE_S", 0.01)
    interpreter, run = Interpreter(), Run("r", {})
    warming = warmup.Warmup(interpreter, interpreter)
    interpreter.runs.start(run)
    warming.after()
    threading.Event().wait(0.2)
    busy = list(interpreter.done)

    interpreter.runs.finish(run, "ok")
    warming.after()

    wait_until(lambda: interpreter.done == ["first", "last"], "loading")
    assert busy == []


def test_nothing_is_loaded_where_no_names_will_be_asked_for(driver):
    driver.run("1")

    assert "dbk-warmup" not in driver.call("exec", code="import threading\nprint(threading.enumerate())")["stdout"]


def test_inspection_has_two_levels_of_detail(driver):
    driver.run("def documented(a, b=2):\n    '''Says what it does.'''\n    return a")

    low = driver.call("inspect", code="documented(", cursor_pos=11, detail_level=0)["data"]["text/plain"]
    high = driver.call("inspect", code="documented", cursor_pos=3, detail_level=1)["data"]["text/plain"]

    assert "Says what it does." in low
    assert "return" in high
    assert driver.call("inspect", code="missing_name", cursor_pos=3) == {
        "status": "ok",
        "data": {},
        "metadata": {},
        "found": False,
    }


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("1 + 1", {"status": "complete"}),
        ("for x in y:", {"status": "incomplete", "indent": "    "}),
        ("'''", {"status": "incomplete", "indent": ""}),
        ("a b", {"status": "invalid"}),
    ],
)
def test_is_complete(driver, code, reply):
    assert driver.call("is_complete", code=code) == reply


def test_what_a_property_prints_during_completion_is_in_no_cell(driver):
    driver.run(
        "class Loud:\n    @property\n    def x(self):\n        print('loud')\n        return 1\nloud = Loud()",
        run="loud",
    )

    driver.call("complete", code="loud.x.re", cursor_pos=9)

    assert "loud\n" not in "".join(r.get("text", "") for r in driver.records("loud"))


def test_vs_code_completes_through_the_kernel(driver):
    outcome = driver.run("k = get_ipython().kernel\nfound_here = 1\nk.do_complete('found_he', 8)['matches']")

    assert outcome.result == "['found_here']"


def test_the_kernels_parent_is_the_run(driver):
    outcome = driver.run("get_ipython().kernel.get_parent()['header']['msg_id']", run="my-message-id")

    assert outcome.result == "'my-message-id'"


def test_the_snapshot_wakes_nothing_and_runs_no_property(driver):
    driver.run(
        "touched = []\n"
        "class Lazy:\n"
        "    def __getattr__(self, name): touched.append(name); raise AttributeError(name)\n"
        "    @property\n"
        "    def costly(self): touched.append('costly')\n"
        "    @property\n"
        "    def __class__(self): touched.append('class'); return int\n"
        "lazy = Lazy()\ndef fun(a, b=1):\n    'Doc.'\nnumber = 5\n_private = 1"
    )

    snapshot = driver.call("snapshot")

    assert driver.run("touched").result == "[]"
    assert snapshot["names"]["fun"] == {
        "type": "function",
        "kind": "function",
        "signature": "(a, b=1)",
        "doc": "Doc.",
    }
    assert "costly" in snapshot["types"]["__main__.Lazy"]["attributes"]
    assert snapshot["names"]["number"]["repr"] == "5"
    assert "_private" not in snapshot["names"]


def test_the_snapshot_is_bounded(make_driver):
    driver = make_driver()
    driver.run(
        "for i in range(3000):\n    globals()[f'name_{i}'] = type(f'T{i}', (), {f'a{j}': j for j in range(50)})()"
    )

    snapshot = driver.call("snapshot")

    assert snapshot["cut"] is True
    assert len(wire.to_json(snapshot)) < 1_000_000


@pytest.mark.parametrize(
    ("code", "matches"),
    [
        ("fr", ["frame", "from", "frozenset"]),
        ("x = numb", ["number"]),
        ("mod.path", ["path", "pathsep"]),
        ("frame.", ["a", "columns", "head", "own"]),
        ("frame.he", ["head"]),
        ("frame['", ["a", "b c"]),
        ('frame["b', ["b c"]),
        ("number.re", ["real"]),
        ("unknown.x", []),
        ("mod.path.x", []),
        ("first line\nfun", ["fun"]),
        ("impor", ["import"]),
    ],
)
def test_a_busy_interpreter_is_completed_from_its_snapshot(code, matches):
    reply = answers.complete(SNAPSHOT, code, len(code))

    assert reply["matches"] == matches
    assert reply["cursor_end"] == len(code)
    assert all(code[reply["cursor_start"] :] == match[: len(code) - reply["cursor_start"]] for match in matches)


def test_a_busy_interpreter_is_inspected_from_its_snapshot():
    fun = answers.inspect(SNAPSHOT, "fun(1", 5)["data"]["text/plain"]
    frame = answers.inspect(SNAPSHOT, "frame", 2)["data"]["text/plain"]

    assert fun == "Signature: fun(x, y=1)\nType:      function\nDocstring:\nDoes it."
    assert "Columns:   a, b c" in frame
    assert "A table." in frame
    assert answers.inspect(SNAPSHOT, "nope", 1)["found"] is False
    assert answers.complete({}, "", 0)["cursor_start"] == 0
