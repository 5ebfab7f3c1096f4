"""Check every link that leads out of this repository: `hatch run test:python .github/scripts/links.py`.

Links come from the pages, from the packages' metadata and from the strings and comments of their code. The test suite
depends on nobody's server, so this runs weekly instead (`.github/workflows/links.yml`). Links to our own files and
projects are left to `tests/test_docs.py`, which looks for them in this tree.

Exit: 0 when no link is dead, 1 otherwise. A server that will not say, by 403 or 429 or no answer in time, is listed and
counts as alive: many refuse a program what they show a reader.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("*.md", ".github/**/*.md", "docs/**/*.md", "packages/*/README.md")
SOURCES = (*PAGES, ".github/*.yml", "docs/scripts/*.js", "packages/*/pyproject.toml", "packages/*/src/**/*.py")

URL = re.compile(r"https?://[^\s<>\"'`\\|]+")
FENCE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.M | re.S)
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}")
# Of examples: no such workspace exists.
PLACEHOLDERS = ("your-workspace.cloud.databricks.com", "adb-1.azuredatabricks.net")
OURS = re.compile(
    r"https://(github\.com/i9wa4/jupyter-databricks-kernel|pypi\.org/project/(dbk-\w+|jupyter-databricks-kernel))(/|$)"
)

HEADERS = {"User-Agent": "Mozilla/5.0 (links.py of jupyter-databricks-kernel)"}
ATTEMPTS = 4
TIMEOUT_S = 30
GONE = (404, 410, 451)
NO_HEAD = (400, 403, 404, 405, 501)
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """What became of a link: `alive`, `dead` or `unsure`, and why."""

    verdict: str
    reason: str


def links_of(text: str, *, is_page: bool) -> Iterator[tuple[int, str]]:
    """The links of a text to other people's servers: (line, address without its fragment).

    In a page, code is left out: its addresses are examples.
    """
    if is_page:
        text = FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for found in URL.finditer(text):
        address = _trimmed(found[0]).partition("#")[0]
        if _is_elsewhere(address):
            yield text.count("\n", 0, found.start()) + 1, address


def _trimmed(address: str) -> str:
    """Without what belongs to the sentence around it: a full stop, the bracket that was opened before."""
    while address[-1] in ".,;:!?*" or (address[-1] in ")]}" and _is_unopened(address)):
        address = address[:-1]
    return address


def _is_unopened(address: str) -> bool:
    pair = {")": "(", "]": "[", "}": "{"}[address[-1]]
    return address.count(pair) < address.count(address[-1])


def _is_elsewhere(address: str) -> bool:
    host = urlsplit(address).netloc if not re.search(r"[{}\[\]]", address) else ""
    is_public = HOST.fullmatch(host) and not host.endswith((".invalid", ".example", "example.com"))
    return bool(is_public) and host not in PLACEHOLDERS and not OURS.match(address)


def collect(root: Path) -> dict[str, list[str]]:
    """Every address, with the places that name it: {address: ["docs/setup.md:12", ...]}."""
    places: dict[str, list[str]] = defaultdict(list)
    for pattern in SOURCES:
        for file in sorted(root.glob(pattern)):
            for line, address in links_of(file.read_text(encoding="utf-8"), is_page=file.suffix == ".md"):
                places[address].append(f"{file.relative_to(root)}:{line}")
    return dict(sorted(places.items()))


def check(address: str, pause: Callable[[float], None] = time.sleep) -> Answer:
    """Asks by HEAD, and by GET where that is no answer; again, a little later, when the server is busy or away."""
    answer = Answer("unsure", "was not asked")
    for attempt in range(ATTEMPTS):
        pause(2.0**attempt - 1)
        answer, is_final = _ask(address)
        if is_final:
            break
    return answer


def _ask(address: str) -> tuple[Answer, bool]:
    """One attempt, and whether another one would be the same."""
    try:
        status = requests.head(address, headers=HEADERS, timeout=TIMEOUT_S, allow_redirects=True).status_code
        if status in NO_HEAD:
            with requests.get(address, headers=HEADERS, timeout=TIMEOUT_S, stream=True) as response:
                status = response.status_code
    except requests.Timeout:
        return Answer("unsure", f"no answer within {TIMEOUT_S} s"), False
    except requests.RequestException as error:  # no such host, a certificate, endless redirects
        return Answer("dead", type(error).__name__), False
    if status < 400:
        return Answer("alive", str(status)), True
    return Answer("dead" if status in GONE else "unsure", str(status)), status not in TRY_AGAIN


def report(answers: Mapping[str, Answer], places: Mapping[str, list[str]]) -> str:
    """A list of what is dead and of what is unsure, with the places that name it, and a line that counts."""
    lines = [
        f"- {answer.verdict}, {answer.reason}: {address} ({', '.join(places[address])})"
        for verdict in ("dead", "unsure")
        for address, answer in answers.items()
        if answer.verdict == verdict
    ]
    dead = sum(answer.verdict == "dead" for answer in answers.values())
    return "\n".join([*lines, f"{len(answers)} links, {dead} dead."])


def main() -> int:
    places = collect(ROOT)
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(places, pool.map(check, places), strict=True))
    text = report(answers, places)
    print(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        Path(summary).write_text(f"{text}\n", encoding="utf-8")
    return 1 if any(answer.verdict == "dead" for answer in answers.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
