"""What users may import: true and documented. (The linter keeps the lists sorted.)"""

from __future__ import annotations

import importlib
import inspect

import pytest

PACKAGES = ["dbk_config", "dbk_local", "dbk_session", "dbk_sync", "jupyter_databricks_kernel"]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_export_list_is_true(package):
    module = importlib.import_module(package)

    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_a_docstring(package):
    module = importlib.import_module(package)
    objects = {name: getattr(module, name) for name in module.__all__}

    bare = [
        name
        for name, thing in objects.items()
        if (inspect.isclass(thing) or inspect.isroutine(thing)) and not (thing.__doc__ or "").strip()
    ]

    assert module.__doc__
    assert bare == []
