"""Which files of the workspace tree are notebooks, and of which language: a file beside the tree says it."""

from __future__ import annotations

import json
import threading
from pathlib import Path


class NotebookIndex:
    """The index of the tree kept in `root`; paths are those of the workspace, without `/Workspace`."""

    def __init__(self, root: Path) -> None:
        self._file = root.parent / "notebooks.json"
        # Requests are carried out in threads.
        self._changing = threading.Lock()
        self._languages: dict[str, str] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def language(self, path: str) -> str:
        """Of the notebook at a path; empty when none is noted there."""
        return self._languages.get(path, "")

    def add(self, path: str, language: str) -> None:
        """Note that a notebook is there."""
        with self._changing:
            self._languages[path] = language
            self._save()

    def forget(self, path: str) -> None:
        """Nothing at this path, nor below it, is a notebook any more."""
        with self._changing:
            gone = [noted for noted in self._languages if noted == path or noted.startswith(path + "/")]
            for noted in gone:
                del self._languages[noted]
            if gone:
                self._save()

    def _save(self) -> None:
        draft = self._file.with_suffix(".tmp")
        draft.write_text(json.dumps(self._languages, indent=1, sort_keys=True))
        draft.replace(self._file)
