"""Makes the package `_dbk_sync` from sources that came in a command. The one module that runs outside it."""

from __future__ import annotations

import linecache
import sys
import types


def install(version: str, sources: list[tuple[str, str]]) -> None:
    """Loads `sources`, (name, text) in the order of their imports, unless this very version is there already."""
    package = sys.modules.get("_dbk_sync")
    if package is None or getattr(package, "VERSION", "") != version:
        package = types.ModuleType("_dbk_sync", "Receives the files of a project (dbk-sync).")
        package.__path__ = []
        sys.modules["_dbk_sync"] = package
        for name, text in sources:
            _load(package, name, text)
        service = package._service
        service.VERSION = version
        package.__dict__.update(VERSION=version, call=service.call)
    package._service.register()


def _load(package: types.ModuleType, name: str, text: str) -> None:
    module = types.ModuleType(f"_dbk_sync.{name}")
    module.__file__ = f"<dbk-sync>/{name}.py"
    module.__package__ = "_dbk_sync"
    sys.modules[module.__name__] = module
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102 -- it is our own source
    setattr(package, name, module)
