"""What a person sees who picks "Databricks Session" in JupyterLab: a real server, a real browser, a real kernel.

With `DBK_SCREENSHOTS=1` in the environment these tests also make the pictures in `docs/images`.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
import shutil
import time

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

PRESSED = """\
import ipywidgets as widgets

button = widgets.Button(description="Measure")
log = widgets.Output()
with log:
    print("ready")


@log.capture()
def measure(_):
    print("measured", 1, "on the cluster")


button.on_click(measure)
display(widgets.VBox([button, log]))"""
BAR = """\
import time

from tqdm.notebook import tqdm

for step in tqdm(range(30), desc="steps"):
    time.sleep(0.02)"""
WIDGETS = pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab_widgets") is None, reason="ipywidgets is not installed"
)


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


def test_check_38_a_cell_runs_and_its_output_and_value_are_shown(open_notebook):
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


def test_check_38_the_stop_button_interrupts_the_cell_and_the_next_one_runs(open_notebook):
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


def test_check_38_a_restart_from_the_toolbar_clears_the_variables(open_notebook):
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


@WIDGETS
def test_check_36_a_slider_moved_in_the_browser_is_observed_on_the_cluster(open_notebook, screenshot):
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
    book = notebook.save()
    nbformat.validate(book)
    assert [output.data["text/plain"][:5] for output in book.cells[0].outputs] == ["VBox("]


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


def changes_of_outputs(page):
    """The messages by which the kernel shows something or changes it, as they come over the page's websockets."""
    kinds = (b'"display_data"', b'"update_display_data"', b'"clear_output"', b'"stream"')
    seen = []

    def note(frame):
        data = frame if isinstance(frame, bytes) else frame.encode()
        seen.extend(kind for kind in kinds if b'"msg_type":' in data and kind in data.replace(b" ", b""))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    return seen


def test_check_38_the_progress_of_a_starting_cluster_is_calm_and_never_saved(
    page, open_notebook, workspace, wait_until
):
    changes = changes_of_outputs(page)
    workspace.set_options(start_s=600.0)
    workspace.terminate_cluster()
    notebook = open_notebook("print('hello')", "6 * 7", "1 / 0", name="saved")

    notebook.start(0)
    began_s = time.monotonic()

    expect(notebook.outputs(0)).to_contain_text("cluster")
    wait_until(lambda: page.wait_for_timeout(100) or len(changes) >= 4, "progress that goes on")
    waited_s = time.monotonic() - began_s
    workspace.advance(600)
    expect(notebook.prompt(0)).to_have_text("[1]:")
    # The first and its end come on top of two a second.
    assert len(changes) <= 2 * (waited_s + 10)
    notebook.run(1)
    notebook.run(2)
    book = notebook.save()
    nbformat.validate(book)
    (hello,), (value,), (error,) = (cell.outputs for cell in book.cells[:3])
    assert hello == {"output_type": "stream", "name": "stdout", "text": "hello\n"}
    assert value.data == {"text/plain": "42"}
    assert (error.output_type, error.ename) == ("error", "ZeroDivisionError")
    assert [cell.execution_count for cell in book.cells[:3]] == [1, 2, 3]


def test_check_39_the_debugger_is_off_and_running_shows_no_error(open_notebook):
    errors = []
    notebook = open_notebook("x = 1\nx", name="debugger")
    notebook.page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    notebook.page.on("pageerror", lambda error: errors.append(str(error)))

    bug = notebook.page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="debugger-icon"] jp-button')
    notebook.run(0)

    for button in bug.all():  # JupyterLab may leave it out altogether
        expect(button).to_have_attribute("aria-disabled", "true")
    expect(notebook.page.locator(".jp-Dialog")).to_have_count(0)
    assert [text for text in errors if "debug" in text.lower()] == []


@WIDGETS
def test_output_made_in_an_output_widget_is_shown_and_saved_there(open_notebook):
    notebook = open_notebook(PRESSED, name="output")
    notebook.run(0)
    expect(notebook.cell(0).locator(".jp-OutputArea .jp-OutputArea")).to_contain_text("ready")

    notebook.cell(0).get_by_role("button", name="Measure").click()

    shown = notebook.cell(0).locator(".jp-OutputArea .jp-OutputArea")
    expect(shown).to_contain_text("measured 1 on the cluster")
    book = notebook.save()
    nbformat.validate(book)
    assert [output.output_type for output in book.cells[0].outputs] == ["display_data"]


@WIDGETS
def test_check_36_the_bar_of_tqdm_notebook_is_full_at_the_end(open_notebook):
    pytest.importorskip("tqdm")
    notebook = open_notebook(BAR, name="tqdm")

    notebook.run(0)

    expect(notebook.cell(0).locator(".widget-hprogress, .jupyter-widget-hprogress")).to_be_visible()
    expect(notebook.outputs(0).first).to_contain_text("30/30")


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
