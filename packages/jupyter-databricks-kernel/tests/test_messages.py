"""What the kernel says is well formed, whatever it says (check 2)."""

EVERY_KIND = """
import sys
from IPython.display import HTML, clear_output, display
from comm import create_comm
print("out")
print("err", file=sys.stderr)
clear_output(wait=True)
shown = display(HTML("<b>x</b>"), display_id=True, metadata={"text/html": {"isolated": True}})
shown.update(HTML("<b>y</b>"))
comm = create_comm(target_name="ours", data={"a": 1})
comm.send({"b": 2}, buffers=[b"bytes"])
comm.close()
input("a line? ")
"""
# The client of these tests holds each message against its schema when it comes, and keeps its type.
TYPES = {
    *("status", "execute_input", "execute_result", "stream", "display_data", "update_display_data", "clear_output"),
    *("error", "comm_open", "comm_msg", "comm_close", "input_request", "execute_reply", "kernel_info_reply"),
    *("complete_reply", "inspect_reply", "is_complete_reply", "history_reply", "comm_info_reply", "interrupt_reply"),
    *("debug_reply", "create_subshell_reply", "list_subshell_reply"),
}


def test_check_02_each_message_is_valid_by_the_schema_of_its_type(kernel, client):
    answer = client.run(EVERY_KIND, allow_stdin=True, answers=["typed"])
    client.run("1/0")
    client.run("zip?", user_expressions={"good": "1", "bad": "1/0"})
    client.run("print('unseen')", silent=True)
    for kind, arguments in {
        "kernel_info": (),
        "complete": ("pri",),
        "inspect": ("print",),
        "is_complete": ("1 +",),
        "comm_info": (),
    }.items():
        client.ask(kind, *arguments)
    client.ask("history", hist_access_type="tail", n=3)
    kernel.interrupt()
    client.control("debug_request", {"type": "request", "seq": 1, "command": "debugInfo", "arguments": {}})
    client.control("create_subshell_request", {})
    client.control("list_subshell_request", {})

    assert answer.result["text/plain"] == "'typed'"
    assert client.checked >= TYPES
