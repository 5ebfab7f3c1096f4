"""Programs that drive kernels: nbclient, papermill, `jupyter execute`, quarto, a console (checks 33 to 35, 37)."""

import importlib.util
import json
import re
import subprocess
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELLS = [
    "print('one')\n1 + 1",
    "import sys\nprint('two', file=sys.stderr)",
    "from IPython.display import HTML, display\ndisplay(HTML('<b>three</b>'), display_id='x')",
    "display(HTML('<b>four</b>'), display_id='x', update=True)",
    "1/0",
    "print('six')",
    "input('?')",
]


def notebook(cells, kernel="databricks"):
    spec = {"name": kernel, "display_name": "x", "language": "python"}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells], metadata={"kernelspec": spec}
    )


@pytest.fixture(scope="module")
def execute(specs, environment, workspace, make_project):
    """Runs a notebook through nbclient and gives what would be saved."""

    def run(cells, kernel="databricks", **options):
        nb = notebook(cells, kernel)
        client = NotebookClient(nb, kernel_name=kernel, timeout=120, startup_timeout=120, **options)
        client.execute(env=environment(workspace), cwd=str(make_project()))
        return nb

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", specs.kernel_dirs[0].removesuffix("/kernels"))
        yield run


@pytest.fixture(scope="module")
def saved(execute):
    """The notebook above, run by our kernel."""
    return execute(CELLS, allow_errors=True)


def outputs(nb):
    """The outputs of each cell, as they would be saved, with what must differ taken out."""
    return [[_plain(output) for output in cell.outputs] for cell in nb.cells]


def _plain(output):
    content = json.loads(json.dumps(output))
    content.pop("traceback", None)  # it names the place of the code, which is another one
    return content


def test_check_33_a_saved_notebook_equals_that_of_ipykernel(execute, saved):
    theirs = execute(CELLS, kernel="python3", allow_errors=True)

    assert outputs(saved) == outputs(theirs)
    assert [cell.execution_count for cell in saved.cells] == [1, 2, 3, 4, 5, 6, 7]
    assert saved.metadata["language_info"]["name"] == "python"


def test_check_33_a_failed_cell_has_its_error_and_nothing_else(saved):
    assert [output["output_type"] for output in saved.cells[4].outputs] == ["error"]


def test_check_22_a_question_in_a_headless_run_is_refused(saved):
    assert saved.cells[6].outputs[0]["ename"] == "StdinNotImplementedError"


def test_check_33_nothing_of_a_slow_start_is_saved(execute, workspace):
    workspace.set_cluster_state("TERMINATED")
    try:
        nb = execute(["print('x')"])
    finally:
        workspace.set_cluster_state("RUNNING")

    assert outputs(nb) == [[{"output_type": "stream", "name": "stdout", "text": "x\n"}]]


def test_an_error_stops_a_notebook_run(execute):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(["1/0", "print('no')"])


@pytest.fixture
def command_env(environment, workspace, specs):
    """The environment of a command line that finds our kernelspec."""
    folder = specs.kernel_dirs[0].removesuffix("/kernels")
    return environment(workspace, JUPYTER_PATH=folder)


def run_command(command, folder, env):
    """Runs a command line in a folder and shows what it said when it fails."""
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_34_papermill_injects_parameters(command_env, make_project, tmp_path):
    pytest.importorskip("papermill")
    nb = notebook(["x = 1", "x * 2"])
    nb.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(nb, tmp_path / "in.ipynb")
    command = [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "-p", "x", "21", "--no-progress-bar"]

    done = subprocess.run(
        command, cwd=tmp_path, env=command_env, capture_output=True, text=True, timeout=200, check=False
    )

    assert done.returncode == 0, done.stderr
    result = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert result.cells[-1].outputs[0]["data"]["text/plain"] == "42"
    assert all(len(cell.outputs) <= 1 for cell in result.cells)


