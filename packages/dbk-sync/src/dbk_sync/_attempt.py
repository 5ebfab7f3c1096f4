"""Which attempt of a CI run this is: a later one knows that those before it have ended, whatever they left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_VARIABLES: Final = (
    # All jobs of a run have ended before it can be run again.
    (("GITHUB_SERVER_URL", "GITHUB_RUN_ID"), "GITHUB_RUN_ATTEMPT"),
    # A job that is retried is another one of the same name, with a higher number.
    (("CI_SERVER_URL", "CI_PIPELINE_ID", "CI_JOB_NAME"), "CI_JOB_ID"),
    (("SYSTEM_COLLECTIONURI", "BUILD_BUILDID", "SYSTEM_STAGENAME", "SYSTEM_JOBNAME"), "SYSTEM_JOBATTEMPT"),
)
"""Of GitHub Actions, GitLab CI and Azure Pipelines: what all attempts have in common, and what grows with each."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a run; `run` is `""` and `number` 0 outside of any."""

    run: str = ""
    number: int = 0

    def follows(self, other: Attempt) -> bool:
        """Whether it is a later attempt of the same run, so that the other one has ended."""
        return bool(self.run) and self.run == other.run and self.number > other.number > 0


NO_ATTEMPT: Final = Attempt()


def attempt_of(environ: Mapping[str, str]) -> Attempt:
    """That of this process, by the variables that the CI service sets."""
    for names, number in _VARIABLES:
        values = [environ.get(name, "") for name in names]
        if all(values) and environ.get(number, "").isdecimal():
            return Attempt(" ".join(values), int(environ[number]))
    return NO_ATTEMPT
