"""Secret scopes, kept in one private file that `dbutils.secrets` reads: `{"scope": {"key": "value"}}`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ._replies import ApiError, bad_value, not_found


class Secrets:
    """The scopes of a workspace; the file is read anew each time, for a person may edit it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def scopes(self) -> list[str]:
        """Names of all scopes."""
        return sorted(self._read())

    def create_scope(self, name: str) -> None:
        """A new, empty scope."""
        known = self._read()
        if name in known:
            raise ApiError(400, "RESOURCE_ALREADY_EXISTS", f"Scope {name} already exists!")
        self._write({**known, name: {}})

    def delete_scope(self, name: str) -> None:
        """Remove a scope and its secrets."""
        self._scope(name)
        self._write({scope: keys for scope, keys in self._read().items() if scope != name})

    def keys(self, scope: str) -> list[dict[str, Any]]:
        """Names of the secrets of a scope, never their values."""
        changed_ms = int(self._file.stat().st_mtime * 1000) if self._scope(scope) else 0
        return [{"key": key, "last_updated_timestamp": changed_ms} for key in sorted(self._scope(scope))]

    def put(self, scope: str, key: str, value: bytes) -> None:
        """Write a secret."""
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise bad_value("The embedded workspace keeps secrets as text; these bytes are not UTF-8") from None
        self._write({**self._read(), scope: {**self._scope(scope), key: text}})

    def get(self, scope: str, key: str) -> bytes:
        """Read a secret."""
        if (value := self._scope(scope).get(key)) is None:
            raise not_found(f"Failed to get secret {key} for scope {scope}")
        return value.encode()

    def delete(self, scope: str, key: str) -> None:
        """Remove a secret."""
        self.get(scope, key)
        self._write({**self._read(), scope: {name: text for name, text in self._scope(scope).items() if name != key}})

    def _scope(self, name: str) -> dict[str, str]:
        known = self._read()
        if name not in known:
            raise not_found(f"Scope {name} does not exist!")
        return known[name]

    def _read(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return found

    def _write(self, scopes: dict[str, dict[str, str]]) -> None:
        draft = self._file.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w") as file:
            json.dump(scopes, file, indent=1)
        draft.replace(self._file)
