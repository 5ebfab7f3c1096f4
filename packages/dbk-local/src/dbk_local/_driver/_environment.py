"""The Python environment of one context: what `%pip` installs goes there, the host's own packages are left alone."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

_NOTE = (
    "Note: you may need to restart the kernel using %restart_python or "
    "dbutils.library.restartPython() to use updated packages."
)


class ContextEnvironment:
    """A virtual environment made at the first `%pip`, on top of the packages of the host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._host = sys.executable
        if self._python.exists():
            self._enter()

    @property
    def _python(self) -> Path:
        return self._folder / "bin" / "python"

    @property
    def _packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "posix_prefix", {"base": str(self._folder)}))

    def pip(self, arguments: list[str]) -> None:
        """Run pip for this context; its output goes where the command's goes.

        Raises:
            CalledProcessError: pip did not succeed.
        """
        if not self._python.exists():
            self._create()
        sys.stdout.flush()
        command = [self._host, "-m", "pip", "--python", str(self._python), "--disable-pip-version-check", *arguments]
        shown = ["pip", "--disable-pip-version-check", *arguments]
        status = subprocess.run(command, check=False).returncode
        self._enter()
        if status:
            raise subprocess.CalledProcessError(status, " ".join(shown))
        print(_NOTE)

    def _create(self) -> None:
        # System packages of a nested environment are those of the base, so the host's are added by name.
        subprocess.run([self._host, "-m", "venv", "--without-pip", str(self._folder)], check=True)
        hosts = [path for path in sys.path if path.endswith("-packages") and Path(path).is_dir()]
        lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in hosts)
        (self._packages / "_host_packages.pth").write_text(lines)

    def _enter(self) -> None:
        packages = str(self._packages)
        if packages not in sys.path:
            sys.path.insert(1, packages)
        importlib.invalidate_caches()
        sys.executable = str(self._python)
        os.environ["PYSPARK_PYTHON"] = sys.executable
        bin_folder = str(self._python.parent)
        if bin_folder not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = bin_folder + os.pathsep + os.environ.get("PATH", "")
