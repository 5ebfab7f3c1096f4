"""No code of a project runs on this machine, where the user's token is: not even by the name of a module."""

import json

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_databricks_kernel.install import Spec, install

# Of the standard library, of what the kernel needs, and of what it looks for and may do without.
NAMES = ["queue", "calendar", "logging", "databricks", "requests", "pathspec", "compression", "backports", "tqdm"]
MODULE = "import os\nopen({notes!r}, 'a').write(f'{{os.getpid()}} {{__name__}}\\n')\nraise ImportError(__name__)\n"


@pytest.fixture
def former_specs(tmp_path):
    """A kernelspec as earlier releases wrote it: with nothing that keeps the working directory from being searched."""
    install(Spec(), prefix=tmp_path)
    file = tmp_path / "share/jupyter/kernels/databricks/kernel.json"
    document = json.loads(file.read_text("utf-8"))
    document["argv"].remove("-P")
    file.write_text(json.dumps(document), "utf-8")
    return KernelSpecManager(kernel_dirs=[str(tmp_path / "share/jupyter/kernels")])


@pytest.mark.parametrize("spec", ["specs", "former_specs"])
def test_no_module_of_the_project_is_imported_by_the_kernel(
    spec, request, start_kernel, environment, workspace, make_project, tmp_path
):
    notes = tmp_path / "imported"
    project = make_project("[tool.jupyter-databricks-kernel.sync]\nenabled = false")
    for name in NAMES:
        (project / f"{name}.py").write_text(MODULE.format(notes=str(notes)), "utf-8")

    with start_kernel(environment(workspace), project, specs=request.getfixturevalue(spec)) as kernel:
        answer = kernel.client.run("1 + 1")
        status = kernel.client.run("%dbk status")

    assert answer.result["text/plain"] == "2"
    assert status.status == "ok"
    assert not notes.exists()
