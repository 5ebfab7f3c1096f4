"""`input` and `getpass`: a question as a record, an answer through the spool folder."""

import json

from dbk_session.driver import wire


def ask(driver, code, *answers, **trailer):
    """Run a cell that asks, and answer each question."""
    run_id = driver.start(code, allow_stdin=True, **trailer)
    asked = []
    for answer in answers:
        known = {question["id"] for question in asked}
        question = driver.wait_for(run_id, "input", **({"id": str(int(max(known)) + 1)} if known else {}))
        asked.append(question)
        driver.answer(run_id, question["id"], answer)
    return driver.finish(run_id), asked


def test_input_asks_and_gets_its_answer(driver):
    outcome, (question,) = ask(driver, "name = input('Name? ')\nname", "Grün")

    assert (question["prompt"], question["password"]) == ("Name? ", False)
    assert outcome.result == "'Grün'"


def test_getpass_asks_for_a_password_that_stands_nowhere(driver):
    outcome, (question,) = ask(driver, "import getpass\nsecret = getpass.getpass('PIN: ')\nlen(secret)", "hunter2")

    assert (question["prompt"], question["password"]) == ("PIN: ", True)
    assert outcome.result == "7"
    assert b"hunter2" not in driver.file(outcome.frame["run"]).read_bytes()


def test_several_questions_are_asked_one_after_another(driver):
    outcome, asked = ask(driver, "[input('a'), input('b')]", "1", "2")

    assert [question["prompt"] for question in asked] == ["a", "b"]
    assert outcome.result == "['1', '2']"


def test_the_end_of_input_is_an_eof_error(driver):
    outcome, _ = ask(driver, "input()", None)

    assert outcome.error[0] == "EOFError"


def test_a_question_is_refused_at_once_where_nobody_can_answer(driver):
    outcome = driver.run("input()", allow_stdin=False)

    assert outcome.error == (
        "StdinNotImplementedError",
        "raw_input was called, but this frontend does not support input requests.",
    )
    assert driver.run("import getpass\ngetpass.getpass()").error[0] == "StdinNotImplementedError"


def test_an_interrupt_ends_the_wait(driver):
    run_id = driver.start("input('wait')", allow_stdin=True)
    driver.wait_for(run_id, "input")

    driver.host.interrupt()

    assert driver.finish(run_id).error[0] == "KeyboardInterrupt"
    assert driver.run("1").result == "1"


def test_pdb_can_be_used(driver):
    outcome, asked = ask(
        driver, "def f():\n    x = 41\n    import pdb; pdb.set_trace()\n    return x + 1\nf()", "p x", "n", "c"
    )

    assert {question["prompt"] for question in asked} == {"ipdb> "}
    assert "41\n" in outcome.text()
    assert outcome.result == "42"


def test_the_magic_debugger_can_be_used(driver):
    driver.run("def f():\n    local = 17\n    1/0\nf()")

    outcome, _ = ask(driver, "%debug", "p local", "q")

    assert "17" in outcome.text()


def test_an_answer_that_was_forged_is_not_taken(driver):
    run_id = driver.start("input('who')", allow_stdin=True)
    question = driver.wait_for(run_id, "input")
    path = driver.file(run_id).parents[1] / "answers" / f"{run_id}.{question['id']}"
    path.write_text(wire.seal(bytes(32), json.dumps({"text": "mallory"}).encode()))

    outcome = driver.finish(run_id)

    assert outcome.error[0] == "Forged"
    assert outcome.result is None


def test_input_of_a_library_is_the_hosts_again_after_the_cell(driver):
    driver.run("import builtins\nmine = builtins.input", allow_stdin=True)

    assert driver.host.command("print(builtins.input is mine)") == "False\n"
