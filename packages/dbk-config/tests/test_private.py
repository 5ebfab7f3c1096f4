"""Whether a folder is for this user alone."""

from __future__ import annotations

import os

import pytest
from dbk_config import is_private


def made(path, mode):
    path.mkdir()
    path.chmod(mode)
    return path


def test_a_folder_that_only_its_owner_can_enter_is_private(tmp_path):
    assert is_private(made(tmp_path / "own", 0o700))
    assert is_private(str(tmp_path / "own"))


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_folder_that_others_can_enter_is_not(tmp_path, mode):
    assert not is_private(made(tmp_path / "open", mode))


def test_a_link_a_file_and_nothing_are_not(tmp_path):
    (tmp_path / "link").symlink_to(made(tmp_path / "own", 0o700))
    (tmp_path / "file").touch(mode=0o600)

    assert [name for name in ("link", "file", "nothing") if is_private(tmp_path / name)] == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_not(tmp_path):
    os.chown(made(tmp_path / "theirs", 0o700), 65534, 65534)

    assert not is_private(tmp_path / "theirs")