def test_check_34_jupyter_execute_saves_a_notebook(command_env, make_project, tmp_path):
    nbformat.write(notebook(["print('ran')"]), tmp_path / "nb.ipynb")
    command = [sys.executable, "-m", "nbclient.cli", "--inplace", "nb.ipynb"]
    script = (
        "import sys; from nbclient.cli import main; sys.argv = ['jupyter-execute', '--inplace', 'nb.ipynb']; main()"
    )
    command = [sys.executable, "-c", script]

    done = subprocess.run(
        command, cwd=tmp_path, env=command_env, capture_output=True, text=True, timeout=200, check=False
    )

    assert done.returncode == 0, done.stderr
    assert nbformat.read(tmp_path / "nb.ipynb", as_version=4).cells[0].outputs[0]["text"] == "ran\n"


def test_check_34_the_way_of_jupyter_scheduler(command_env, make_project, tmp_path):
    """Its executor gives the notebook to nbconvert with these arguments, in a process of its own, and exports it."""
    pytest.importorskip("nbconvert")
    pytest.importorskip("ipywidgets")
    nbformat.write(notebook(["import greeting\nprint(greeting.WORD)", SLIDER, "1/0"]), tmp_path / "in.ipynb")

    run_command([sys.executable, "-c", SCHEDULER, str(tmp_path)], make_project(), command_env)

    nb = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    nbformat.validate(nb)
    assert nb.cells[0].outputs[0].text == "hello\n"
    assert "hello" in page
    assert "ZeroDivisionError" in page


SCHEDULER = """
import os, sys, nbconvert, nbformat
folder = sys.argv[1]
nb = nbformat.read(folder + "/in.ipynb", as_version=4)
executor = nbconvert.preprocessors.ExecutePreprocessor(
    timeout=100, kernel_name="databricks", store_widget_state=True, cwd=os.getcwd(), allow_errors=True
)
executor.preprocess(nb, {"metadata": {"path": os.getcwd()}})
nbformat.write(nb, folder + "/out.ipynb")
with open(folder + "/out.html", "w", encoding="utf-8") as file:
    file.write(nbconvert.HTMLExporter().from_notebook_node(nb)[0])
"""

SLIDER = """import ipywidgets as w
slider = w.IntSlider(value=3)
out = w.Output()
with out:
    print("inside")
slider.value = 8
w.VBox([slider, out])"""


def test_check_36_the_saved_state_of_widgets_is_whole(execute):
    pytest.importorskip("ipywidgets")
    bar = "from tqdm.notebook import tqdm\nfor _ in tqdm(range(20), desc='steps'): pass"
    with_tqdm = [bar] if importlib.util.find_spec("tqdm") else []

    nb = execute([SLIDER, *with_tqdm])

    nbformat.validate(nb)
    saved = nb.metadata.widgets["application/vnd.jupyter.widget-state+json"]
    assert (saved.version_major, saved.version_minor) == (2, 0)
    models = {model.model_name: model.state for model in saved.state.values()}
    assert models["IntSliderModel"]["value"] == 8
    assert models["OutputModel"]["outputs"][0]["text"] == "inside\n"
    assert nb.cells[0].outputs[0].data["application/vnd.jupyter.widget-view+json"].model_id in saved.state
    known = set(saved.state)
    assert set(re.findall(r"IPY_MODEL_(\w+)", json.dumps(saved.state))) <= known
    if with_tqdm:
        assert (models["FloatProgressModel"]["value"], models["FloatProgressModel"]["bar_style"]) == (20, "success")
        views = [output.data.get("application/vnd.jupyter.widget-view+json") for output in nb.cells[1].outputs]
        assert [view.model_id in known for view in views if view] == [True]


def test_check_34_the_sequence_of_quarto(client):
    """Set-up without history, a cell, an inline expression as an empty cell, clean-up without history."""
    setup = client.run("import json\nfig_width = 7", store_history=False)
    cell = client.run("width = fig_width * 2\nwidth")
    inline = client.run("", user_expressions={"0": "width", "1": "missing"})
    cleanup = client.run("print('bye')", store_history=False)

    assert (setup.status, setup.messages) == ("ok", [])
    assert cell.result["text/plain"] == "14"
    assert inline.reply["user_expressions"]["0"]["data"]["text/plain"] == "14"
    assert inline.reply["user_expressions"]["1"]["ename"] == "NameError"
    assert cleanup.stdout == "bye\n"


