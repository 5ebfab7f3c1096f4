"""The documentation works when pasted: its blocks run, its links lead somewhere, its site builds.

A fenced block of `python`, `bash` or `toml` is checked. A comment line before it says how, where that is not obvious:

    <!-- run: no, REASON -->      not run, for the reason given
    <!-- run: cell -->            the code of a notebook cell: it runs on the embedded workspace
    <!-- run: spark cell -->      the same, and it needs Spark
    <!-- run: test -->            a test, which pytest runs

A block of `text` right after one that runs is what it prints on stdout; `...` stands for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from dbk_local import Workspace
from dbk_session import Session

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md"), *ROOT.glob(".github/*.md")]
)
BLOCK = re.compile(
    r"(?:^<!-- run: (?P<how>[^\n]*?) -->\n+)?^```(?P<language>python|bash|toml)\n(?P<code>.*?)^```$"
    r"(?:\n\n```text\n(?P<prints>.*?)^```$)?",
    re.M | re.S,
)
LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
OURS = "https://github.com/i9wa4/jupyter-databricks-kernel/"
BLOCK_TIMEOUT_S = 240


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    code: str
    how: str
    prints: str | None

    @property
    def kind(self):
        """`cell`, `test`, or "" for what is run as it is."""
        return next((kind for kind in ("cell", "test") if self.how.endswith(kind)), "")

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page):
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(page, line, found["language"], found["code"], found["how"] or "", found["prints"])


ALL = [block for page in PAGES for block in blocks(page)]
RUN = [block for block in ALL if not block.how.startswith("no")]


def of(language, kind=""):
    return [block for block in RUN if (block.language, block.kind) == (language, kind)]


def check_what_it_prints(block, printed):
    """Columns may be of any width: how wide they are depends on the values."""
    if block.prints is not None:
        expected, printed = (re.sub(" +", " ", text.strip()) for text in (block.prints, printed))
        matches = re.fullmatch(re.escape(expected).replace(r"\.\.\.", ".*"), printed, re.S)
        assert matches, printed


@pytest.fixture(scope="module")
def workspace():
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="module")
def session(workspace):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in workspace.env().items():
            patch.setenv(name, value)
        with Session() as session:
            yield session


@pytest.fixture
def project(workspace, tmp_path, monkeypatch):
    """A folder like a reader's: a script, a notebook, a little project; the commands on the path, the variables set."""
    shutil.copytree(ROOT / "docs/examples/quickstart", tmp_path / "project")
    (tmp_path / "project" / "job.py").write_text('import sys\nprint("job", *sys.argv[1:])\n')
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname = "demo"\n')
    parameters = nbformat.v4.new_code_cell('city = "Lisbon"', metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell("print(city)")])
    nbformat.write(notebook, tmp_path / "project" / "analysis.ipynb")
    for name, value in {**workspace.env(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "project"


@pytest.mark.parametrize("block", of("bash"), ids=str)
def test_a_shell_block_runs(block, project):
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=project, capture_output=True, text=True, timeout=BLOCK_TIMEOUT_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr
    check_what_it_prints(block, run.stdout)


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_a_python_block_runs(block, project):
    command = [sys.executable, "-W", "error", "-c", block.code]

    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=BLOCK_TIMEOUT_S)

    assert run.returncode == 0, run.stdout + run.stderr
    check_what_it_prints(block, run.stdout)


@pytest.mark.parametrize("block", of("python", "cell"), ids=str)
def test_a_cell_runs_on_the_cluster(block, session):
    if block.how.startswith("spark"):
        pytest.importorskip("pyspark")

    result = session.run(block.code)

    result.raise_for_error()
    check_what_it_prints(block, result.text)


def test_the_tests_in_the_pages_pass(project):
    tests = of("python", "test")
    for number, block in enumerate(tests):
        (project / f"test_{number}.py").write_text(block.code)

    command = [sys.executable, "-m", "pytest", "-q"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=BLOCK_TIMEOUT_S)

    assert (run.returncode, f"{len(tests)} passed" in run.stdout) == (0, True), run.stdout + run.stderr


def test_the_cells_of_the_tutorial_run_one_after_the_other_in_its_project(project):
    pytest.importorskip("pyspark")
    page = list(blocks(ROOT / "docs/tutorial.md"))
    (setup,) = (block.code for block in page if "mkdir" in block.code)
    cells = [block.code for block in page if block.language == "python" and "while True" not in block.code]
    subprocess.run(["bash", "-ec", setup], cwd=project.parent, check=True, timeout=BLOCK_TIMEOUT_S)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    nbformat.write(notebook, project.parent / "shop/tutorial.ipynb")

    command = ["jupyter", "execute", "--kernel_name=databricks", "--inplace", "tutorial.ipynb"]
    run = subprocess.run(command, cwd=project.parent / "shop", capture_output=True, text=True, timeout=BLOCK_TIMEOUT_S)

    assert run.returncode == 0, run.stderr
    hello, vat, spark = nbformat.read(project.parent / "shop/tutorial.ipynb", as_version=4).cells
    assert hello.outputs[0].text == "Hello from Databricks!\n"
    assert vat.outputs[0].data["text/plain"] == "0.19"
    assert "weekday" in spark.outputs[0].data["text/html"]


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_a_toml_block_is_accepted_as_settings(block, tmp_path):
    from dbk_config import load

    tomllib.loads(block.code)
    (tmp_path / "pyproject.toml").write_text(block.code)

    load(cwd=tmp_path, env={"DATABRICKS_CONFIG_FILE": os.devnull})


@pytest.mark.parametrize("block", [block for block in ALL if block.how.startswith("no")], ids=str)
def test_a_block_that_is_not_run_says_why(block):
    assert re.fullmatch(r"no, \S.{8,}", block.how)


def links(page):
    """The targets of a page's links and pictures, code left out."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [found["target"] for found in LINK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page):
    dead = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        here = re.match(re.escape(OURS) + r"(?:blob|tree)/main/(.+)", target)
        project = re.match(r"https://pypi\.org/project/(dbk-[\w-]+|jupyter-databricks-kernel)/", target)
        if re.match(r"[a-z]+:", target) and not here and not project:
            continue  # other people's servers are asked by .github/scripts/links.py, not by a test
        ours = here[1] if here else f"packages/{project[1]}" if project else ""
        file = ROOT / ours if ours else (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", sorted(ROOT.glob("packages/*/README.md")), ids=lambda page: page.parent.name)
def test_a_packages_page_on_the_index_has_no_relative_link(page):
    assert [link for link in links(page) if not re.match(r"https://|#", link)] == []


def anchors(file):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the built site."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", ROOT / ".github/mkdocs.yml", "-d", folder]
    run = subprocess.run(command, capture_output=True, text=True, timeout=BLOCK_TIMEOUT_S)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
    return folder


def test_the_site_builds_without_a_warning(site):
    assert (site / "index.html").exists()


def test_every_page_is_reached_from_the_first_and_no_link_of_the_site_is_dead(site):
    reached, waiting, dead = set(), [site / "index.html"], []
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for target in re.findall(r'(?:href|src)="([^"#?:]+)[^":]*"', page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve() if target != "." else page
            if not file.exists():
                dead.append(f"{page.relative_to(site)}: {target}")
            elif file.suffix == ".html" and file not in reached:
                waiting.append(file)

    assert dead == []
    assert {page for page in site.rglob("*.html") if page.name != "404.html"} == reached


def test_every_picture_is_shown_on_some_page():
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page)}

    assert set((ROOT / "docs/images").iterdir()) <= shown
