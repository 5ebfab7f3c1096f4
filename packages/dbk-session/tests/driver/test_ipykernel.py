"""The agent inside a real ipykernel (which is what a Databricks context runs), and beside a stock one as the oracle."""

import re

import pytest
from dbk_session.driver import bootstrap, wire

jupyter_client = pytest.importorskip("jupyter_client")
pytest.importorskip("ipykernel")

PATIENCE_S = 60
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Kernel:
    """A stock ipykernel."""

    def __init__(self):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(kernel_name="python3")

    def run(self, code):
        """Messages of a cell as (type, content), and its reply."""
        messages = []

        def keep(message):
            if message["msg_type"] not in ("status", "execute_input", "iopub_welcome"):
                messages.append((message["msg_type"], message["content"]))

        reply = self.client.execute_interactive(code, timeout=PATIENCE_S, output_hook=keep, allow_stdin=False)
        return messages, reply["content"]

    def text(self, code):
        """What a cell prints."""
        messages, _ = self.run(code)
        return "".join(content["text"] for kind, content in messages if kind == "stream")

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture(scope="module")
def stock():
    kernel = Kernel()
    yield kernel
    kernel.close()


class Hosted:
    """An ipykernel with the agent in it."""

    def __init__(self, folder):
        self.kernel = Kernel()
        self.hello, rest = wire.find_frame(self.kernel.text(bootstrap(spool_root=str(folder))))
        assert rest == "", rest
        self.key = bytes.fromhex(self.hello["key"])
        self.number = 0

    def run(self, code, **trailer):
        """The frame, its records, and what else the kernel has sent."""
        self.number += 1
        messages, _ = self.kernel.run(wire.with_trailer(code, {"run": f"run-{self.number}", **trailer}))
        text = "".join(content["text"] for kind, content in messages if kind == "stream")
        frame, rest = wire.find_frame(text)
        assert frame is not None, messages
        other = [message for message in messages if message[0] != "stream"]
        if frame["kind"] != "run":
            return frame, [], (rest, other)
        value = wire.find_frame(self.kernel.text(wire.call_text("read", {"run": frame["run"]})))[0]["value"]
        return frame, wire.read_records(wire.unpack_piece(value), self.key)[0], (rest, other)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    made = Hosted(tmp_path_factory.mktemp("hosted"))
    yield made
    made.kernel.close()


CELLS = [
    "1 + 1",
    "print('a')\nimport sys\nprint('b', file=sys.stderr)\n'c'",
    "1/0",
    "raise ValueError('boom')",
    "def f(:",
    "x = 3;",
    "x;",
    "try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e",
    "from IPython.display import display, HTML, Markdown, Image, clear_output\ndisplay(HTML('<b>x</b>'))",
    "display({'text/html': 'h', 'text/latex': '$l$'}, raw=True, metadata={'text/html': {'isolated': True}})",
    "clear_output(wait=True)\nprint('cleared')",
    "Markdown('# m')",
    "for i in range(3):\n    print(i, end='\\r')",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "%%time\n1/0",
    "%no_such_magic",
    "%%no_such\nx",
    "class R:\n    def _repr_html_(self): return '<i>'\n    def __repr__(self): return 'r'\nR()",
    "%%capture c\nprint(1)",
    "c.stdout",
    "_, __",
    "raise SystemExit(1)",
    "input()",
    "import getpass; getpass.getpass()",
    "!echo shell",
    "print('no newline', end='')",
    "'a' * 5000",
    "Image(data=bytes([137, 80, 78, 71, 13, 10, 26, 10]), format='png')",
    "import warnings\nwarnings.warn('careful')",
    "assert False, 'never'",
    "import no_such_module_at_all",
    "exec('1/0')",
    "eval('(')",
    "None",
    "",
    "# comment",
    "display('x', display_id='d')\ndisplay('y', display_id='d', update=True)",
    "import json\njson.loads('{')",
]


def of_stock(messages):
    """Messages as the agent's records have them."""
    kinds = {"execute_result": "result", "display_data": "display", "update_display_data": "display"}
    kept = []
    for kind, content in messages:
        record = {key: value for key, value in content.items() if key != "execution_count"}
        if kind in ("display_data", "update_display_data"):
            record |= {"update": kind != "display_data", "buffers": []}
        name = {"stream": "stream", "error": "error", "clear_output": "clear", **kinds}[kind]
        kept.append((name, record))
    return normal(kept)


