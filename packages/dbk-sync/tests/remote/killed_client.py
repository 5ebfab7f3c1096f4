"""Run by `test_interrupted.py`: one push, in a process that dies before its n-th request as `kill -9` would end it."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(__file__))
from conftest import Interpreter
from dbk_config import Secret, Settings, SyncSettings
from dbk_sync import Sync, _parts
from dbk_sync._http import Http

about = json.loads(sys.argv[1])
left = [about["steps"]]
last = [""]
once = Http._once


def dying(self, method, path, *more):
    # A busy driver is asked for its answer any number of times, and one of them is like the other.
    if path != last[0] or not path.endswith("/status"):
        left[0] -= 1
    last[0] = path
    if left[0] == 0:
        os._exit(9)
    return once(self, method, path, *more)


def main():
    workspace = SimpleNamespace(**{name: about[name] for name in ("host", "token", "cluster_id")})
    driver = Interpreter.__new__(Interpreter)
    driver.mounts, driver.texts, driver._workspace, driver.id = about["root"], [], workspace, about["context_id"]
    driver._http = Http(workspace.host, lambda: {"Authorization": f"Bearer {workspace.token}"})
    settings = Settings(
        host=workspace.host,
        token=Secret(workspace.token),
        project_dir=Path(about["project"]),
        sync=SyncSettings(**about["settings"]),
    )
    sync = Sync(settings, driver=driver)
    sync._far.session = about["session"]
    Http._once = dying
    _parts.FIRST_BYTES = about["part_bytes"]
    sync.push(sync.plan())


main()
