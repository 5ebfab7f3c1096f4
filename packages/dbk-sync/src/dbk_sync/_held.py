"""What a target says it holds: one object, `.databricks/dbk-sync/state`, written last and read first.

```
b"dbk-sync target 1\\n"
one line of JSON: layout ("files" or "packs"), tree, generation, files, by, at, and what the layout needs
the manifest in canonical form, compressed (RFC 1950)
```

Reading it is all that a push with nothing to do costs, and a machine without any memory is incremental by it alone.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dbk_sync._manifest import Manifest
from dbk_sync.errors import FormatError

CONTROL: Final = ".databricks/dbk-sync"
"""The directory of ours below a target; no project can contain it."""
STATE: Final = f"{CONTROL}/state"
_MAGIC: Final = b"dbk-sync target 1\n"


@dataclass(frozen=True, slots=True)
class Held:
    """What a target holds.

    Attributes:
        manifest: The tree; None when there is none of ours, or it is unknown.
        generation: How many pushes changed it; 0 before the first.
        layout: `files` or `packs`; `""` before the first push.
        doubts: Paths that an interrupted push may have changed; they are not in `manifest`.
        doubted_names: What these may be called in the store.
        extra: What the layout keeps beside it, a JSON object.
    """

    manifest: Manifest | None = None
    generation: int = 0
    layout: str = ""
    doubts: frozenset[bytes] = frozenset()
    doubted_names: frozenset[bytes] = frozenset()
    extra: dict[str, Any] = field(default_factory=dict)

    def doubting(self, paths: frozenset[bytes], names: frozenset[bytes]) -> Held:
        """The same, of which these paths are unknown, and what lies under these names in the store."""
        known = () if self.manifest is None else self.manifest.entries
        manifest = Manifest(tuple([entry for entry in known if entry.path not in paths]))
        return replace(self, manifest=manifest, doubts=self.doubts | paths, doubted_names=self.doubted_names | names)


def encode(held: Held, about: dict[str, Any]) -> bytes:
    """The object for `held`, whose manifest is known; `about` tells a person who wrote it and when."""
    assert held.manifest is not None
    head = {
        "layout": held.layout,
        "tree": held.manifest.tree,
        "generation": held.generation,
        "files": len(held.manifest),
        **about,
        "extra": held.extra,
    }
    return _MAGIC + json.dumps(head).encode() + b"\n" + zlib.compress(held.manifest.to_bytes())


def decode(blob: bytes) -> Held:
    """What the object says.

    Raises:
        FormatError: It is damaged, or of another version.
    """
    if not blob.startswith(_MAGIC):
        raise FormatError("The target's state is not one of dbk-sync, version 1.", _HINT)
    head, _, packed = blob[len(_MAGIC) :].partition(b"\n")
    try:
        about = json.loads(head)
        manifest = Manifest.from_bytes(zlib.decompress(packed))
        held = Held(manifest, int(about["generation"]), str(about["layout"]), extra=dict(about["extra"]))
    except (ValueError, zlib.error, KeyError, TypeError) as error:
        raise FormatError(f"The target's state is damaged: {error}.", _HINT) from error
    if about["tree"] != manifest.tree:
        raise FormatError("The target's state is damaged: its hash does not fit its files.", _HINT)
    return held


def damaged(blob: bytes, layout: str, now_s: float) -> Held:
    """What an object that `decode` refuses still tells: how many pushes there were, else a number nobody has used."""
    try:
        generation = int(json.loads(blob.removeprefix(_MAGIC).partition(b"\n")[0])["generation"])
    except (ValueError, KeyError, TypeError):
        generation = int(now_s)
    return Held(None, generation, layout)


_HINT: Final = "Push with --full, which sends everything again."
