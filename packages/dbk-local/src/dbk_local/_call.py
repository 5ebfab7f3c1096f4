"""A request as an endpoint sees it: where the arguments came from (query, JSON, form, multipart) no longer matters."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tornado.httputil import HTTPFile, parse_multipart_form_data

from ._replies import ApiError, bad_value


class BadBody(ApiError):
    """A body that is not what its content type says."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "MALFORMED_REQUEST", message)


@dataclass(frozen=True)
class Call:
    """One request to one endpoint."""

    method: str
    path: str
    query: Mapping[str, str]
    arguments: Mapping[str, Any]
    """Query and body arguments together; the body's win. A multipart file part is bytes."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The parts of the path that the route names, percent-decoded."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path = b""
    """The raw body; a file of this machine when it was large."""

    def text(self, name: str, default: str | None = None) -> str:
        """A text argument; without a default it must be there."""
        value = self.arguments.get(name)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if value is None or value == "":
            if default is None:
                raise bad_value(f"Missing required field: {name}")
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean; clients send it as JSON, as the word, or capitalised."""
        value = self.arguments.get(name, default)
        return value if isinstance(value, bool) else self.text(name).lower() == "true"

    def number(self, name: str, default: int | None = None) -> int:
        """An integer argument."""
        value = self.arguments.get(name, default)
        try:
            return int(value)  # None fails like any other non-number
        except (TypeError, ValueError):
            raise bad_value(f"Invalid value for field {name}: {value!r}") from None

    def content(self, name: str) -> bytes:
        """Bytes: a file part as it came, a text argument from base64."""
        value = self.arguments.get(name, "")
        if isinstance(value, bytes):
            return value
        try:
            return base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError):
            raise bad_value(f"Field {name} is not valid base64") from None

    def body_bytes(self) -> bytes:
        """The raw body in memory."""
        return self.body if isinstance(self.body, bytes) else self.body.read_bytes()


def arguments_of(content_type: str, body: bytes) -> dict[str, Any]:
    """The named arguments in a body; none when it is raw bytes.

    Raises:
        BadBody: JSON or multipart that does not parse.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return {}
    if kind == "multipart/form-data":
        return _multipart(content_type, body)
    if kind == "application/x-www-form-urlencoded" and not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return _json(body)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        raise BadBody("Could not parse request object: expected JSON") from None
    if not isinstance(value, dict):
        raise BadBody("Could not parse request object: expected a JSON object")
    return value


def _multipart(content_type: str, body: bytes) -> dict[str, Any]:
    boundary = dict(part.strip().split("=", 1) for part in content_type.split(";")[1:] if "=" in part).get(
        "boundary", ""
    )
    fields: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    try:
        parse_multipart_form_data(boundary.encode(), body, fields, files)
    except Exception as error:  # HTTPInputError or ValueError, by Tornado version
        raise BadBody(f"Could not parse multipart body: {error}") from error
    named: dict[str, Any] = {name: values[-1].decode("utf-8", "replace") for name, values in fields.items()}
    named.update({name: parts[-1].body for name, parts in files.items()})
    return named
