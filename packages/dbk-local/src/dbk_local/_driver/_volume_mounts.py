"""Volumes at the mount: catalogs, schemas and volumes are made by the catalog's API, and not by writing there.

The place is read-only, and each volume is bound into it on its own. On Databricks it is a file system of its own kind;
which number its errors have is not known, only that nothing can be made there. Where the kernel cannot do it (before
Linux 5.12), the place is an ordinary folder.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from dbk_local._driver._mount_calls import MS_SHARED, bind, check, libc, mount

_MOUNT_SETATTR = 442
"""Number of the system call on every platform; it keeps the other flags of a mount, which a user may not change."""
_AT_FDCWD = -100
_READ_ONLY = 1


class _Attributes(ctypes.Structure):
    """`struct mount_attr`."""

    _fields_ = tuple((name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd"))


def guard_volumes(place: Path, folder: Path) -> None:
    """Have only volumes be writable in `place`, where `folder` is bound: its folders of the third level."""
    try:
        _make_read_only(place)
    except OSError:
        return
    # What is bound here later is seen by the namespaces that are made of this one, too.
    mount(None, place, MS_SHARED)
    for volume in folder.glob("*/*/*"):
        if volume.is_dir():
            bind(volume, place / volume.relative_to(folder))


def _make_read_only(place: Path) -> None:
    wanted = _Attributes(_READ_ONLY, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    path = str(place).encode()
    check(libc().syscall(_MOUNT_SETATTR, _AT_FDCWD, path, ctypes.c_uint(0), ctypes.byref(wanted), size))
