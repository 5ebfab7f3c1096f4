"""Pushes that end because the workspace does not answer: how long others are kept out, and which are not."""

import time

import pytest
from dbk_sync import _remote
from dbk_sync._attempt import NO_ATTEMPT, Attempt, attempt_of

OLD = {"a.py": b"old"}
NEW = {"a.py": b"new"}
OTHER = {"a.py": b"other"}

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "77"}
GITLAB = {"CI_SERVER_URL": "https://gitlab.com", "CI_PIPELINE_ID": "7", "CI_JOB_NAME": "deploy 1/2"}
AZURE = {
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/we/",
    "BUILD_BUILDID": "7",
    "SYSTEM_STAGENAME": "build",
    "SYSTEM_JOBNAME": "deploy",
}
SERVICES = {
    "github": (GITHUB, "GITHUB_RUN_ATTEMPT"),
    "gitlab": (GITLAB, "CI_JOB_ID"),
    "azure": (AZURE, "SYSTEM_JOBATTEMPT"),
}
FILES = {"volume": "PUT /api/2.0/fs/files*", "workspace": "POST /api/2.0/workspace-files/import-file*"}


@pytest.fixture
def elsewhere(monkeypatch):
    """A function after which this is another machine, some seconds later."""

    def move(later_s=0.0):
        monkeypatch.setattr("socket.gethostname", lambda: "another machine")
        monkeypatch.setattr(_remote.Root.__init__, "__defaults__", (lambda: time.time() + later_s,))

    return move


@pytest.fixture
def stormy(dbk_sync, workspace, write, target_of):
    """A function that pushes NEW over OLD to a target, which takes so many files and refuses `times` after that."""

    def push(kind, answered, *, times=None):
        target = target_of(kind)
        write(OLD)
        assert dbk_sync("push", ".", *target.words).code == 0
        write(NEW)
        workspace.fault(FILES[kind], "503", times=times, after=answered, retry_after=1000)
        ran = dbk_sync("push", ".", *target.words)
        workspace.clear_faults()
        assert ran.code == 75, ran.err
        return target

    return push


@pytest.mark.parametrize("kind", FILES)
def test_the_lock_of_a_push_that_is_not_answered_is_given_back_by_one_more_request(
    dbk_sync, write, stormy, elsewhere, kind
):
    target = stormy(kind, 1, times=1)
    write(OTHER)

    elsewhere()
    at_once = dbk_sync("push", ".", *target.words)
    elsewhere(40)
    soon = dbk_sync("push", ".", *target.words)

    # A request that got no answer may still be carried out: not at once, then.
    assert at_once.code == 8
    assert soon.code == 0, soon.err
    assert target.files() == OTHER


def test_where_that_one_is_not_answered_either_the_push_ends_and_others_wait(dbk_sync, write, stormy, elsewhere):
    target = stormy("volume", 1)
    write(OTHER)

    elsewhere(40)
    soon = dbk_sync("push", ".", *target.words)
    elsewhere(1000)
    late = dbk_sync("push", ".", *target.words)

    assert (soon.code, late.code) == (8, 0)
    assert target.files() == OTHER


@pytest.mark.parametrize("service", SERVICES)
def test_a_later_attempt_of_the_same_ci_run_goes_on_at_once(dbk_sync, write, stormy, elsewhere, monkeypatch, service):
    common, number = SERVICES[service]
    for name, value in {**common, number: "11"}.items():
        monkeypatch.setenv(name, value)
    target = stormy("volume", 1)
    elsewhere()
    write(OTHER)

    beside = dbk_sync("push", ".", *target.words)
    monkeypatch.setenv(number, "12")
    retried = dbk_sync("push", ".", *target.words)

    assert (beside.code, retried.code) == (8, 0)
    assert "An earlier push was interrupted" in retried.err
    assert target.files() == OTHER


def test_an_attempt_follows_an_earlier_one_of_its_own_run_alone():
    first, second = Attempt("run", 1), Attempt("run", 2)

    assert second.follows(first)
    assert not first.follows(second)
    assert not first.follows(first)
    assert not Attempt("another", 2).follows(first)
    assert not second.follows(NO_ATTEMPT)
    assert not NO_ATTEMPT.follows(NO_ATTEMPT)


def test_an_attempt_is_told_by_all_of_its_variables():
    assert attempt_of({**GITHUB, "GITHUB_RUN_ATTEMPT": "3"}) == Attempt("https://github.com 77", 3)
    assert attempt_of({**GITHUB, "GITHUB_RUN_ATTEMPT": ""}) == NO_ATTEMPT
    assert attempt_of({"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "3"}) == NO_ATTEMPT
    assert attempt_of({}) == NO_ATTEMPT
