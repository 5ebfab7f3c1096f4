"""Settings for remote Databricks sessions: where each value comes from, checked and typed.

```python
from dbk_config import load

settings = load()
settings.require("host", "cluster_id")
print(settings.cluster_id, settings.origin("cluster_id"))
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbk_config._load import load
    from dbk_config._origin import Origin
    from dbk_config._private import is_private
    from dbk_config._secret import Secret
    from dbk_config._setting import Setting
    from dbk_config._settings import SETTINGS, Settings, SyncSettings
    from dbk_config.errors import DbkError, SettingsError

__all__ = [
    "SETTINGS",
    "DbkError",
    "Origin",
    "Secret",
    "Setting",
    "Settings",
    "SettingsError",
    "SyncSettings",
    "is_private",
    "load",
]

# Each name with its module, which is loaded when the name is first asked for: who needs an error class, or only names a
# type, does not wait for all that reads settings.
_HOMES = {
    "SETTINGS": "_settings",
    "DbkError": "errors",
    "Origin": "_origin",
    "Secret": "_secret",
    "Setting": "_setting",
    "Settings": "_settings",
    "SettingsError": "errors",
    "SyncSettings": "_settings",
    "is_private": "_private",
    "load": "_load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
