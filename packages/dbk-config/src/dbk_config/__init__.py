"""Settings for remote Databricks sessions: where each value comes from, checked and typed.

```python
from dbk_config import load

settings = load()
settings.require("host", "cluster_id")
print(settings.cluster_id, settings.origin("cluster_id"))
```
"""

from __future__ import annotations

from dbk_config._load import load
from dbk_config._origin import Origin
from dbk_config._secret import Secret
from dbk_config._setting import Setting
from dbk_config._settings import SETTINGS, Settings, SyncSettings
from dbk_config.errors import DbkError, SettingsError

__all__ = ["SETTINGS", "DbkError", "Origin", "Secret", "Setting", "Settings", "SettingsError", "SyncSettings", "load"]
