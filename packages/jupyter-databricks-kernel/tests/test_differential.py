"""The same cells on stock ipykernel and on this kernel: the normalised transcripts must be equal."""

import importlib.util
import re
from pprint import pformat

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

SHOW = "from IPython.display import *\nimport sys, os, asyncio, warnings"

CELLS = {
    "nothing": "pass",
    "a value": "1 + 1",
    "a value that is not shown": "1 + 1;",
    "none": "None",
    "several values": "1\n2",
    "a string with escapes": "'a\\nb\\t\\x1b[31mc'",
    "unicode": "'äß∂ 🚀'",
    "a large value": "list(range(2000))",
    "a function": "def f(x):\n    '''Doc.'''\n    return x\nf",
    "a class with a repr": "class A:\n    def __repr__(self): return 'A!'\nA()",
    "a repr that fails": "class B:\n    def __repr__(self): raise ValueError('no repr')\nB()",
    "print": "print('a', 'b', sep='-', end='!')",
    "print and value": "print('a')\n'b'",
    "stderr": "print('e', file=sys.stderr)",
    "both streams": "print('o'); print('e', file=sys.stderr); print('o2')",
    "write without newline": "_ = sys.stdout.write('x')",
    "carriage returns": "for i in range(5): print(f'\\r{i}', end='')",
    "a progress bar": (
        "from tqdm import tqdm\nfor _ in tqdm(range(100), bar_format='{n_fmt} of {total_fmt}', mininterval=0): pass"
    ),
    "bytes to the buffer": "import io; print(io.StringIO('x').read())",
    "a warning": "warnings.warn('careful')",
    "html": "HTML('<b>x</b>')",
    "display html": "display(HTML('<b>x</b>'))",
    "display several": "display(1, 'two', HTML('<i>3</i>'))",
    "display raw": "display({'text/plain': 'raw', 'application/x': 'y'}, raw=True)",
    "display metadata": "display(HTML('x'), metadata={'a': 1})",
    "markdown": "Markdown('# x')",
    "latex": "Latex('$x$')",
    "math": "Math('x^2')",
    "json": "JSON({'a': [1, 2, {'b': None}]})",
    "svg": "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>')",
    "javascript": "Javascript('1 + 1')",
    "an image": "Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(20), format='png')",
    "a mime bundle": (
        "class M:\n"
        "    def _repr_mimebundle_(self, **k): return {'text/plain': 'm', 'text/x': 'y'}, {'text/x': {'w': 1}}\n"
        "M()"
    ),
    "html and latex reprs": (
        "class R:\n    def _repr_html_(self): return '<r>'\n    def _repr_latex_(self): return '$r$'\nR()"
    ),
    "updatable display": "h = display('first', display_id='fixed')",
    "update it": "h.update('second')",
    "update another way": "update_display(HTML('third'), display_id='fixed')",
    "clear": "print(1)\nclear_output()\nprint(2)",
    "clear and wait": "print(1)\nclear_output(wait=True)\nprint(2)",
    "clear and nothing": "print(1)\nclear_output()",
    "an error": "1/0",
    "output and an error": "print('before')\nraise KeyError('k')",
    "an error with a cause": "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e",
    "an error group": "raise ExceptionGroup('g', [ValueError(1), KeyError('k')])",
    "an error of one's own": "class Own(Exception): pass\nraise Own('mine', 2)",
    "an empty error": "raise RuntimeError",
    "an assertion": "assert 1 == 2, 'not equal'",
    "a syntax error": "def (x): pass",
    "an indentation error": "  x = 1\n y = 2",
    "a name error": "undefined_name",
    "system exit": "raise SystemExit('bye')",
    "recursion": "def r(): return r()\nr()",
    "a wrong magic": "%no_such_magic",
    "a line magic": "%precision 3\n1/3",
    "reset the precision": "%precision",
    "a cell magic": "%%capture out\nprint('captured')",
    "what was captured": "out.stdout",
    "shell": "!echo from the shell",
    "shell into a variable": "found = !echo one; echo two\nfound",
    "a cell of bash": "%%bash\necho hi; echo err >&2",
    "a failing cell of bash": "%%bash\nexit 3",
    "html magic": "%%html\n<p>x</p>",
    "write a file": "%%writefile made_by_a_cell.txt\nline",
    "read it": "print(open('made_by_a_cell.txt').read())",
    "a file in the pager": "%less made_by_a_cell.txt",
    "the classic notebook's saving": "%autosave 30",
    "what tqdm takes a front end for": "from tqdm.auto import tqdm\ntqdm.__mro__[1].__module__",
    "help": "f?",
    "source": "f??",
    "await": "await asyncio.sleep(0.01, 'slept')",
    "await and print": "for i in range(2):\n    await asyncio.sleep(0.01)\n    print(i)",
    "async for": "async def g():\n    yield 1\n    yield 2\n[x async for x in g()]",
    "an error while awaiting": "async def bad():\n    raise ValueError('async')\nawait bad()",
    "a thread": "import threading\nt = threading.Thread(target=lambda: print('in a thread')); t.start(); t.join()",
    "a child process": "import subprocess\n_ = subprocess.run(['echo', 'child'])",
    "the last values": "_, __ is not None",
    "set the next input": "get_ipython().set_next_input('z = 1')",
    "a context manager": (
        "from contextlib import redirect_stdout\n"
        "import io\n"
        "b = io.StringIO()\n"
        "with redirect_stdout(b):\n"
        "    print('x')\n"
        "b.getvalue()"
    ),
    "the name of the module": "__name__",
    "a doctest-like comment": "# only a comment",
    "an empty line above": "\n\n'late'",
    "a leading space": "    'indented'",
    "logging": "import logging; logging.warning('logged')",
    "pretty": "{'b': list(range(30)), 'a': {'x' * 30: 'y' * 40}}",
    "a set of types": "{1.5, 2}, frozenset(), range(3), b'x', 3j, ...",
    "input refused": "input('?')",
    "a figure": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nprint('before')\n"
        "plt.plot([1, 2]); plt.show()\nprint('after')"
    ),
    "a figure at the end of a cell": "figure, axes = plt.subplots()",
    "a figure as a value": "plt.figure(figsize=(1, 1));",
    "a frame": "import pandas\npandas.DataFrame({'a': [1, 2], 'b': ['x', None]})",
    "a plotly bundle": (
        "display({'application/vnd.plotly.v1+json': {'data': [{'type': 'bar', 'y': [1, 2]}], 'layout': {}},"
        " 'text/html': '<div></div>'}, raw=True)"
    ),
    "an altair bundle": (
        "display({'application/vnd.vegalite.v5+json': {'mark': 'bar', 'data': {'values': []}},"
        " 'text/plain': '<chart>'},"
        " raw=True, metadata={'application/vnd.vegalite.v5+json': {'embed_options': {}}})"
    ),
    "geojson": "GeoJSON({'type': 'Point', 'coordinates': [1, 2]})",
    "a pretty printer": "class P:\n    def _repr_pretty_(self, p, cycle): p.text('pretty!')\nP()",
    "a display hook of one's own": "class D:\n    def _ipython_display_(self): print('shown by itself')\nD()",
    "timed": "%%capture --no-stdout\nprint('kept')",
    "a magic of one's own": (
        "from IPython.core.magic import register_cell_magic\n"
        "@register_cell_magic\n"
        "def shout(line, cell): print(line, cell.upper())"
    ),
    "its use": "%%shout now\nwords",
    "tasks": "await asyncio.gather(*(asyncio.sleep(0.01 * n, n) for n in range(3)))",
    "a comm": (
        "from comm import create_comm\nc = create_comm(target_name='ours', data={'a': 1}, metadata={'m': 2})\n"
        "c.send({'b': 2}, buffers=[b'bytes'])\nc.close()"
    ),
    "a slider": "import ipywidgets\ns = ipywidgets.IntSlider(value=3, description='n')\ns",
    "a slider moved by code": "s.value = 5",
    "a widget that shows output": "o = ipywidgets.Output()\nwith o:\n    print('inside')\no",
    "a box of widgets": "ipywidgets.VBox([s, ipywidgets.Label('x')])",
    "a widget with bytes": "ipywidgets.Image(value=b'\\x89PNG' + bytes(9), format='png')",
    "an interaction": "ipywidgets.interact(lambda x: print('x is', x), x=4);",
    "a widget closed": "s.close()",
}

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
# Where the code stands is another place in each kernel.
_PLACE = re.compile(r"(?:Cell In\[\d+\], line \d+|File:? [^\n]*|\(\S+, line \d+\)|\S+(?=:\d+: \w+Warning))")
# ipykernel replies `NoneType: None` for a repr that raises, although it has shown the error.
BETTER_REPLY = {"a repr that fails"}


