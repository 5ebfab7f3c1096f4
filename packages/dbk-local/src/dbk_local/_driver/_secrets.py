"""`dbutils.secrets`, from a JSON file `{"scope": {"key": "value"}}`."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from typing import NamedTuple

from dbk_local._seam import Truth


class SecretScope(NamedTuple):
    """A scope."""

    name: str


class SecretMetadata(NamedTuple):
    """A key of a scope; the value is never listed."""

    key: str


class SecretMissing(Exception):
    """There is no such scope or key."""


class SecretUtils:
    """Secrets; the file is read at each call, so it may be changed meanwhile. `note` hears each value that was read."""

    def __init__(self, truth: Callable[[], Truth], note: Callable[[str], None]) -> None:
        self._truth = truth
        self._note = note

    def _scopes(self) -> dict[str, dict[str, str]]:
        file = self._truth().secrets_file
        if file is None or not file.exists():
            return {}
        scopes: dict[str, dict[str, str]] = json.loads(file.read_text())
        return scopes

    def _scope(self, name: str) -> dict[str, str]:
        scopes = self._scopes()
        if name not in scopes:
            raise SecretMissing(f"java.lang.IllegalArgumentException: Secret does not exist with scope: {name}")
        return scopes[name]

    def get(self, scope: str, key: str) -> str:
        """The value."""
        values = self._scope(scope)
        if key not in values:
            raise SecretMissing(
                f"java.lang.IllegalArgumentException: Secret does not exist with scope: {scope} and key: {key}"
            )
        self._note(values[key])
        return values[key]

    def getBytes(self, scope: str, key: str) -> bytes:
        """The value in UTF-8."""
        return self.get(scope, key).encode()

    def list(self, scope: str) -> builtins.list[SecretMetadata]:
        """Keys of a scope."""
        return [SecretMetadata(key) for key in sorted(self._scope(scope))]

    def listScopes(self) -> builtins.list[SecretScope]:
        """All scopes."""
        return [SecretScope(name) for name in sorted(self._scopes())]
