"""Displays: whole mime bundles, metadata, updates and clearing."""

import base64
from itertools import groupby

import pytest
from dbk_session.driver.agent.content import clean


def test_a_display_has_all_its_types_and_metadata(driver):
    outcome = driver.run(
        "from IPython.display import display\n"
        "display({'text/html': '<b>x</b>', 'text/plain': 'x'}, raw=True, metadata={'text/html': {'isolated': True}})"
    )

    assert outcome.of("display") == [
        {
            "data": {"text/html": "<b>x</b>", "text/plain": "x"},
            "metadata": {"text/html": {"isolated": True}},
            "transient": {},
            "update": False,
            "buffers": [],
        }
    ]


def test_objects_show_themselves_in_every_form_they_have(driver):
    outcome = driver.run(
        "class Rich:\n"
        "    def _repr_html_(self): return '<i>r</i>'\n"
        "    def _repr_latex_(self): return '$r$'\n"
        "    def _repr_png_(self): return b'\\x89PNG\\r\\n\\x1a\\n'\n"
        "    def _repr_json_(self): return {'r': [1, float('nan')]}\n"
        "    def __repr__(self): return 'r'\n"
        "Rich()"
    )

    data = outcome.of("result")[0]["data"]
    assert data["text/html"] == "<i>r</i>"
    assert data["text/latex"] == "$r$"
    assert base64.b64decode(data["image/png"]) == b"\x89PNG\r\n\x1a\n"
    assert data["application/json"] == {"r": [1, "nan"]}
    assert data["text/plain"] == "r"


def test_a_display_can_be_updated_later(driver):
    driver.run("handle = display('one', display_id='here')")

    (record,) = driver.run("handle.update('two')").of("display")

    assert (record["update"], record["transient"], record["data"]["text/plain"]) == (
        True,
        {"display_id": "here"},
        "'two'",
    )


def test_clearing_is_a_record_in_its_place(plotting, driver):
    outcome = driver.run(
        "from IPython.display import clear_output\nprint(1)\nclear_output()\nprint(2)\nclear_output(wait=True)"
    )

    kinds = [kind for kind, _ in groupby(record["t"] for record in outcome.records)]
    assert kinds == ["start", "stream", "clear", "stream", "clear", "done"]
    assert outcome.of("clear") == [{"wait": False}, {"wait": True}]


def test_text_and_displays_stay_in_the_order_of_the_source(driver):
    outcome = driver.run("print(1)\ndisplay(2)\nprint(3)\n4")

    kinds = [kind for kind, _ in groupby(record["t"] for record in outcome.records[1:-1])]
    assert kinds == ["stream", "display", "stream", "result"]


def test_captured_output_stays_captured(driver):
    outcome = driver.run("%%capture kept\nprint(1)\ndisplay(2)\n3")

    assert outcome.of("stream", "display", "result") == []
    assert driver.run("kept.stdout, len(kept.outputs)").result == "('1\\n', 2)"


@pytest.fixture
def plotting(driver):
    if "matplotlib" not in driver.hello["capabilities"]:
        pytest.skip("the driver's interpreter has no matplotlib")
    return driver


def test_a_figure_is_shown_as_a_picture_when_the_cell_ends(plotting, driver):
    outcome = driver.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn');")

    (display,) = outcome.of("display")
    assert base64.b64decode(display["data"]["image/png"]).startswith(b"\x89PNG")
    assert outcome.text() == "drawn\n"
    assert driver.run("plt.get_fignums()").result == "[]"


def test_two_figures_are_two_displays_and_show_puts_one_in_its_place(plotting, driver):
    outcome = driver.run(
        "import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()\nprint('between')\nplt.figure(); plt.plot([2]);"
    )

    kinds = [kind for kind, _ in groupby(record["t"] for record in outcome.records[1:-1])]
    assert kinds == ["display", "stream", "display"]


def test_values_that_json_lacks_are_replaced_as_jupyter_does_it():
    import datetime
    import decimal

    assert clean({1: (b"x", {2}), "d": datetime.date(2024, 1, 2)}) == {"1": ["eA==", [2]], "d": "2024-01-02"}
    assert clean([float("inf"), True, None, decimal.Decimal("1.5")])[:3] == ["inf", True, None]
