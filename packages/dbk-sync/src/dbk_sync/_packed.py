"""The layout `packs`: a pack for each push, in one object or several parts, and a state object that lists them.

A reader sees the old tree or the new one, whenever a push dies, since the state object changes in one request. Two
pushes at a time are both whole, and the later one wins. `checkout.py` beside it makes a directory of it on a driver.

```
TARGET/checkout.py
TARGET/.databricks/dbk-sync/state          the packs in order: the first is a whole tree, each next one a delta
TARGET/.databricks/dbk-sync/packs/<sha256>     a part of a pack: a large one is on its way while it is still being made
```
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from dbk_sync import driver
from dbk_sync._bodies import Bytes
from dbk_sync._delta import FULL, difference
from dbk_sync._held import CONTROL, STATE, Held
from dbk_sync._manifest import Manifest
from dbk_sync._pack import VERSION
from dbk_sync._packing import Packing
from dbk_sync._packs import read_pack
from dbk_sync._parts import Part, Parts
from dbk_sync._plan import Plan
from dbk_sync._remote import Checked, Fitted, Report, Root
from dbk_sync._scan import Scan
from dbk_sync._transfer import Transfer
from dbk_sync.errors import FormatError

PACKS: Final = f"{CONTROL}/packs"
CHECKOUT: Final = "checkout.py"
_MOST_PACKS: Final = 24
_WHOLE_FROM_BYTES: Final = 4 << 20


class PackedTarget:
    """A target that holds packs."""

    layout = "packs"

    def __init__(self, root: Root) -> None:
        self._root = root

    def check(self, scanned: Scan) -> None:
        pass  # names are in the packs, as they are

    def read(self, *, damaged_too: bool = False) -> Held:
        return self._root.read(self.layout, damaged_too)

    def settle(self, held: Held) -> Held:
        return held  # the state object changes in one request

    def fit(self, plan: Plan) -> Fitted:
        return Fitted(plan)

    def push(self, plan: Plan, held: Held, report: Report) -> int:
        store, root = self._root.store, self._root
        packs = held.extra.get("packs", [])
        if plan.delta.base_tree == FULL or _outdated(packs) or _grown(packs):
            packs = []
            delta = difference(None, plan.manifest)
        else:
            delta = plan.delta
        total, names = self._send(replace(plan, delta=delta), report)
        one = {"version": VERSION, "parts": names, "bytes": total, "base": delta.base_tree, "tree": delta.new_tree}
        if held.extra.get("checkout", "") != driver.version():
            store.put(root.at(CHECKOUT), Bytes(driver.checkout_script().encode()))
        extra = {"checkout": driver.version(), "packs": [*packs, one]}
        root.write(Held(plan.manifest, held.generation + 1, self.layout, extra=extra))
        for entry in plan.puts:
            report.did("put", entry.name)
        for name in plan.deletes:
            report.did("delete", name)
        return total

    def _send(self, plan: Plan, report: Report) -> tuple[int, list[str]]:
        """Sends a pack while it is made; gives its size and the names of its parts.

        What was sent stays when it comes to nothing: another push may have sent the same. It is left to `gc`.
        """
        packing = Packing(plan, reuse=False)
        with Parts(packing.pieces()) as parts:

            def told(sent_bytes: int) -> None:
                report.sent(sent_bytes, packing.expected_bytes(parts))

            folder = self._root.at(PACKS)
            transfer = Transfer(self._root.store, folder, told, name_of=Part.sha256, kept=True)
            transfer.send(parts)
            return parts.size_bytes, [path.rpartition("/")[2] for path in transfer.paths]

    def verify(self, held: Held, report: Report) -> Checked:
        """Reads every pack; the manifest must come out of them."""
        manifest: Manifest | None = None
        for one in held.extra.get("packs", []):
            blob = b""
            for name in one["parts"]:
                part = self._root.store.get(self._root.at(f"{PACKS}/{name}"))
                if part is None or hashlib.sha256(part).hexdigest() != name:
                    report.warn(f"The pack {name[:12]} is {'missing' if part is None else 'damaged'}.")
                    return Checked(0, [entry.path for entry in held.manifest or ()])
                blob += part
            try:
                manifest = read_pack(blob, manifest)
            except FormatError as error:
                report.warn(f"The pack of the tree {one['tree'][:12]}: {error.message}")
                return Checked(0, [], [entry.path for entry in held.manifest or ()])
        found = manifest or Manifest()
        wanted = held.manifest or Manifest()
        delta = difference(found, wanted)
        return Checked(len(wanted), [], [entry.path for entry in delta.puts])

    def stale(self, held: Held, older_than_s: float) -> list[str]:
        used = {name for one in held.extra.get("packs", []) for name in one["parts"]}
        now_s = self._root.clock()
        found = self._root.store.list(self._root.at(PACKS))
        return [
            f"{PACKS}/{one.name}" for one in found if one.name not in used and now_s - one.modified_s >= older_than_s
        ]

    def remove(self, names: list[str]) -> None:
        for name in names:
            self._root.store.delete(self._root.at(name))

    def clean(self, held: Held, report: Report) -> None:
        self.remove([STATE])  # first: a reader must not find a state without its packs
        names = [f"{PACKS}/{one.name}" for one in self._root.store.list(self._root.at(PACKS))]
        self.remove([*names, CHECKOUT])
        for entry in held.manifest or ():
            report.did("delete", entry.path)
        for name in (PACKS, CONTROL, CONTROL.partition("/")[0]):
            self._root.store.remove_dir(self._root.at(name))
        self._root.store.remove_dir(self._root.path)


def _outdated(packs: list[dict[str, Any]]) -> bool:
    """Whether an earlier release made them, in a form that a reader of today does not know."""
    return any(one.get("version") != VERSION or "parts" not in one for one in packs)


def _grown(packs: list[dict[str, Any]]) -> bool:
    """Whether a reader that starts from nothing is better served by the whole tree again."""
    deltas_bytes = sum(int(one["bytes"]) for one in packs[1:])
    return len(packs) >= _MOST_PACKS or bool(packs and deltas_bytes > max(int(packs[0]["bytes"]), _WHOLE_FROM_BYTES))
