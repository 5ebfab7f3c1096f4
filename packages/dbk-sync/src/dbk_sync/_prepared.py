"""What a push is to do: what it was asked for, and the plan that was made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dbk_sync.errors import DeleteGuardError

if TYPE_CHECKING:
    from dbk_sync._findings import Finding
    from dbk_sync._held import Held
    from dbk_sync._plan import Plan

GUARDED_FROM: Final = 20
"""Up to so many deletions need no permission."""


@dataclass(frozen=True, slots=True)
class Guard:
    """How much a push may delete.

    Attributes:
        most: Number of files, or part of those at the target when it is below 1 (0.5: half of them).
        filtered: Whether files may go that are still in the source but are no longer selected.
    """

    most: float = 0.5
    filtered: bool = False

    def check(self, plan: Plan) -> None:
        """Does nothing if the plan is allowed.

        Raises:
            DeleteGuardError: It is not; says what to do.
        """
        total = len(plan.base or ())
        allowed = self.most * total if self.most < 1 else self.most
        if len(plan.deletes) > max(allowed, GUARDED_FROM if self.most < 1 else 0):
            raise DeleteGuardError(
                f"The push would delete {len(plan.deletes)} of {total} files at the target.",
                "If that is right, allow it: --max-delete 100%.",
            )
        if plan.filter_deletes and not self.filtered:
            shown = ", ".join(path.decode("utf-8", "backslashreplace") for path in plan.filter_deletes[:5])
            raise DeleteGuardError(
                f"The push would delete {len(plan.filter_deletes)} files that still exist here but are not selected "
                f"any more: {shown}{', ...' if len(plan.filter_deletes) > 5 else ''}.",
                "If that is right, allow it: --allow-filter-deletes. To keep them there: --no-delete.",
            )


@dataclass(frozen=True, slots=True)
class Wish:
    """How a push is to go about it."""

    guard: Guard = field(default_factory=Guard)
    delete: bool = True
    full: bool = False
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan made for what the target holds; `push` carries it out."""

    plan: Plan
    held: Held
    warnings: tuple[Finding, ...]
