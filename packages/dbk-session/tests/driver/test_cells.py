"""A cell under the agent is what it is in IPython: numbers, history, results, magics."""

import pytest
from dbk_session.driver import wire


def test_a_result_has_the_number_that_was_asked_for(make_driver):
    driver = make_driver()

    outcome = driver.run("1 + 2", count=7)

    assert outcome.of("result") == [{"count": 7, "data": {"text/plain": "3"}, "metadata": {}}]
    assert outcome.done["count"] == 7
    assert driver.run("In[7], Out[7], _7, _i7, len(In)").result == "('1 + 2', 3, 3, '1 + 2', 9)"


def test_without_a_number_the_shell_counts_by_itself(make_driver):
    driver = make_driver()

    assert [driver.run(code).done["count"] for code in ("1", "2", "3")] == [1, 2, 3]


def test_a_client_may_count_from_one_again(make_driver):
    driver = make_driver()
    for code in ("1", "2", "3"):
        driver.run(code)

    assert driver.run("'again'", count=1).result == "'again'"
    assert driver.run("In[1], Out[1], In[2]", count=2).result == "(\"'again'\", 'again', 'In[1], Out[1], In[2]')"


def test_the_trailer_is_in_no_history(make_driver, tmp_path):
    driver = make_driver(history=str(tmp_path / "history.sqlite"))
    driver.run("a = 1")

    assert driver.run("In[1], _i").result == "('a = 1', 'a = 1')"
    assert "dbk:" not in driver.run("%history -n 1-2").text()
    assert "ERROR" not in driver.run("pass").text()


def test_helper_calls_and_the_bootstrap_leave_no_trace(make_driver):
    driver = make_driver()
    driver.run("41 + 1")
    driver.call("complete", code="pri", cursor_pos=3)
    driver.install()
    driver.call("exec", code="print(1)")

    outcome = driver.run("_, In, Out, _ih is In, [n for n in globals() if 'dbk' in n]")

    assert outcome.result == (
        "(42,\n ['', '41 + 1', \"_, In, Out, _ih is In, [n for n in globals() if 'dbk' in n]\"],\n"
        " {1: 42},\n True,\n [])"
    )
    assert outcome.done["count"] == 2


def test_helper_calls_do_not_fire_the_users_callbacks(make_driver):
    driver = make_driver()
    driver.run("seen = []\nget_ipython().events.register('pre_run_cell', lambda info: seen.append(info.raw_cell))")
    driver.call("complete", code="pri", cursor_pos=3)

    assert driver.run("seen").result == "['seen']"


def test_a_callback_of_the_user_after_a_cell_writes_into_that_cell(make_driver):
    driver = make_driver()
    driver.run("get_ipython().events.register('post_run_cell', lambda result: print('after', result.result))")

    assert driver.run("5").text() == "after 5\n"


def test_underscores_follow_the_results(make_driver):
    driver = make_driver()
    for code in ("1", "2", "3"):
        driver.run(code)

    assert driver.run("_, __, ___").result == "(3, 2, 1)"


@pytest.mark.parametrize("code", ["1;", "x = 1", "", "   ", "# only a comment", "None", "%%capture\nprint(1)"])
def test_a_cell_without_a_value_has_no_result(driver, code):
    outcome = driver.run(code)

    assert outcome.of("result", "stream", "error") == []
    assert outcome.frame["status"] == "ok"


def test_a_cell_without_history_has_a_result_and_no_number(make_driver):
    driver = make_driver()
    driver.run("'first'")

    assert driver.run("'hidden'", store_history=False).result == "'hidden'"
    assert driver.run("'quiet';", store_history=False).result is None
    assert driver.run("In[1:], 'x'").result == "([\"'first'\", \"In[1:], 'x'\"], 'x')"


def test_a_silent_cell_shows_no_result_but_prints(make_driver):
    driver = make_driver()

    outcome = driver.run("print('out')\n1", silent=True)

    assert outcome.text() == "out\n"
    assert outcome.result is None
    assert driver.run("In[1:]").result == "['In[1:]']"
    assert driver.run("2").result == "2"


def test_expressions_are_evaluated_after_the_cell_each_for_itself(driver):
    outcome = driver.run("x = 20", expressions={"a": "x + 1", "b": "nothing", "c": "1/0"})

    expressions = outcome.done["expressions"]
    assert expressions["a"] == {"status": "ok", "data": {"text/plain": "21"}, "metadata": {}}
    assert (expressions["b"]["status"], expressions["b"]["ename"]) == ("error", "NameError")
    assert expressions["c"]["ename"] == "ZeroDivisionError"
    assert outcome.frame["status"] == "ok"


def test_expressions_are_evaluated_with_empty_code(driver):
    outcome = driver.run("", expressions={"a": "1 + 1"}, store_history=False)

    assert outcome.done["expressions"]["a"]["data"] == {"text/plain": "2"}


def test_expressions_are_not_evaluated_after_an_error(driver):
    assert driver.run("1/0", expressions={"a": "1"}).done["expressions"] == {}


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("import asyncio\nawait asyncio.sleep(0)\n'awaited'", "'awaited'"),
        ("%%time\nv = 3\nv", "3"),
        ("%%python --out text\nprint('sub')", None),
        ("files = !echo one\nfiles[0]", "'one'"),
        ("a = 1\na\n", "1"),
        ("  indented = 4\n  indented", "4"),
        (">>> 2 + 2", "4"),
        ("%who_ls nothing", "[]"),
    ],
)
def test_ipython_syntax_works(driver, code, result):
    outcome = driver.run(code)

    assert outcome.frame["status"] == "ok", outcome.records
    assert outcome.result == result


def test_code_without_a_trailer_is_left_to_the_host(driver):
    text = driver.host.command("print('plain')\n6 * 7")

    assert wire.find_frame(text) == (None, text)
    assert "plain\n" in text
    assert "42" in text


def test_a_nested_cell_does_not_end_the_outer_one(driver):
    outcome = driver.run(
        "ip = get_ipython()\nip.run_cell('print(1)')\nip.run_cell('')\nip.run_cell('   ')\nprint(2)\n'end'"
    )

    assert outcome.text() == "1\n2\n"
    assert outcome.result == "'end'"


def test_the_frame_says_how_the_run_ended(driver):
    outcome = driver.run("1")

    assert outcome.frame["nonce"] == driver.hello["nonce"]
    assert outcome.frame["last"] == outcome.records[-1]["n"] == len(outcome.records)
    assert outcome.records[-1]["events"] == len(outcome.records) - 1
    assert outcome.frame["payload"].encode() == driver.file(outcome.frame["run"]).read_bytes()
    assert outcome.frame["late"] == {}


def test_payloads_come_with_the_end(driver, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("loaded = 1\n")

    page = driver.run("zip?").done["payload"]
    load = driver.run(f"%load {script}").done["payload"]
    after = driver.run("1").done["payload"]

    assert [payload["source"] for payload in page] == ["page"]
    assert "zip" in page[0]["data"]["text/plain"]
    assert load == [{"source": "set_next_input", "text": f"# %load {script}\nloaded = 1\n", "replace": True}]
    assert after == []


def test_exit_asks_the_client_and_the_interpreter_lives(make_driver):
    driver = make_driver()

    assert driver.run("exit").done["payload"] == [{"source": "ask_exit", "keepkernel": False}]
    assert driver.run("1").result == "1"
