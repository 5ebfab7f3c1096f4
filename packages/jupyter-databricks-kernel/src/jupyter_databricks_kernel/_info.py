"""What the kernel says about itself, all of it known without a network."""

from importlib.metadata import version
from typing import Any

__all__ = ["BANNER", "HELP_LINKS", "implementation_version", "kernel_info", "language_info"]

_DOCS = "https://github.com/i9wa4/jupyter-databricks-kernel/blob/main/docs"

BANNER = (
    "Databricks Session: Python on your Databricks cluster.\n"
    "The first cell starts the cluster if it is stopped. `%dbk status` tells where you are."
)
HELP_LINKS: list[dict[str, str]] = [
    {"text": "Databricks kernel: usage", "url": f"{_DOCS}/usage.md"},
    {"text": "Databricks kernel: settings", "url": f"{_DOCS}/setup.md"},
    {"text": "Databricks notebooks", "url": "https://docs.databricks.com/en/notebooks/index.html"},
    {"text": "PySpark", "url": "https://spark.apache.org/docs/latest/api/python/"},
    {"text": "IPython", "url": "https://ipython.readthedocs.io/en/stable/"},
]


def implementation_version() -> str:
    """The version of this package."""
    return version("jupyter-databricks-kernel")


def language_info(python_version: str) -> dict[str, Any]:
    """The language part of a `kernel_info_reply`.

    Args:
        python_version: That of the interpreter on the cluster, empty while it is unknown: the local one says nothing
            about it.
    """
    return {
        "name": "python",
        "version": python_version or "3",
        "mimetype": "text/x-python",
        "file_extension": ".py",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
    }


def kernel_info(protocol_version: str, python_version: str) -> dict[str, Any]:
    """The content of a `kernel_info_reply`, without its status.

    `supported_features` is empty: a feature is listed when it works. Subshells would let two cells run at once in one
    interpreter, and the debugger needs a channel into the running interpreter that the API does not have.
    """
    return {
        "protocol_version": protocol_version,
        "implementation": "databricks",
        "implementation_version": implementation_version(),
        "language_info": language_info(python_version),
        "banner": BANNER,
        "help_links": HELP_LINKS,
        "supported_features": [],
    }
