"""Unity Catalog as far as volumes need it: catalogs, schemas and volumes are folders of three levels."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from ._paths import clean
from ._replies import ApiError, bad_value

LEVELS = ("CATALOG", "SCHEMA", "VOLUME")


class Catalog:
    """Names are `catalog`, `catalog.schema` or `catalog.schema.volume`; `main.default.files` is there at the start."""

    def __init__(self, root: Path, owner: str) -> None:
        self._root = root
        self._owner = owner
        if not (root / "main").is_dir():
            (root / "main" / "default" / "files").mkdir(parents=True)

    def create(self, name: str) -> dict[str, Any]:
        """A new schema or volume in a parent that is there; a new catalog."""
        place = self._place(name)
        if name.count(".") and not place.parent.is_dir():
            raise _missing(name.rpartition(".")[0])
        if place.exists():
            kind = LEVELS[name.count(".")]
            raise ApiError(400, f"{kind}_ALREADY_EXISTS", f"{kind.title()} '{name}' already exists")
        place.mkdir()
        return self.describe(name)

    def describe(self, name: str) -> dict[str, Any]:
        """One of them, as the API shows it."""
        place, parts = self._place(name), name.split(".")
        if not place.is_dir():
            raise _missing(name)
        changed_ms = int(os.stat(place).st_mtime * 1000)
        number = str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16]))
        times = {"created_at": changed_ms, "updated_at": changed_ms, "created_by": self._owner, "owner": self._owner}
        common: dict[str, Any] = {"name": parts[-1], "full_name": name, "metastore_id": "local", **times}
        if len(parts) == 1:
            return {**common, "catalog_type": "MANAGED_CATALOG"}
        common["catalog_name"] = parts[0]
        if len(parts) == 2:
            return {**common, "schema_id": number}
        volume = {"schema_name": parts[1], "volume_id": number, "volume_type": "MANAGED"}
        return {**common, **volume, "storage_location": f"dbfs:/Volumes/{'/'.join(parts)}"}

    def list(self, parent: str) -> list[dict[str, Any]]:
        """What is in a catalog or a schema; all catalogs when the name is empty."""
        place = self._place(parent) if parent else self._root
        if not place.is_dir():
            raise _missing(parent)
        names = sorted(child.name for child in place.iterdir() if child.is_dir())
        return [self.describe(f"{parent}.{name}" if parent else name) for name in names]

    def delete(self, name: str, force: bool = False) -> None:
        """Remove one; a schema or catalog that is not empty needs `force`."""
        self.describe(name)
        place = self._place(name)
        if name.count(".") < 2 and any(place.iterdir()) and not force:
            raise bad_value(f"'{name}' is not empty")
        shutil.rmtree(place)

    def _place(self, name: str) -> Path:
        parts = name.split(".")
        if not 1 <= len(parts) <= 3 or any(not part or clean(part) != f"/{part}" or "/" in part for part in parts):
            raise bad_value(f"'{name}' is not a valid name")
        return self._root.joinpath(*parts)


def _missing(name: str) -> ApiError:
    kind = LEVELS[min(name.count("."), 2)]
    return ApiError(404, f"{kind}_DOES_NOT_EXIST", f"{kind.title()} '{name}' does not exist.")
