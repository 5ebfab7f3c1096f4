"""What the workspace answers, and which error of ours a failure is."""

from __future__ import annotations

import json as jsons
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbk_sync.errors import AccessError, RequestError


@dataclass(frozen=True)
class Answer:
    """One answer. Which statuses are failures is for the caller to say; see `check`."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body; empty when there is none."""
        try:
            value = jsons.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str:
        """The `error_code`, or `""`."""
        return str(self.json.get("error_code") or "")

    @property
    def message(self) -> str:
        """What the workspace says, in one line of at most 300 characters: JSON fields of its APIs, or a page's text."""
        body = self.json
        said = next((body[key] for key in ("message", "error", "detail") if body.get(key)), "")
        text = str(said) or re.sub(r"<[^>]*>", " ", self.body[:2000].decode("utf-8", "replace"))
        return " ".join(text.split())[:300] or f"HTTP status {self.status}"

    @property
    def signed_out(self) -> bool:
        """Whether the workspace does not know who asks; older ones say so with 403 and a page."""
        return self.status == 401 or (self.status == 403 and "Invalid access token" in self.message)

    def check(self) -> Answer:
        """This answer, when it is a success.

        Raises:
            AccessError: 401 and 403.
            RequestError: Any other failure.
        """
        if not self.ok:
            raise self.error()
        return self

    def error(self) -> RequestError:
        """The failure as an error of ours."""
        more = {"status": self.status, "code": self.code}
        if self.signed_out:
            text = (
                f"Invalid token: {self.status} {'Unauthorized' if self.status == 401 else 'Forbidden'} ({self.message})"
            )
            return AccessError(text, "Regenerate your Personal Access Token, or sign in again.", **more)  # type: ignore[arg-type]
        if self.status == 403:
            return AccessError(f"Permission denied: {self.method} {self.path}: {self.message}", **more)  # type: ignore[arg-type]
        return RequestError(f"{self.method} {self.path} failed: {self.message}", **more)  # type: ignore[arg-type]
