"""`python -m jupyter_databricks_kernel.install`: writes and removes kernelspecs.

`pip install` makes the kernel known to a Jupyter in the same environment. This is for every other case: a Jupyter
that lives elsewhere (`--user`, `--prefix`), and several entries side by side, one for each profile or cluster.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbk_config import cli

from jupyter_databricks_kernel.errors import InstallError, SecretInKernelSpec

__all__ = ["Spec", "install", "main", "make_parser", "uninstall"]

KERNEL_NAME = "databricks"
DISPLAY_NAME = "Databricks Session"
SOURCE = Path(__file__).parent / "kernelspec"

# jupyter_client accepts no other names (jupyter_client/kernelspec.py), and lowers them.
_NAME = re.compile(r"[a-z0-9._-]+", re.IGNORECASE)
_SECRET_KEY = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|API_KEY", re.IGNORECASE)
# Personal access tokens, and the OAuth secrets of service principals, begin like this.
_SECRET_VALUE = re.compile(r"dapi[0-9a-f]{8}|dose[0-9a-f]{8}", re.IGNORECASE)


@dataclass(frozen=True)
class Spec:
    """One entry in the list of kernels.

    Attributes:
        name: The folder of the kernelspec; ASCII letters, digits and `- . _`.
        display_name: What the launcher shows; empty for one that is made from the name.
        env: Variables for the kernel process; never a secret.
        python: The interpreter that starts the kernel.
    """

    name: str = KERNEL_NAME
    display_name: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InstallError(
                f"{self.name!r} is not a kernel name", "Use ASCII letters, digits, and the characters - . _ only."
            )
        for key, value in self.env.items():
            _refuse_secret(key, value)

    @property
    def label(self) -> str:
        """The display name, with the kernel's name in brackets when none was given and it is not the usual one."""
        if self.display_name:
            return self.display_name
        return DISPLAY_NAME if self.name == KERNEL_NAME else f"{DISPLAY_NAME} ({self.name})"

    def document(self) -> dict[str, Any]:
        """The content of `kernel.json`."""
        document: dict[str, Any] = json.loads((SOURCE / "kernel.json").read_text("utf-8"))
        document["argv"] = [self.python, *document["argv"][1:]]
        document["display_name"] = self.label
        if self.env:
            document["env"] = dict(sorted(self.env.items()))
        return document


def _refuse_secret(key: str, value: str) -> None:
    if _SECRET_KEY.search(key) or _SECRET_VALUE.search(value):
        raise SecretInKernelSpec(
            f"{key} would be written into kernel.json, a plain file that others can read",
            "Keep the secret in ~/.databrickscfg and choose the section with --profile, or export the variable before "
            "you start Jupyter.",
        )


def install(spec: Spec, *, prefix: Path | None = None) -> Path:
    """Writes a kernelspec, replacing one of the same name.

    Args:
        spec: What to write.
        prefix: Where: `<prefix>/share/jupyter/kernels/<name>`; without one, the user's own Jupyter folder.

    Returns:
        The folder that was written.

    Raises:
        InstallError: The folder cannot be written.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / spec.name
        shutil.copytree(SOURCE, folder)
        (folder / "kernel.json").write_text(json.dumps(spec.document(), indent=2) + "\n", "utf-8")
        try:
            place = KernelSpecManager().install_kernel_spec(
                str(folder), spec.name, user=prefix is None, prefix=None if prefix is None else str(prefix)
            )
        except OSError as error:
            raise InstallError(
                f"the kernelspec cannot be written: {error}",
                "Choose a folder you may write to, with --user or --prefix.",
            ) from error
    return Path(place)


def uninstall(name: str, *, prefix: Path | None = None) -> Path:
    """Removes a kernelspec and says which folder is gone.

    Raises:
        InstallError: There is none of that name, or it starts another kernel than this one.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    parent = Path(KernelSpecManager().user_kernel_dir) if prefix is None else prefix / "share/jupyter/kernels"
    folder = parent / name.lower()
    if not (folder / "kernel.json").is_file():
        raise InstallError(f"there is no kernelspec at {folder}", "`jupyter kernelspec list` shows where they are.")
    argv = json.loads((folder / "kernel.json").read_text("utf-8")).get("argv", [])
    if "jupyter_databricks_kernel" not in argv:
        raise InstallError(
            f"{folder} belongs to another kernel", f"Remove it with `jupyter kernelspec remove {name}` if you mean it."
        )
    shutil.rmtree(folder)
    return folder


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return key, value


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    prog = "python -m jupyter_databricks_kernel.install"
    example = f"{prog} --name etl --cluster-id 0123-456789-etl1\n{prog} uninstall --name etl"
    text = "Make the Databricks kernel known to Jupyter."
    parser = cli.make_parser("jupyter-databricks-kernel", text, example=example, prog=prog)
    choices = ("install", "uninstall")
    parser.add_argument("action", nargs="?", choices=choices, default="install", help="what to do (default: install)")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="into your own Jupyter folder (the default)")
    place.add_argument("--sys-prefix", action="store_true", help="into the environment of this Python")
    place.add_argument("--prefix", type=Path, help="into PREFIX/share/jupyter/kernels")
    parser.add_argument("--name", default=KERNEL_NAME, help=f"name of the kernel (default: {KERNEL_NAME})")
    shown = f"name in the launcher (default: {DISPLAY_NAME})"
    parser.add_argument("--display-name", default="", metavar="NAME", help=shown)
    parser.add_argument("--profile", help="section of ~/.databrickscfg this kernel uses")
    parser.add_argument("--cluster-id", help="cluster this kernel uses")
    parser.add_argument(
        "--env", type=_pair, action="append", default=[], metavar="NAME=VALUE", help="variable for the kernel process"
    )
    return parser


def _environment(options: argparse.Namespace) -> dict[str, str]:
    env = dict(options.env)
    if options.profile:
        env["DATABRICKS_CONFIG_PROFILE"] = options.profile
    if options.cluster_id:
        env["DATABRICKS_CLUSTER_ID"] = options.cluster_id
    return env


def _prefix(options: argparse.Namespace) -> Path | None:
    if options.sys_prefix:
        return Path(sys.prefix)
    return options.prefix.absolute() if options.prefix else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives the exit status: 0, or 1 after an error, which is told on stderr."""
    return cli.run_command(_main, arguments)


def _main(arguments: Sequence[str]) -> None:
    options = make_parser().parse_args(arguments)
    cli.configure_logging(getattr(options, "log_level", ""))
    if options.action == "uninstall":
        print(f"Removed {uninstall(options.name, prefix=_prefix(options))}")
    else:
        spec = Spec(options.name, options.display_name, _environment(options))
        print(f"Installed {spec.label!r} in {install(spec, prefix=_prefix(options))}")


if __name__ == "__main__":
    sys.exit(main())
