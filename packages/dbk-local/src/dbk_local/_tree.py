"""The workspace tree: notebooks, files and folders, kept in a plain folder that contexts see as `/Workspace`.

A notebook is kept as its source, under its own name (which has no extension); an index beside the folder says which
files are notebooks, and of which language. Whatever a context writes into the folder is a file.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from . import _notebooks
from ._notebook_index import NotebookIndex
from ._paths import clean, under
from ._replies import ApiError, bad_value, exists_already, not_found

IMPORT_BYTES = 10 * 2**20
"""Limit of an import's content, decoded."""


class Tree:
    """Operations take workspace paths, with or without `/Workspace`, and answer without it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._notebooks = NotebookIndex(root)

    def make_home(self, user_name: str) -> None:
        """The folders that every workspace has."""
        for path in (f"/Users/{user_name}", "/Shared", "/Repos"):
            self._place(path).mkdir(parents=True, exist_ok=True)

    def status(self, path: str, export_info: bool = False) -> dict[str, Any]:
        """One object."""
        place = self._existing(path)
        info = self._info(place)
        if export_info and info["object_type"] == "NOTEBOOK":
            info["repos_export_format"] = "SOURCE"
        return info

    def list(self, path: str) -> list[dict[str, Any]]:
        """What is in a folder, by name; of anything else, itself."""
        place = self._existing(path)
        if not place.is_dir():
            return [self._info(place)]
        return [self._info(child) for child in sorted(place.iterdir())]

    def make_folder(self, path: str) -> None:
        """Make a folder and its parents."""
        place = self._place(path)
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise exists_already(f"Path ({self._shown(place)}) already exists and is not a folder.") from None

    def delete(self, path: str, recursive: bool) -> None:
        """Delete an object."""
        place = self._existing(path)
        if place == self._root:
            raise bad_value("The root folder cannot be deleted")
        if not place.is_dir():
            place.unlink()
        elif any(place.iterdir()) and not recursive:
            message = f"Folder ({self._shown(place)}) is not empty"
            raise ApiError(400, "DIRECTORY_NOT_EMPTY", message)
        else:
            shutil.rmtree(place)
        self._notebooks.forget(self._shown(place))

    def import_(self, path: str, content: bytes, form: str, language: str, overwrite: bool) -> None:
        """Make a notebook or a file of some content, by the rules of its format."""
        if len(content) > IMPORT_BYTES:
            text = f"File size imported is ({len(content)} bytes), exceeded max size ({IMPORT_BYTES} bytes)"
            raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", text)
        if form == "DBC" or (form == "SOURCE" and not language):
            self._import_archive(path, content, overwrite)
        elif form in ("SOURCE", "R_MARKDOWN"):
            kind = language or "R"
            self._write_notebook(path, _notebooks.with_header(_text(content), kind), kind, overwrite)
        elif form == "JUPYTER":
            self._write_notebook(path, *_jupyter(content), overwrite)
        elif form == "HTML":
            raise bad_value("HTML archives cannot be imported into the embedded workspace; import SOURCE or JUPYTER")
        elif form in ("AUTO", "RAW"):
            self._import_by_name(path, content, form, overwrite)
        else:
            raise bad_value(f"Invalid format {form}")

    def import_file(self, path: str, place_of_content: bytes | Path, overwrite: bool) -> None:
        """The `workspace-files` upload: always bytes under exactly this name, unless they are a notebook (as AUTO)."""
        place = self._parented(path)
        if self._language(place):
            raise ApiError(
                400, "", f"RESOURCE_ALREADY_EXISTS: {self._shown(place)} already exists. Please remove it first."
            )
        if place.is_dir() or (place.exists() and not overwrite):
            raise ApiError(409, "ALREADY_EXISTS", f"RESOURCE_ALREADY_EXISTS: {self._shown(place)} already exists.")
        content = place_of_content if isinstance(place_of_content, bytes) else place_of_content.read_bytes()
        self._import_by_name(path, content, "AUTO", overwrite)

    def export(self, path: str, form: str) -> tuple[bytes, str]:
        """An object's content and the extension of its format, without a dot."""
        place = self._existing(path)
        if place.is_dir():
            return self._archive(place), "dbc"
        content = place.read_bytes()
        language = self._language(place)
        if not language:
            return content, place.suffix.lstrip(".")
        text = content.decode()
        if form == "JUPYTER":
            return _notebooks.to_jupyter(text, language).encode(), "ipynb"
        if form == "HTML":
            return _notebooks.to_html(text, language, place.name).encode(), "html"
        if form == "DBC":
            return self._archive(place), "dbc"
        extension = next(name for name, known in _notebooks.EXTENSIONS.items() if known == language)
        return content, extension.lstrip(".")

    def read_file(self, path: str) -> Path:
        """Where a file's bytes are on this machine."""
        place = self._existing(path)
        if place.is_dir():
            raise bad_value(f"{self._shown(place)} is a directory")
        return place

    def _import_by_name(self, path: str, content: bytes, form: str, overwrite: bool) -> None:
        bare, extension = os.path.splitext(path)
        if form == "AUTO" and extension == ".ipynb":
            return self._write_notebook(bare, *_jupyter(content), overwrite)
        language = _notebooks.EXTENSIONS.get(extension)
        head = content[:200].decode("utf-8", "replace")
        if form == "AUTO" and language and _notebooks.is_notebook_source(head, language):
            return self._write_notebook(bare, _text(content), language, overwrite)
        place = self._free(path, "FILE", overwrite)
        place.write_bytes(content)
        return self._notebooks.forget(self._shown(place))

    def _import_archive(self, path: str, content: bytes, overwrite: bool) -> None:
        """A zip of sources becomes a folder of notebooks and files."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile:
            raise bad_value("The zip archive contains no items.") from None
        folder = self._free(path, "DIRECTORY", overwrite=False)
        folder.mkdir()
        for name in archive.namelist():
            if not name.endswith("/"):
                target = f"{self._shown(folder)}/{name}"
                self._place(target).parent.mkdir(parents=True, exist_ok=True)
                self._import_by_name(target, archive.read(name), "AUTO", overwrite)

    def _write_notebook(self, path: str, source: str, language: str, overwrite: bool) -> None:
        place = self._free(path, "NOTEBOOK", overwrite)
        place.write_text(source)
        self._notebooks.add(self._shown(place), language)

    def _free(self, path: str, kind: str, overwrite: bool) -> Path:
        """Where an object of a kind may be written."""
        place = self._parented(path)
        if not place.exists():
            return place
        actual = self._info(place)["object_type"]
        if not overwrite:
            raise exists_already(f"Path ({self._shown(place)}) already exists.")
        if actual != kind:
            mismatch = f"type mismatch (asked: {kind}, actual: {actual})"
            raise bad_value(f"Cannot overwrite the asset at {self._shown(place)} due to {mismatch}")
        return place

    def _parented(self, path: str) -> Path:
        place = self._place(path)
        if not place.parent.is_dir():
            raise not_found(f"The parent folder ({self._shown(place.parent)}) does not exist.")
        return place

    def _place(self, path: str) -> Path:
        if not path.startswith("/"):
            raise bad_value(f"Path ({path}) doesn't start with '/'")
        shown = clean(path)
        return under(self._root, shown.removeprefix("/Workspace") if _has_prefix(shown) else shown)

    def _existing(self, path: str) -> Path:
        place = self._place(path)
        if not place.exists():
            raise not_found(f"Path ({path}) doesn't exist.")
        return place

    def _shown(self, place: Path) -> str:
        return "/" + place.relative_to(self._root).as_posix() if place != self._root else "/"

    def _language(self, place: Path) -> str:
        return self._notebooks.language(self._shown(place)) if place.is_file() else ""

    def _info(self, place: Path) -> dict[str, Any]:
        shown, state = self._shown(place), os.stat(place)
        language = self._language(place)
        kind = "DIRECTORY" if place.is_dir() else "NOTEBOOK" if language else "FILE"
        # Ids of a real workspace fit into 53 bits as a rule; here they follow from the path.
        number = int.from_bytes(hashlib.sha256(shown.encode()).digest()[:6])
        info: dict[str, Any] = {"object_type": kind, "path": shown, "object_id": number, "resource_id": str(number)}
        if kind == "DIRECTORY":
            return info
        changed = {"created_at": int(state.st_ctime * 1000), "modified_at": int(state.st_mtime * 1000)}
        return {**info, **changed, "language": language} if language else {**info, **changed, "size": state.st_size}

    def _archive(self, place: Path) -> bytes:
        buffer = io.BytesIO()
        files = [place] if place.is_file() else sorted(file for file in place.rglob("*") if file.is_file())
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                content, extension = self.export(self._shown(file), "SOURCE")
                name = file.relative_to(place.parent).as_posix()
                archive.writestr(f"{name}.{extension}" if self._language(file) else name, content)
        return buffer.getvalue()


def _has_prefix(path: str) -> bool:
    return path == "/Workspace" or path.startswith("/Workspace/")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _jupyter(content: bytes) -> tuple[str, str]:
    try:
        return _notebooks.from_jupyter(_text(content))
    except ValueError:
        raise bad_value("The notebook is not valid JSON in the Jupyter format.") from None
