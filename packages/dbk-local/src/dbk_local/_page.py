"""The start page: what happens in the workspace, for a person with a browser. The page itself holds no token."""

from __future__ import annotations

from importlib.resources import files

from ._guard import Guarded

PARTS: dict[str, tuple[str, str]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/_local/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/_local/icon.svg": ("icon.svg", "image/svg+xml"),
    "/_local/page.css": ("page.css", "text/css; charset=utf-8"),
}
"""File and content type of each path."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page(Guarded):
    """One of its files, for anyone on this machine."""

    def get(self) -> None:
        self.check_host()
        name, kind = PARTS[self.request.path]
        self.set_header("Content-Type", kind)
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.finish(files("dbk_local").joinpath("page", name).read_bytes())
