"""The generated reference page is the one in the documentation, and says something about everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dbk_local._reference import EVIDENCE
from dbk_local._routes import Route
from dbk_local._server import TABLE

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/local-routes.md"


def made():
    command = [sys.executable, "-m", "dbk_local", "routes", "--markdown"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == made(), "python -m dbk_local routes --markdown > docs/reference/local-routes.md"


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: route.name)
def test_every_route_says_what_it_does_and_on_what_evidence(route):
    assert route.endpoint.__doc__
    assert route.evidence in EVIDENCE
    assert (route.evidence == "own") == route.path.startswith("/_local/")


def test_every_route_is_found_under_each_of_its_paths():
    for route in TABLE.routes:
        for path in route.paths:
            filled = path.replace("{path...}", "/a/b%20c").replace("{name}", "a.b").replace("{id}", "1")
            found = TABLE.find(route.method, filled)
            assert found is not None
            assert found[0] is route


def test_variables_of_a_path_are_decoded_and_no_two_paths_collide():
    (read, variables) = TABLE.find("GET", "/api/2.0/fs/files/Volumes/a%2Fb/c")

    assert (read.name, variables) == ("GET /api/2.0/fs/files{path...}", {"path": "/Volumes/a/b/c"})
    assert TABLE.find("GET", "/api/2.0/nothing") is None
    assert len({(route.method, path) for route in TABLE.routes for path in route.paths}) == sum(
        len(route.paths) for route in TABLE.routes
    )


def test_a_version_stands_for_the_same_path():
    async def endpoint(site, call):
        """Nothing."""

    route = Route("GET", "/api/2.1/x", endpoint, versions=("2.0",))

    assert route.paths == ("/api/2.1/x", "/api/2.0/x")