def of_agent(records):
    kept = []
    for record in records:
        if record["t"] not in ("start", "done"):
            hidden = ("n", "run", "t", "time", "count")
            kept.append((record["t"], {key: value for key, value in record.items() if key not in hidden}))
    return normal(kept)


def normal(records):
    """Streams joined; numbers, paths and addresses that differ by their nature taken out."""
    joined = []
    for kind, content in records:
        if kind == "stream" and joined and joined[-1][0] == "stream" and joined[-1][1]["name"] == content["name"]:
            joined[-1] = (kind, {**content, "text": joined[-1][1]["text"] + content["text"]})
            continue
        joined.append((kind, content))
        if content.get("ename") == "StdinNotImplementedError":
            # The stock kernel's own frames are in its traceback.
            joined[-1] = (kind, {**content, "traceback": [content["traceback"][0], content["traceback"][-1]]})
    return [(kind, plain(content)) for kind, content in joined]


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, str):
        return value
    value = re.sub(r"\x1b\[[0-9;]*m", "", value)
    value = re.sub(r"/tmp/ipykernel_\d+/\d+\.py|\(\d+\.py", "FILE", value)
    value = re.sub(r"0x[0-9a-f]+", "ADDRESS", value)
    value = re.sub(r"In\[\d+\]", "In[n]", value)
    return re.sub(r"CPU times:.*\nWall time:.*", "TIMES", value)


def test_outputs_of_all_kinds_are_those_of_a_stock_ipykernel(stock, hosted):
    differences = []
    for code in CELLS:
        messages, reply = stock.run(code)
        frame, records, (rest, other) = hosted.run(code)
        if of_stock(messages) != of_agent(records):
            differences.append((code, of_stock(messages), of_agent(records)))
        if (frame["status"], rest) != (reply["status"], ""):
            differences.append((code, reply["status"], frame["status"], rest))
        if [kind for kind, _ in other]:
            differences.append((code, other))
    assert differences == []


def test_replies_are_those_of_a_stock_ipykernel(stock, hosted):
    code = "import os\ndef documented(a, b=1):\n    'Says it.'\n"
    stock.run(code)
    hosted.run(code)
    for op, content in [
        ("complete", {"code": "documen", "cursor_pos": 7}),
        ("complete", {"code": "os.pa", "cursor_pos": 5}),
        ("complete", {"code": "x = 1\nos.path.jo", "cursor_pos": 16}),
        ("inspect", {"code": "documented", "cursor_pos": 4, "detail_level": 0}),
        ("inspect", {"code": "os.path.join(", "cursor_pos": 13, "detail_level": 0}),
        ("inspect", {"code": "no_such", "cursor_pos": 4, "detail_level": 1}),
    ]:
        request = getattr(stock.client, op)
        expected = request(**content, reply=True, timeout=PATIENCE_S)["content"]
        frame, _ = wire.find_frame(hosted.kernel.text(wire.call_text(op, content)))
        assert plain(frame["value"]) == plain(expected), content


def test_a_run_is_refused_twice_and_counted_right_inside_an_ipykernel(hosted):
    hosted.run("counted = 0")
    _, records, _ = hosted.run("counted += 1\ncounted", count=90)
    hosted.number -= 1
    frame, _, _ = hosted.run("counted += 1")

    assert [record["count"] for record in records if record["t"] == "result"] == [90]
    assert frame["kind"] == "refused"
    _, records, _ = hosted.run("counted, In[90]")
    assert "(1, 'counted += 1" in str(records)


def test_a_task_that_outlives_its_cell_counts_as_live(hosted):
    code = (
        "import asyncio\n"
        "async def later():\n    await ended.wait()\n"
        "ended = asyncio.Event()\n"
        "task = asyncio.create_task(later())"
    )

    assert hosted.run(code)[0]["live"] == 1
    assert hosted.run("1")[0]["live"] == 0
    assert hosted.run("ended.set()\nawait task")[0]["live"] == 0


def test_errors_have_the_colours_of_an_ipykernel(stock, hosted):
    """Not those of a dark terminal, which is what a shell that nobody looks at may have."""
    expected = [content["traceback"][0] for kind, content in stock.run("1/0")[0] if kind == "error"]
    seen = [record["traceback"][0] for record in hosted.run("1/0")[1] if record["t"] == "error"]

    assert seen == expected
