"""The rows that one warm kernel answers: what it shows, and what it can be asked."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from probe import Outcome, Probe

FIGURE = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('beside')"
BUNDLE = "from IPython.display import display\ndisplay({'text/plain': 'p', 'text/html': '<b>', 'a/b': 'c'}, raw=True)"
PLOTLY = "display({'application/vnd.plotly.v1+json': {'data': [], 'layout': {}}}, raw=True)"
LATEX = "from IPython.display import Latex\nLatex('$x$')"
UPDATES = """
from IPython.display import clear_output
shown = display("a", display_id=True)
shown.update("b")
clear_output(wait=True)
"""
WIDGET = """
import ipywidgets
slider = ipywidgets.IntSlider()
slider
"""
LARGE = "from IPython.display import HTML\ndisplay(HTML('x' * 5_000_000))"


def yes(fact: object) -> str:
    return "yes" if fact else "no"


def mimes(outcome: Outcome) -> set[str]:
    return {mime for content in outcome.of("display_data", "execute_result") for mime in content["data"]}


def live(probe: Probe) -> str:
    outcome = probe.run("import time\nfor i in range(4):\n    print('line', i, flush=True); time.sleep(0.7)")
    first = [took for took, kind, content in outcome.outputs if kind == "stream" and "line 0" in content["text"]]
    return f"first line after {first[0]:.2f} s of 2.8 s" if first else "no"


def streams(probe: Probe) -> str:
    outcome = probe.run("import sys\nprint('o'); print('e', file=sys.stderr)")
    return yes(outcome.text("stdout") == "o\n" and outcome.text("stderr") == "e\n")


def rewritten(probe: Probe) -> str:
    outcome = probe.run("import time\nfor i in range(5):\n    print(f'\\r{i}', end='', flush=True); time.sleep(0.3)")
    frames = [content["text"] for content in outcome.of("stream") if "\r" in content["text"]]
    return f"5 frames in {len(frames)} messages" if frames else "no"


def results(probe: Probe) -> str:
    outcome = probe.run("1 + 2")
    shown = outcome.of("execute_result")
    if not shown or shown[0]["data"]["text/plain"] != "3":
        return f"no: {outcome.text('stdout').strip()!r} as text"
    return yes(outcome.reply and shown[0]["execution_count"] == outcome.reply["execution_count"])


def updates(probe: Probe) -> str:
    kinds = [kind for _, kind, _ in probe.run(UPDATES).outputs]
    return yes({"update_display_data", "clear_output"} <= set(kinds))


def figures(probe: Probe) -> str:
    outcome = probe.run(FIGURE)
    image = "image/png" in mimes(outcome)
    return (
        yes(image and "beside" in outcome.text("stdout"))
        if image == ("beside" in outcome.text("stdout"))
        else ("the figure without the text beside it" if image else "the text without the figure")
    )


def errors(probe: Probe) -> str:
    shown = probe.run("raise ValueError('boom')").of("error")
    if [(e["ename"], e["evalue"]) for e in shown] == [("ValueError", "boom")]:
        return yes(any("\x1b[" in line for line in shown[0]["traceback"]))
    return f"no: {shown[0]['ename']}" if shown else "no"


def completion(probe: Probe) -> str:
    probe.run("value = {'a': 1}")
    found = probe.ask("complete", "value.ke")
    return yes(found and any("keys" in match for match in found["matches"]))


def unfinished(probe: Probe) -> str:
    found = probe.ask("is_complete", "for i in x:")
    return yes(found and found["status"] == "incomplete")


def past(probe: Probe) -> str:
    found = probe.ask("history", hist_access_type="tail", n=3)
    return yes(found and found["history"])


def comms(probe: Probe) -> str:
    outcome = probe.run(WIDGET)
    opened = [
        c["comm_id"] for c in outcome.of("comm_open") if c["data"]["state"].get("_model_name") == "IntSliderModel"
    ]
    if not opened:
        return "no"
    data = {"method": "update", "state": {"value": 5}, "buffer_paths": []}
    probe.client.shell_channel.send(probe.client.session.msg("comm_msg", {"comm_id": opened[0], "data": data}))
    return "both ways" if "5" in probe.run("print(slider.value)").text("stdout") else "shown, does not answer"


def magics(probe: Probe) -> str:
    line, cell = probe.run("%precision 2"), probe.run("%%time\nprint('timed')")
    return yes((line.reply or {}).get("status") == "ok" and "Wall time" in cell.text("stdout") + cell.text("stderr"))


def said(code: str, word: str) -> Callable[[Probe], str]:
    def ask(probe: Probe) -> str:
        outcome = probe.run(code, timeout_s=120)
        return yes(word in outcome.text("stdout") + outcome.text("stderr"))

    return ask


def sql(probe: Probe) -> str:
    shown = mimes(probe.run("%sql SELECT 1 + 1 AS two", timeout_s=180))
    left = probe.run("print(_sqldf.columns)", timeout_s=60).text("stdout")
    return f"{'a table' if 'text/html' in shown else 'no table'}{', _sqldf' if 'two' in left else ''}"


def ran(probe: Probe) -> str:
    probe.run("%run ./other", timeout_s=60)
    return yes("7" in probe.run("print(from_the_other)").text("stdout"))


def told(probe: Probe) -> str:
    info = probe.ask("kernel_info") or {}
    language = info.get("language_info", {})
    missing = [name for name in ("banner", "help_links") if not info.get(name)]
    return (
        ", ".join(f"no {name}" for name in [*missing, *({"pygments_lexer", "codemirror_mode"} - set(language))])
        or "yes"
    )


def expressions(probe: Probe) -> str:
    reply = probe.run("", user_expressions={"v": "1 + 1"}).reply or {}
    return yes(reply.get("user_expressions", {}).get("v", {}).get("data", {}).get("text/plain") == "2")


def hidden(probe: Probe) -> str:
    silent, unstored = probe.run("1", silent=True), probe.run("hidden = 1", store_history=False)
    before = (probe.run("1").reply or {}).get("execution_count")
    probe.run("1", store_history=False)
    after = (probe.run("1").reply or {}).get("execution_count")
    extra = len(silent.outputs) + len(unstored.outputs)
    return yes(not extra and after == (before or 0) + 1) if not extra else f"{extra} outputs shown"


def payloads(probe: Probe) -> str:
    page = (probe.run("zip?").reply or {}).get("payload")
    following = (probe.run("get_ipython().set_next_input('x')").reply or {}).get("payload")
    return yes(page and following)


def controlled(kind: str, content: dict[str, Any], promise: str) -> Callable[[Probe], str]:
    def ask(probe: Probe) -> str:
        promised = promise in (probe.ask("kernel_info") or {}).get("supported_features", [])
        reply = probe.control(kind, content)
        word = "no reply" if reply is None else "refused"
        if reply is not None and (reply.get("success") or reply.get("status") == "ok"):
            word = "yes"
        return word if promised == (word == "yes") else f"{word}, though {'' if promised else 'not '}promised"

    return ask


def timing(probe: Probe) -> str:
    return yes(probe.run("1").reply_metadata.get("started"))


def large(probe: Probe) -> str:
    sizes = [len(c["data"].get("text/html", "")) for c in probe.run(LARGE, timeout_s=120).of("display_data")]
    return "whole" if sizes == [5_000_000] else f"{max(sizes, default=0):,} of 5,000,000 characters"


def asked(probe: Probe) -> str:
    typed = probe.answering("print('got', input('? '))", "42").text("stdout")
    secret = probe.answering("import getpass\nprint('got', getpass.getpass())", "43").text("stdout")
    return yes("got 42" in typed and "got 43" in secret)


def debugged(probe: Probe) -> str:
    return yes("4711" in probe.answering("x = 4711\nimport pdb; pdb.set_trace()\ny = 1", "p x", "c").text("stdout"))


def quarto(probe: Probe) -> str:
    setup = probe.run("width = 7", store_history=False)
    reply = probe.run("", user_expressions={"0": "width * 2"}).reply or {}
    value = reply.get("user_expressions", {}).get("0", {}).get("data", {}).get("text/plain")
    return yes(value == "14" and not setup.outputs)


def median(code: str, times: int) -> Callable[[Probe], str]:
    def ask(probe: Probe) -> str:
        took = [outcome.reply_s for _ in range(times) if (outcome := probe.run(code)).reply_s is not None]
        return f"{statistics.median(took) * 1000:.0f} ms" if took else "-"

    return ask


ROWS: dict[str, Callable[[Probe], str]] = {
    "live stdout": live,
    "separate stderr": streams,
    "tqdm's `\\r` updates": rewritten,
    "rich mime bundle": lambda probe: yes({"text/plain", "text/html", "a/b"} <= mimes(probe.run(BUNDLE))),
    "`execute_result` with the right `Out[n]`": results,
    "`update_display`, `clear_output` from code": updates,
    "matplotlib inline, with text beside it": figures,
    "plotly and altair bundles": lambda probe: yes("application/vnd.plotly.v1+json" in mimes(probe.run(PLOTLY))),
    "pandas HTML": lambda probe: yes("text/html" in mimes(probe.run("import pandas; pandas.DataFrame({'a': [1]})"))),
    "LaTeX": lambda probe: yes("text/latex" in mimes(probe.run(LATEX))),
    "traceback: name, value, colours": errors,
    "completion of a variable": completion,
    "inspection": lambda probe: yes((probe.ask("inspect", "value") or {}).get("found")),
    "knows an unfinished line": unfinished,
    "history": past,
    "`input()` and `getpass`": asked,
    "pdb": debugged,
    "comms, ipywidgets": comms,
    "debugger (DAP)": controlled("debug_request", {"type": "request", "seq": 1, "command": "debugInfo"}, "debugger"),
    "line and cell magics, `%%time`": magics,
    "`%pip`": said("%pip --version", "pip "),
    "`%sh`": said("%sh echo from $((40 + 2))", "from 42"),
    "`%run` of a project notebook": ran,
    "`%sql`": sql,
    "banner, help links, language": told,
    "user expressions": expressions,
    "silent, `store_history=False`": hidden,
    "payloads (pager, next input)": payloads,
    "subshells": controlled("create_subshell_request", {}, "kernel subshells"),
    "execution timing in the reply": timing,
    "5 MB of HTML": large,
    "quarto: set-up and inline expressions": quarto,
    "trivial cell": median("1", 15),
    "0.3 s cell": median("import time; time.sleep(0.3)", 5),
}
