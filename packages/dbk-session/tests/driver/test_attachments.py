"""What comes with a cell is handled before its code runs, or the code does not run."""

REGISTER = """
import sys
handled = []
def handler(payload):
    print('nobody hears this')
    handled.append(payload)
    return {'got': payload}
def failing(payload):
    raise ValueError(f'no {payload}')
sys.modules['_dbk_agent'].register_attachment('good', handler)
sys.modules['_dbk_agent'].register_attachment('bad', failing)
"""


def test_an_attachment_is_handled_before_the_code(make_driver):
    driver = make_driver()
    driver.run(REGISTER)

    outcome = driver.run("handled", attachments={"good": [1, "x"]})

    assert outcome.of("attachment") == [{"name": "good", "reply": {"got": [1, "x"]}}]
    assert outcome.result == "[[1, 'x']]"
    assert outcome.text() == ""


def test_a_handler_that_raises_stops_the_cell(make_driver):
    driver = make_driver()
    driver.run(REGISTER)

    outcome = driver.run("ran = True", attachments={"bad": 7, "good": 1})

    assert outcome.of("attachment")[0]["error"]["evalue"] == "no 7"
    assert outcome.error == ("ValueError", "no 7")
    assert outcome.frame["status"] == "error"
    assert driver.run("'ran' in globals(), handled").result == "(False, [])"


def test_an_attachment_that_nobody_handles_stops_the_cell(driver):
    outcome = driver.run("ran = True", attachments={"nobody": 1})

    assert outcome.error[0] == "LookupError"
    assert "nobody" in outcome.error[1]
    assert driver.run("'ran' in globals()").result == "False"


def test_an_attachment_can_be_handled_without_a_cell(make_driver):
    driver = make_driver()
    driver.run(REGISTER)

    assert driver.call("attachment", name="good", payload={"a": 1}) == {"got": {"a": 1}}


def test_helper_code_has_a_namespace_of_its_own_and_its_output_comes_back(driver):
    driver.call("exec", code="private = 5", name="tool")

    value = driver.call("exec", code="import sys\nprint(private)\nprint('e', file=sys.stderr)", name="tool")

    assert value == {"stdout": "5\n", "stderr": "e\n"}
    assert driver.run("'private' in globals()").result == "False"


def test_helper_code_that_raises_is_a_failed_reply(driver):
    frame = driver.call_frame("exec", code="1/0")

    assert (frame["ok"], frame["error"]["ename"]) == (False, "ZeroDivisionError")
