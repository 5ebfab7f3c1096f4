"""Secrets in what a command shows.

Databricks replaces values that were read with `dbutils.secrets.get` in the output of cells, as literals only: what was
changed before it was shown is not recognised (docs: security/secrets/redaction).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

MASK = "[REDACTED]"
_SHOWN = ("data", "summary", "cause")
# Nothing is documented of shorter ones; with each `e` replaced, no client could read an answer any more.
_SHORTEST_CHARS = 4


def redacted(results: dict[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """The `results` object of a command without the given values, in its texts and in the cells of its table."""
    long_enough = [secret for secret in secrets if len(secret) >= _SHORTEST_CHARS]
    longest_first = sorted(long_enough, key=len, reverse=True)
    if not longest_first:
        return results
    return {name: _mask(value, longest_first) if name in _SHOWN else value for name, value in results.items()}


def _mask(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, list):
        return [_mask(one, secrets) for one in value]
    if isinstance(value, dict):
        return {name: _mask(one, secrets) for name, one in value.items()}
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
