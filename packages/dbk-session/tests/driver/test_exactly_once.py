"""A run id is executed once in the life of an interpreter, and the interpreter can be told from another."""

from dbk_session.driver import bootstrap, wire


def test_the_same_run_again_is_refused_and_runs_nothing(make_driver):
    driver = make_driver()
    driver.run("count = 0")
    driver.run("count += 1\ncount", run="once")

    again = driver.run("count += 1\ncount", run="once")

    assert again.frame["kind"] == "refused"
    assert (again.frame["run"], again.frame["reason"], again.frame["state"]) == ("once", "started", "done")
    assert driver.run("count, In[-2:]").result == "(1, ['count += 1\\ncount', 'count, In[-2:]'])"


def test_a_refused_cell_with_an_error_in_its_syntax_says_nothing(driver):
    driver.run("1", run="broken")

    again = driver.run("def f(:", run="broken")

    assert again.frame["kind"] == "refused"
    assert again.rest == ""


def test_what_is_no_run_id_is_refused(driver):
    for run_id in ("../x", "a b", "x" * 200):
        outcome = driver.run("made = 1", run=run_id)
        assert (outcome.frame["kind"], outcome.frame["reason"]) == ("refused", "bad-trailer")


def test_the_client_can_ask_what_became_of_a_run(driver):
    outcome = driver.run("1", run="asked")

    known = driver.call("has", run="asked")

    assert (known["state"], known["length"], known["sha256"]) == (
        "done",
        outcome.frame["length"],
        outcome.frame["sha256"],
    )
    assert driver.call("has", run="never-sent") == {"state": "never"}
    assert "asked" in driver.call("runs")


def test_the_bootstrap_again_changes_nothing_and_says_hello(make_driver):
    driver = make_driver()
    first = dict(driver.hello)
    driver.run("kept = 1", run="before")

    second = driver.install()

    assert first["fresh"]
    assert not second["fresh"]
    for name in ("nonce", "key", "spool", "pid", "version"):
        assert second[name] == first[name], name
    assert second["execution_count"] == 2
    assert list(second["runs"]) == ["before"]
    assert driver.run("kept").result == "1"


def test_another_version_takes_over_the_interpreter_and_what_was_run(make_driver):
    driver = make_driver()
    driver.run("kept = 1\ncount = 1", run="old")
    first = dict(driver.hello)
    text = bootstrap(**driver.options)
    version = first["version"]

    driver.host.command("import sys\nsys.modules['_dbk_agent'].__version__ = 'older'\n_dbk_names = 0\ndel _dbk_names")
    hello, rest = wire.find_frame(driver.host.command(text))
    driver.hello, driver.key = hello, bytes.fromhex(hello["key"])

    assert rest == ""
    assert hello["fresh"]
    assert (hello["nonce"], hello["version"]) == (first["nonce"], version)
    assert hello["spool"] != first["spool"]
    assert driver.run("count += 1", run="old").frame["kind"] == "refused"
    outcome = driver.run("print('once')\nkept, count")
    assert outcome.result == "(1, 1)"
    assert outcome.text() == "once\n"


def test_a_new_interpreter_has_another_nonce(make_driver):
    assert make_driver().hello["nonce"] != make_driver().hello["nonce"]


def test_an_operation_with_an_id_is_done_once(driver):
    code = "made = globals().get('made', 0) + 1\nprint(made)"

    answers = [driver.call("exec", code=code, id="the-call", name="counting")["stdout"] for _ in range(3)]

    assert answers == ["1\n", "1\n", "1\n"]
    assert driver.call("exec", code=code, name="counting")["stdout"] == "2\n"


def test_a_closed_agent_leaves_an_ordinary_interpreter_that_can_be_taken_again(make_driver):
    driver = make_driver()
    driver.run("kept = 3")
    nonce = driver.hello["nonce"]

    driver.call("close")

    assert not driver.file("x").parents[1].exists()
    assert driver.host.command("print('plain'); import builtins; display").startswith("plain\n")
    assert driver.install()["nonce"] == nonce
    assert driver.run("kept").result == "3"
