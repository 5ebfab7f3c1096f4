"""ipywidgets: messages both ways, with the state in the saved notebook (check 36)."""

import pytest

pytest.importorskip("ipywidgets")


@pytest.fixture(autouse=True, scope="module")
def imported(kernel):
    answer = kernel.client.run("import ipywidgets as w\nfrom IPython.display import display", timeout_s=120)
    assert answer.status == "ok", answer.reply


def model_of(answer, name):
    """The id of the model of that class which a cell has opened."""
    for content in answer.contents("comm_open"):
        if content["data"]["state"].get("_model_name") == name:
            return content["comm_id"]
    raise AssertionError(f"no {name} among {answer.kinds}")


def send(client, comm_id, data):
    """Sends a widget message as a front end does, and gives all that comes back for it."""
    message = client.kc.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
    client.kc.shell_channel.send(message)
    seen = []
    for _ in range(600):
        output = client.next_output(0.1)
        if output is not None and output["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            seen.append(output)
            if output["msg_type"] == "status" and output["content"]["execution_state"] == "idle":
                return seen
    raise AssertionError(f"no idle; so far {[one['msg_type'] for one in seen]}")


def test_check_36_a_slider_opens_its_models_and_shows_its_view(client):
    answer = client.run("slider = w.IntSlider(value=3)\nslider")

    comm_id = model_of(answer, "IntSliderModel")
    assert answer.result["application/vnd.jupyter.widget-view+json"]["model_id"] == comm_id
    assert comm_id in client.ask("comm_info", target_name="jupyter.widget")["comms"]


def test_check_36_moving_the_slider_runs_its_observers(client):
    code = "s2 = w.IntSlider()\ns2.observe(lambda change: print('now', change['new']), names='value')\ns2"
    comm_id = model_of(client.run(code), "IntSliderModel")

    seen = send(client, comm_id, {"method": "update", "state": {"value": 7}, "buffer_paths": []})

    printed = [m["content"]["text"] for m in seen if m["msg_type"] == "stream"]
    assert "".join(printed) == "now 7\n"
    assert client.run("s2.value").result["text/plain"] == "7"


def test_check_36_code_moves_the_slider_too(client):
    comm_id = model_of(client.run("s3 = w.IntSlider()\ns3"), "IntSliderModel")

    answer = client.run("s3.value = 5")

    (update,) = [content for content in answer.contents("comm_msg") if content["comm_id"] == comm_id]
    assert update["data"]["state"] == {"value": 5}


def test_check_36_output_goes_into_an_output_widget(client):
    answer = client.run("out = w.Output()\nwith out:\n    print('inside')\nout")
    comm_id = model_of(answer, "OutputModel")

    states = [m["data"]["state"] for m in answer.contents("comm_msg") if m["comm_id"] == comm_id]
    assert next(state["msg_id"] for state in states if "msg_id" in state) != ""
    assert answer.stdout == "inside\n"


def test_check_36_buffers_arrive(client):
    code = "import struct\nimage = w.Image(value=bytes(range(200)), format='png')\nimage"

    answer = client.run(code)

    opened = [m for m in answer.messages if m["msg_type"] == "comm_open" and m["buffers"]]
    assert bytes(opened[0]["buffers"][0]) == bytes(range(200))


def test_check_36_interact_answers(client):
    answer = client.run("w.interact(lambda x: x * 2, x=w.IntSlider(value=4))", timeout_s=120)

    assert model_of(answer, "VBoxModel")
    comm_id = model_of(answer, "IntSliderModel")
    seen = send(client, comm_id, {"method": "update", "state": {"value": 6}, "buffer_paths": []})
    assert "12" in [m["content"]["data"].get("text/plain") for m in seen if m["msg_type"] == "display_data"]


def test_check_36_a_closed_widget_leaves_the_list(client):
    comm_id = model_of(client.run("s5 = w.IntSlider()\ns5"), "IntSliderModel")

    client.run("s5.close()")

    assert comm_id not in client.ask("comm_info")["comms"]