# Widgets and comms are named by chance.
_NAME_OF_CHANCE = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])")
NEEDS = {"ipywidgets": "ipywidgets", "pandas": "pandas", "plt": "matplotlib", "tqdm": "tqdm"}


def normal(text):
    text = _ADDRESS.sub("0x0", _ANSI.sub("", text))
    return _PLACE.sub("PLACE", text)


def numbered(transcript):
    """The transcript as text, where the names that are made by chance are numbered as they come."""
    names = {}
    return _NAME_OF_CHANCE.sub(lambda found: f"name {names.setdefault(found[0], len(names))}", transcript)


def plain(value):
    if isinstance(value, str):
        return normal(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in ("traceback", "execution_count")}
    return [plain(item) for item in value] if isinstance(value, list) else value


def transcript(answer):
    """What a front end would show of an answer.

    Text that comes without anything between is put together by stream: ipykernel does not keep the order of the two.
    """
    shown = []
    for message in answer.messages:
        kind, content = message["msg_type"], plain(message["content"])
        if kind == "stream":
            if not shown or shown[-1][0] != kind:
                shown.append((kind, {}))
            texts = shown[-1][1]
            texts[content["name"]] = texts.get(content["name"], "") + content["text"]
        elif kind == "error":
            shown.append((kind, {**content, "last line": normal(message["content"]["traceback"][-1])}))
        else:
            if content.get("data", {}).get("state", {}).get("msg_id"):
                content["data"]["state"]["msg_id"] = "that of the cell"
            shown.append((kind, content, [bytes(buffer) for buffer in message["buffers"]]))
    return numbered(pformat(shown, width=150)).splitlines(), answer.reply["execution_count"], answer.count


