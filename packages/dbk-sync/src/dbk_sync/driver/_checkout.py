# The rest of `checkout.py` at a target: the package `_dbk_sync` is loaded above.

import contextlib
import json
import os
import sys
import time
from typing import Any


def checkout(destination: str, folder: str = "") -> str:
    """Brings the directory `destination` to the tree that was pushed last to `folder`; gives its path.

    Only what is new is read: a directory that was made this way before is changed as far as needed. Files of others in
    it stay. `folder` is where this program lies when it is not told.
    """
    package: Any = sys.modules["_dbk_sync"]
    control = os.path.join(folder or os.path.dirname(os.path.abspath(__file__)), ".databricks", "dbk-sync")
    with open(os.path.join(control, "state"), "rb") as file:
        packs = json.loads(file.read().split(b"\n", 2)[1])["extra"]["packs"]
    tree = package._tree.Tree(package._roots.asked_for(os.path.abspath(destination)), package._disk.Disk())
    package._roots.check_takeover(tree.path, os.path.isfile(tree.marker))
    tree.make(json.dumps({"v": 1, "session": "checkout", "from": control, "made": time.time()}).encode())
    lock = package._locks.hold(tree.control)
    try:
        tree.open()
        known = [number for number, one in enumerate(packs, 1) if one["tree"] == tree.tree]
        for one in packs[known[-1] if known else 0 :]:
            with contextlib.ExitStack() as stack:
                paths = [os.path.join(control, "packs", name) for name in one["parts"]]
                files = [stack.enter_context(open(path, "rb")) for path in paths]
                tree.apply(package._pack.PackReader(package._source.Joined(files)))
    finally:
        package._locks.release(lock)
    return os.fsdecode(tree.path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: checkout.py DESTINATION")
    print(checkout(sys.argv[1]))
