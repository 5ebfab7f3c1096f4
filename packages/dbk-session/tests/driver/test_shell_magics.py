"""What ipykernel's shell has and a plain one has not, and who decides what a progress bar of tqdm is made of."""

import pytest

BAR = """
from tqdm.auto import tqdm
tqdm.__mro__[1].__module__, __import__('tqdm.autonotebook').autonotebook.tqdm.__module__
"""
TEXT = "('tqdm.std', 'tqdm.std')"
LEFT = """
import pdb
print(pdb.Pdb.__module__, type(exit).__name__, [f for f in sys.meta_path if 'progress' in type(f).__module__], end='')
"""


def test_files_are_shown_in_the_pager(driver, tmp_path):
    (tmp_path / "notes.txt").write_text("a note\n")
    (tmp_path / "code.py").write_text("x = 1\n")

    note, code = (driver.run(f"%less {tmp_path / name}").done["payload"] for name in ("notes.txt", "code.py"))

    assert note == [{"source": "page", "data": {"text/plain": "a note\n"}, "start": 0}]
    assert code[0]["source"] == "page"
    assert driver.run("%more").text("stderr") == "UsageError: Missing filename.\n"


def test_variables_are_stored(driver):
    assert driver.run("kept = 3\n%store kept").text() == "Stored 'kept' (int)\n"


def test_autosave_speaks_to_a_classic_notebook(driver):
    outcome = driver.run("%autosave 30")

    assert "set_autosave_interval(30000)" in outcome.of("display")[0]["data"]["application/javascript"]
    assert outcome.text() == "Autosaving every 30 seconds\n"


@pytest.mark.parametrize("line", ["%edit", "%ed x.py"])
def test_edit_says_what_to_do_instead(driver, line):
    assert "`%load FILE` brings a file" in driver.run(line).text("stderr")


@pytest.mark.parametrize(("code", "keep"), [("exit", False), ("quit()", False), ("exit(True)", True)])
def test_exit_takes_what_it_takes_in_an_ipykernel(driver, code, keep):
    assert driver.run(code).done["payload"] == [{"source": "ask_exit", "keepkernel": keep}]


def test_the_debugger_is_the_one_that_an_interrupt_ends(driver):
    assert driver.run("import pdb\npdb.Pdb.__name__, pdb.set_trace.__module__").result == (
        "('InterruptiblePdb', 'IPython.core.debugger')"
    )


def test_a_bar_is_made_of_what_the_front_end_shows(driver, make_driver):
    pytest.importorskip("tqdm")
    pytest.importorskip("ipywidgets")
    watched = make_driver(agent={"widgets": True})
    watched.run("import sys\nsys.modules['ipywidgets'] = None")

    unseen, without = driver.run(BAR), watched.run(BAR)
    watched.run("for name in ('ipywidgets', 'tqdm.auto', 'tqdm.autonotebook'): del sys.modules[name]")
    seen = watched.run(BAR)

    assert (unseen.result, without.result) == (TEXT, TEXT)
    assert without.text("stderr") == ""
    assert seen.result == "('tqdm.notebook', 'tqdm.notebook')"

    watched.call("close")  # and all is as it was
    assert watched.host.command(LEFT) == "pdb ExitAutocall []"


def test_internal_names_are_not_offered(driver, tmp_path):
    for name in (".databricks", ".github"):
        (tmp_path / name).mkdir()
    driver.run(f"%cd -q {tmp_path}")

    folders = driver.call("complete", code="open('.")["matches"]
    magics = driver.call("complete", code="%%d")["matches"]

    assert folders == [".github/"]
    assert "%%debug" in magics
    assert "%%dbk_sh" not in magics
