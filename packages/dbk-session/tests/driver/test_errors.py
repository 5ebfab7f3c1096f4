"""Errors: the true name and value, IPython's own traceback, and no trace of the agent."""

import json

import pytest

FAILURES = {
    "plain": "def f():\n    return 1/0\nf()",
    "value": "raise ValueError('boom')",
    "chained": "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('x') from error",
    "context": "try:\n    1/0\nexcept ZeroDivisionError:\n    missing",
    "syntax": "def f(:\n    pass",
    "indentation": "if True:\nx",
    "unicode": "raise RuntimeError('grün ☃')",
    "long": "def r(n):\n    return r(n - 1) if n else 1/0\nr(30)",
    "exit": "raise SystemExit(3)",
    "custom": "class Mine(Exception):\n    def __str__(self):\n        return 'mine'\nraise Mine",
    "unprintable": "class Bad(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Bad",
    "magic": "%%time\n1/0",
    "async": "import asyncio\nawait asyncio.sleep(0)\n1/0",
    "assertion": "assert 1 == 2, 'no'",
    "import": "import no_such_module_at_all",
}
# What stock IPython makes of the same cell, in the same interpreter, before the agent is there.
STOCK = """
import json, types
def _stock(code, _shell=get_ipython()):
    seen = []
    _shell._showtraceback = lambda etype, evalue, stb: seen.append([etype.__name__, list(stb)])
    _shell.run_cell(code, store_history=True)
    del _shell._showtraceback
    return seen
"""


@pytest.mark.parametrize("name", [name for name in FAILURES if name != "unprintable"])
def test_a_traceback_is_the_one_of_stock_ipython(make_driver, name):
    code = FAILURES[name]
    stock = make_driver(install=False)
    stock.host.command("pass")
    stock.host.command(STOCK)
    # The cell gets the number 3 in both: it is part of the traceback.
    stock.host.command(f"_seen = _stock({code!r})")
    seen = json.loads(stock.host.command("print(json.dumps(_seen))"))
    driver = make_driver()

    outcome = driver.run(code, count=4)

    error = outcome.of("error")[0]
    assert [[error["ename"], _normal(error["traceback"])]] == [[ename, _normal(lines)] for ename, lines in seen]
    if name != "magic":  # IPython 8 shows the error of a timed cell itself, and goes on
        assert outcome.frame["status"] == "error"
        assert outcome.done["error"]["ename"] == error["ename"]


def _normal(lines):
    """Without the cell's number, which the two count differently, and so without the names that are made of it."""
    import re

    text = "\n".join(lines)
    text = re.sub(r"In\[[^\]]*\]", "In[n]", text)
    return re.sub(r"<ipython-input-[^>]*>", "<input>", text)


def test_a_group_of_exceptions_is_printed_as_ipython_does_it(driver):
    outcome = driver.run("raise ExceptionGroup('many', [ValueError(1), TypeError(2)])")

    assert outcome.frame["status"] == "error"
    assert outcome.done["error"]["ename"] == "ExceptionGroup"
    text = outcome.text("stderr") + "".join(line for error in outcome.of("error") for line in error["traceback"])
    assert "ValueError" in text
    assert "TypeError" in text


def test_output_before_an_error_is_kept(driver):
    outcome = driver.run("print('before')\n1/0\nprint('after')")

    assert outcome.text() == "before\n"
    assert outcome.error == ("ZeroDivisionError", "division by zero")


def test_an_error_is_one_record_and_the_commands_text_is_only_the_frame(driver):
    outcome = driver.run("1/0")

    assert [record["t"] for record in outcome.records] == ["start", "error", "done"]
    assert outcome.rest == ""


def test_an_error_that_cannot_be_printed_is_reported_all_the_same(driver):
    outcome = driver.run(FAILURES["unprintable"])

    assert outcome.of("error")[0]["ename"] == "Bad"
    assert driver.run("1").result == "1"


def test_a_wrong_use_of_a_magic_is_an_error_without_a_traceback(driver):
    outcome = driver.run("%no_such_magic")

    assert outcome.of("error") == []
    assert "UsageError" in outcome.text("stderr")
    assert outcome.frame["status"] == "error"
    assert outcome.done["error"]["ename"] == "UsageError"
    assert outcome.done["error"]["traceback"] == []


def test_the_agents_frames_are_in_no_traceback(driver, tmp_path):
    notebook = tmp_path / "bad.py"
    notebook.write_text("# Databricks notebook source\n1/0\n")

    for code in (f"%run {tmp_path}/bad", "input()", "%sh -e\nexit 1", "import sys\nsys.stdout.write(1)"):
        error = driver.run(code).of("error")[0]
        assert "_dbk_agent" not in "".join(error["traceback"]), code


def test_an_error_while_a_result_is_formatted_fails_the_cell_and_the_result_is_still_shown(driver):
    outcome = driver.run("class Bad:\n    def _repr_html_(self):\n        1/0\nBad()")

    assert outcome.error == ("ZeroDivisionError", "division by zero")
    assert "__main__.Bad" in outcome.result
    assert outcome.frame["status"] == "error"


def test_tb_shows_the_last_error_again(driver):
    driver.run("1/0")

    assert driver.run("%tb").of("error")[0]["ename"] == "ZeroDivisionError"


def test_a_handler_for_an_exception_of_the_users_own_is_called(make_driver):
    driver = make_driver()
    driver.run(
        "def handler(self, etype, value, tb, tb_offset=None):\n    print('handled', value)\n"
        "get_ipython().set_custom_exc((KeyError,), handler)"
    )

    assert driver.run("{}['a']").text() == "handled 'a'\n"
