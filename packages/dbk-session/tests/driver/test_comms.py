"""Comms both ways, with buffers, and the widgets that live on them."""

import base64
import json

import pytest
from dbk_session.driver import wire

TARGET = """
import comm
got = []
def opened(channel, message):
    got.append(('open', message['content']['data']))
    def heard(m):
        got.append(('msg', m['content']['data'], [bytes(b) for b in m['buffers']]))
        print('heard')
    channel.on_msg(heard)
    channel.on_close(lambda m: got.append(('close',)))
    channel.send({'back': 1}, buffers=[b'abc'])
comm.get_comm_manager().register_target('test', opened)
"""


@pytest.fixture(scope="module")
def talking(driver):
    if "comm" not in driver.hello["capabilities"]:
        pytest.skip("the driver's interpreter has no comm package")
    driver.run(TARGET)
    return driver


def send(driver, run_id, msg_type, **content):
    """One message of the front end, while the interpreter is idle; the records it made."""
    buffers = content.pop("buffers", [])
    arguments = {"run": run_id, "msg_type": msg_type, "content": content, "buffers": buffers}
    frame, rest = wire.find_frame(driver.host.command(wire.call_text("comm", arguments)))
    assert rest == ""
    return frame, driver.records(run_id)


def test_a_comm_is_opened_used_and_closed_by_the_front_end(talking):
    talking.run("got.clear()")
    frame, records = send(talking, "open-1", "comm_open", comm_id="c1", target_name="test", data={"x": 1})
    assert frame["kind"] == "run"
    assert [record["t"] for record in records] == ["start", "comm", "done"]
    assert records[1]["msg_type"] == "comm_msg"
    assert records[1]["content"] == {"data": {"back": 1}, "comm_id": "c1"}
    assert records[1]["buffers"] == [base64.b64encode(b"abc").decode()]
    assert talking.call("comm_info")["comms"]["c1"] == {"target_name": "test"}
    assert "c1" in talking.call("comm_info", target_name="test")["comms"]
    assert talking.call("comm_info", target_name="other")["comms"] == {}

    buffers = [base64.b64encode(b"\x00\x01").decode()]
    send(talking, "msg-1", "comm_msg", comm_id="c1", data={"y": 2}, buffers=buffers)
    assert talking.text_of("msg-1") == "heard\n"

    send(talking, "close-1", "comm_close", comm_id="c1", data={})
    assert talking.run("got").result == "[('open', {'x': 1}), ('msg', {'y': 2}, [b'\\x00\\x01']), ('close',)]"
    assert "c1" not in talking.call("comm_info")["comms"]


def test_a_message_is_handled_once(talking):
    send(talking, "open-2", "comm_open", comm_id="c2", target_name="test", data={})

    frame, _ = send(talking, "open-2", "comm_open", comm_id="c2", target_name="test", data={})

    assert frame["kind"] == "refused"


def test_a_handler_that_raises_is_logged_and_the_interpreter_lives(talking):
    talking.run("comm.get_comm_manager().register_target('bad', lambda c, m: 1/0)")

    _, records = send(talking, "open-3", "comm_open", comm_id="c3", target_name="bad", data={})

    assert "ZeroDivisionError" in "".join(record.get("text", "") for record in records)
    assert talking.run("1").result == "1"


def test_a_message_reaches_a_busy_interpreter_through_the_inbox(talking, control):
    send(talking, "open-4", "comm_open", comm_id="c4", target_name="test", data={})
    run_id = talking.start("got.clear()\nprint('on')\nwhile not got:\n    pass\ngot[0][:2]")
    talking.wait_for(run_id, "stream")

    message = {
        "type": "comm",
        "run": "msg-4",
        "msg_type": "comm_msg",
        "content": {"comm_id": "c4", "data": {"z": 3}},
        "buffers": [],
    }
    control.call("post", sealed=wire.seal(talking.key, json.dumps(message).encode()))

    assert talking.finish(run_id).result == "('msg', {'z': 3})"
    assert talking.wait_for("msg-4", "done")["status"] == "ok"
    talking.wait_for_text("msg-4", "heard\n")


def test_a_widget_shows_itself_and_follows_the_front_end(talking):
    if talking.run("import ipywidgets").frame["status"] != "ok":
        pytest.skip("the driver's interpreter has no ipywidgets")
    shown = talking.run(
        "slider = ipywidgets.IntSlider()\nslider.observe(lambda c: print('now', c['new']), 'value')\nslider"
    )
    view = shown.of("result")[0]["data"]["application/vnd.jupyter.widget-view+json"]
    opened = [record["content"]["comm_id"] for record in shown.of("comm") if record["msg_type"] == "comm_open"]
    assert view["model_id"] in opened

    send(
        talking,
        "drag",
        "comm_msg",
        comm_id=view["model_id"],
        data={"method": "update", "state": {"value": 33}, "buffer_paths": []},
    )

    assert talking.text_of("drag") == "now 33\n"
    assert talking.run("slider.value").result == "33"


def test_an_output_widget_asks_for_what_belongs_to_its_run(talking):
    if talking.run("import ipywidgets").frame["status"] != "ok":
        pytest.skip("the driver's interpreter has no ipywidgets")

    outcome = talking.run("out = ipywidgets.Output()\nwith out:\n    print('inside')", run="output-run")

    states = [record["content"]["data"].get("state", {}) for record in outcome.of("comm")]
    assert "output-run" in [state.get("msg_id") for state in states]