def reply(answer):
    return {key: plain(answer.reply.get(key)) for key in ("status", "ename", "evalue", "payload", "user_expressions")}


@pytest.fixture(scope="module")
def both(kernel, environment, start_kernel, tmp_path_factory):
    """Our kernel and a stock one."""
    folder = tmp_path_factory.mktemp("stock")
    with start_kernel(environment(), folder, "python3", specs=KernelSpecManager()) as stock:
        for one in (kernel, stock):
            one.client.run(SHOW)
            one.client.run("get_ipython().run_line_magic('colors', 'nocolor')")
        yield kernel.client, stock.client


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_looks_as_on_ipykernel(both, name):
    missing = {module for word, module in NEEDS.items() if word in CELLS[name] and not importlib.util.find_spec(module)}
    if missing:
        pytest.skip(f"not installed: {missing}")
    ours, theirs = (client.run(CELLS[name], user_expressions={"e": "1 + 1"}) for client in both)

    assert transcript(ours) == transcript(theirs)
    assert reply(ours) == reply(theirs) or name in BETTER_REPLY


def test_check_09_a_progress_bar_ends_as_on_ipykernel(both):
    preprocessors = pytest.importorskip("nbconvert.preprocessors")
    pytest.importorskip("tqdm")
    code = (
        "import time\nfrom tqdm import tqdm\n"
        "for _ in tqdm(range(100), bar_format='{desc}{bar:20}{n_fmt}/{total_fmt}', mininterval=0.02):\n"
        "    time.sleep(0.005)"
    )

    def saved(client):
        outputs = [nbformat.v4.output_from_msg(message) for message in client.run(code).messages]
        cell = nbformat.v4.new_code_cell(code, outputs=outputs)
        return preprocessors.CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)[0].outputs

    ours, theirs = (saved(client) for client in both)

    assert ours == theirs
    (bar,) = ours
    assert bar.name == "stderr"
    assert bar.text.count("/100") == 1
    assert "100/100" in bar.text


def test_there_are_cells_of_every_kind():
    assert len(CELLS) >= 60