# What VS Code runs before it calls a kernel ready (vscode-jupyter: kernel.ts, kernelStartupCodeProviders).
VS_CODE = [
    "try:\n    import ipywidgets as _VSCODE_ipywidgets\n    print('ipywidgets', _VSCODE_ipywidgets.__version__)\n"
    "    del _VSCODE_ipywidgets\nexcept: pass",
    "try:\n    import matplotlib as _VSCODE_matplotlib\n    import matplotlib_inline as _VSCODE_inline\n"
    "    _VSCODE_matplotlib.rcParams['figure.dpi'] = 96\nexcept: pass",
    "%config Completer.use_jedi = False",
    "import os as _VSCODE_os\n_VSCODE_os.environ['__VSCODE'] = '1'",
    "__vsc_ipynb_file__ = '/home/me/a.ipynb'",
]


def test_check_35_the_start_of_vs_code_starts_no_stopped_cluster(environment, start_kernel, make_project, workspace):
    workspace.reset()
    workspace.set_cluster_state("TERMINATED")
    workspace.clear_requests()
    try:
        with start_kernel(environment(workspace), make_project()) as running:
            began_s = time.monotonic()
            answers = [running.client.run(code, store_history=False) for code in VS_CODE]
            silent = running.client.run(VS_CODE[0], silent=True)
            # A second is promised for each on a quiet machine.
            assert time.monotonic() - began_s < 10 * 6
            requests = workspace.requests()
    finally:
        workspace.reset()

    assert [answer.reply["status"] for answer in [*answers, silent]] == ["ok"] * 6
    assert [answer.kinds for answer in answers] == [[]] * 5
    assert requests == []


def test_check_35_completion_by_executed_code_as_vs_code_does_it(client):
    """VS Code runs hidden code that completes in the interpreter and updates a display after the cell is over."""
    client.run("some_long_name = 1")
    code = (
        "from IPython.display import display\n"
        "handle = display({'application/vnd.vscode.completion': None}, raw=True, display_id=True)\n"
        "found = get_ipython().kernel.do_complete('some_lo', 7)\n"
        "handle.update({'application/vnd.vscode.completion': found}, raw=True)\n"
    )

    answer = client.run(code, store_history=False)

    (update,) = answer.contents("update_display_data")
    assert update["data"]["application/vnd.vscode.completion"]["matches"] == ["some_long_name"]


def test_check_37_a_console_gets_what_it_asks_for(client):
    client.run("first = 1")
    client.run("second = 2")

    assert client.ask("is_complete", "if first:")["status"] == "incomplete"
    tail = client.ask("history", hist_access_type="tail", n=30, raw=True, output=False)["history"]
    # Another kernel of the same person may have begun later, and its cells come last.
    assert [entry[2] for entry in tail if entry[2] in ("first = 1", "second = 2")] == ["first = 1", "second = 2"]
    found = client.ask("history", hist_access_type="search", pattern="first*", n=1, raw=True, output=False)["history"]
    assert found[0][2] == "first = 1"
    assert "first" in client.ask("complete", "fir")["matches"]


def test_check_37_a_console_shows_banner_results_and_errors(command_env, make_project):
    pytest.importorskip("jupyter_console")
    command = [sys.executable, "-m", "jupyter_console", "--simple-prompt", "--kernel", "databricks"]

    done = subprocess.run(
        command,
        cwd=make_project(),
        env=command_env | {"TERM": "dumb"},
        input="6 * 7\nimport greeting; print(greeting.WORD)\n1/0\nexit\n",
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.index("Databricks Session") < done.stdout.index("Out[1]: 42") < done.stdout.index("hello")
    assert "ZeroDivisionError" in done.stderr
