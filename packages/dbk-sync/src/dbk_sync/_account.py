"""The workspace as one user sees it: connected when first asked, with the places where packs may lie on their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dbk_sync._connect import Client, connect
from dbk_sync._http import Http
from dbk_sync._stores import DbfsStore, VolumeStore, WorkspaceStore
from dbk_sync._upload import Place

if TYPE_CHECKING:
    from dbk_config import Settings


class Account:
    """Whoever syncs, in the workspace of `settings`.

    Args:
        settings: Name the workspace and the volume.
        client: Whose credentials to use; None for those of the settings.
        user_name: Who is asking; None to ask the workspace when it matters.
        notify: Hears sentences for the user.
    """

    def __init__(
        self, settings: Settings, client: Client | None, user_name: str | None, notify: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._client = client
        self._user_name = user_name
        self._notify = notify
        self._http: Http | None = None

    @property
    def requests(self) -> int:
        """Requests made so far."""
        return self._http.traffic.requests if self._http else 0

    @property
    def user_is_known(self) -> bool:
        """Whether `user` asks nobody."""
        return self._user_name is not None

    def places(self) -> dict[str, Place]:
        """Where packs go, for each store that there is."""
        places: dict[str, Place] = {"dbfs": lambda: (DbfsStore(self.http()), "/tmp")}
        volume = self._settings.sync.volume
        if volume:
            places["volume"] = lambda: (VolumeStore(self.http()), volume.rstrip("/"))
        places["workspace"] = lambda: (WorkspaceStore(self.http()), f"/Workspace/Users/{self.user()}/.dbk")
        return places

    def user(self) -> str:
        """Who is asking, by the workspace's own answer; `""` when it does not tell."""
        if self._user_name is None:
            answer = self.http().request("GET", "/api/2.0/preview/scim/v2/Me")
            if answer.signed_out:
                raise answer.error()
            self._user_name = str(answer.json.get("userName") or "")
            if not self._user_name:
                self._notify(f"The workspace does not tell who you are ({answer.message}); using the driver's disk.")
        return self._user_name

    def http(self) -> Http:
        """The workspace."""
        if self._http is None:
            self._http = connect(self._settings, self._client)
        return self._http

    def close(self) -> None:
        """Closes connections."""
        if self._http is not None:
            self._http.close()
