"""Write one version into all five packages and their pins on each other: `hatch run release:bump 2.0.0`."""

from __future__ import annotations

import sys
from pathlib import Path

import tomlkit
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

PACKAGES = Path(__file__).resolve().parents[2] / "packages"


def pinned(requirement: str, names: set[str], version: str) -> str:
    """The requirement with its version replaced when it names a sibling; extras are kept."""
    parsed = Requirement(requirement)
    if parsed.name not in names:
        return requirement
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    return f"{parsed.name}{extras}=={version}"


def bump(folder: Path, version: str) -> list[Path]:
    """Rewrite each `pyproject.toml` one level below the folder, comments and order kept; the files written."""
    files = sorted(folder.glob("*/pyproject.toml"))
    names = {file.parent.name for file in files}
    for file in files:
        document = tomlkit.parse(file.read_text(encoding="utf-8"))
        project: dict = document["project"]
        project["version"] = version
        for requirements in (project["dependencies"], *project.get("optional-dependencies", {}).values()):
            for i, requirement in enumerate(requirements):
                if (new := pinned(requirement, names, version)) != requirement:
                    requirements[i] = new
        file.write_text(tomlkit.dumps(document), encoding="utf-8")
    return files


def main(arguments: list[str]) -> int:
    try:
        (version,) = arguments
        Version(version)
    except (ValueError, InvalidVersion):
        print("usage: hatch run release:bump VERSION      (for example 2.0.0 or 2.1.0.dev0)", file=sys.stderr)
        return 2
    for file in bump(PACKAGES, version):
        print(file.relative_to(PACKAGES.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
