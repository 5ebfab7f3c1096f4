"""What a person sees who picks "Databricks Session" in JupyterLab: a real server, a real browser, a real kernel.

With `DBK_SCREENSHOTS=1` in the environment these tests also make the pictures in `docs/images`.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
import shutil

import nbformat
import pytest

pytest.importorskip("jupyterlab")
expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no `chromium` on the PATH"),
]

TRAINING = """\
import time

for step in range(1, 1001):
    print(f"step {step:4}: loss {1 / step:.4f}")
    time.sleep(0.25)"""
STATION = '''\
class Station:
    """A weather station; it lives on the cluster."""

    def __init__(self, city, celsius):
        self.city = city
        self.celsius = celsius

    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32


station = Station("Lisbon", 17.3)'''
SLIDER = """\
import ipywidgets as widgets

celsius = widgets.IntSlider(description="Celsius", min=0, max=40, value=17)
answer = widgets.Label("Move the slider.")


def convert(change):
    answer.value = f"{change.new} °C are {change.new * 9 / 5 + 32:.1f} °F, computed on the cluster."


celsius.observe(convert, "value")
widgets.VBox([celsius, answer])"""


def test_the_launcher_offers_the_kernel_with_our_logo_and_opens_a_notebook(page, lab):
    page.goto(f"{lab.url}lab/workspaces/launcher")
    card = page.locator('.jp-LauncherCard[data-category="Notebook"]', has_text="Databricks Session")
    logo = card.locator("img")
    expect(logo).to_be_visible()
    expect(logo).to_have_js_property("complete", True)

    shown = page.request.get(logo.evaluate("image => image.src")).body()
    ours = importlib.resources.files("jupyter_databricks_kernel") / "kernelspec" / "logo-svg.svg"
    assert shown == ours.read_bytes()
    assert logo.evaluate("image => image.naturalWidth") > 0

    card.click()

    expect(page.locator(".jp-NotebookPanel .jp-Toolbar-kernelName")).to_have_text("Databricks Session")
    expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")


def test_a_cell_runs_and_its_output_and_value_are_shown(open_notebook):
    notebook = open_notebook('print("Hello from Databricks!")\n6 * 7', name="hello")

    notebook.run(0)

    expect(notebook.outputs(0)).to_have_text(["Hello from Databricks!", "42"])
    expect(notebook.prompt(0)).to_have_text("[1]:")


def test_output_appears_while_the_cell_still_runs(open_notebook, screenshot):
    notebook = open_notebook(TRAINING, name="training")

    notebook.start(0)

    expect(notebook.outputs(0)).to_contain_text("step    4: loss 0.2500")
    expect(notebook.prompt(0)).to_have_text("[*]:")
    screenshot(notebook.page, "live-output.png")


def test_the_stop_button_interrupts_the_cell_and_the_next_one_runs(open_notebook):
    notebook = open_notebook(TRAINING, "step > 0", name="interrupted")
    notebook.start(0)
    expect(notebook.outputs(0)).to_contain_text("step    1")

    notebook.press("interrupt")

    expect(notebook.outputs(0).last).to_contain_text("KeyboardInterrupt")
    expect(notebook.prompt(0)).to_have_text("[1]:")
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_text("True")


def test_tab_offers_the_attributes_of_a_variable_on_the_cluster(open_notebook, screenshot):
    notebook = open_notebook(STATION, "", name="stations")
    notebook.run(0)
    notebook.editor(1).click()
    notebook.page.keyboard.type("station.")

    notebook.page.keyboard.press("Tab")

    offered = notebook.page.locator(".jp-Completer-item")
    expect(offered.filter(has_text="fahrenheit")).to_be_visible()
    expect(offered.filter(has_text="celsius")).to_be_visible()
    screenshot(notebook.page, "completion.png")


def test_a_restart_from_the_toolbar_clears_the_variables(open_notebook):
    notebook = open_notebook("answer = 42", '"answer" in globals()', name="restarted")
    notebook.run(0)
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_text("True")

    notebook.press("restart")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(notebook.page.locator(".jp-Dialog")).to_have_count(0)
    notebook.start(1)

    expect(notebook.outputs(1)).to_have_text("False")
    expect(notebook.prompt(1)).to_have_text("[1]:")


def test_an_error_is_shown_once_with_its_traceback(open_notebook):
    notebook = open_notebook("def ratio(a, b):\n    return a / b\n\n\nprint('before')\nratio(1, 0)", name="error")

    notebook.run(0)

    expect(notebook.outputs(0)).to_have_count(2)
    printed, traceback = notebook.outputs(0).all_inner_texts()
    assert printed.strip() == "before"
    assert traceback.count("Traceback (most recent call last)") == 1
    assert traceback.count("ZeroDivisionError: division by zero") == 1
    assert "return a / b" in traceback


@pytest.mark.skipif(importlib.util.find_spec("jupyterlab_widgets") is None, reason="ipywidgets is not installed")
def test_a_slider_moved_in_the_browser_is_observed_on_the_cluster(open_notebook, screenshot):
    notebook = open_notebook(SLIDER, name="widgets")
    notebook.run(0)
    handle = notebook.cell(0).locator(".noUi-handle")
    handle.focus()

    handle.press("ArrowRight")

    label = notebook.cell(0).locator(".widget-label", has_text="on the cluster")
    expect(label).to_have_text("18 °C are 64.4 °F, computed on the cluster.")
    at = handle.bounding_box()
    notebook.page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    notebook.page.mouse.down()
    notebook.page.mouse.move(at["x"] + 500, at["y"], steps=5)
    notebook.page.mouse.up()
    expect(label).to_have_text("40 °C are 104.0 °F, computed on the cluster.")
    screenshot(notebook.page, "widget.png")


def test_a_line_rewritten_by_carriage_returns_stays_one_line(open_notebook):
    notebook = open_notebook(
        'for done in range(0, 101, 5):\n    print(f"\\r{done:3}%", end="", flush=True)\nprint(" done")',
        name="progress",
    )

    notebook.run(0)

    expect(notebook.outputs(0)).to_have_text(re.compile(r"^\s*100% done\s*$"))


def test_input_is_answered_in_its_box(open_notebook):
    notebook = open_notebook('name = input("Your name? ")\nprint("Hello,", name)', name="question")
    notebook.start(0)
    expect(notebook.cell(0).locator(".jp-Stdin-prompt")).to_have_text("Your name? ")
    box = notebook.cell(0).locator(".jp-Stdin-input")

    box.fill("Ada")
    box.press("Enter")

    expect(notebook.prompt(0)).to_have_text("[1]:")
    expect(notebook.outputs(0).last).to_have_text("Hello, Ada")


def test_the_progress_of_a_starting_cluster_is_shown_but_never_saved(open_notebook, workspace):
    workspace.set_options(start_s=600.0)
    workspace.terminate_cluster()
    notebook = open_notebook("print('hello')", "6 * 7", "1 / 0", name="saved")

    notebook.start(0)

    expect(notebook.outputs(0)).to_contain_text("cluster")
    workspace.advance(600)
    expect(notebook.prompt(0)).to_have_text("[1]:")
    notebook.run(1)
    notebook.run(2)
    book = notebook.save()
    nbformat.validate(book)
    (hello,), (value,), (error,) = (cell.outputs for cell in book.cells[:3])
    assert hello == {"output_type": "stream", "name": "stdout", "text": "hello\n"}
    assert value.data == {"text/plain": "42"}
    assert (error.output_type, error.ename) == ("error", "ZeroDivisionError")
    assert [cell.execution_count for cell in book.cells[:3]] == [1, 2, 3]


@pytest.mark.spark
def test_the_quick_start_shows_its_table_and_its_plot(open_notebook, lab, root, screenshot):
    pytest.importorskip("pyspark")
    shutil.copytree(root / "docs/examples/quickstart", lab.folder / "quickstart")
    notebook = open_notebook(name="quickstart")

    notebook.page.get_by_role("menuitem", name="Run", exact=True).click()
    notebook.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    expect(notebook.outputs(4)).to_have_text("caught: TABLE_OR_VIEW_NOT_FOUND")
    expect(notebook.outputs(2).locator("table")).to_contain_text("Lisbon")
    expect(notebook.outputs(3).locator("img")).to_be_visible()
    notebook.outputs(2).evaluate("table => table.scrollIntoView()")
    screenshot(notebook.page, "jupyterlab.png")
