"""Which requests reach the cluster."""

import pytest
from jupyter_databricks_kernel._policy import Request, Route, local_expressions, route


@pytest.mark.parametrize(
    ("request_", "live", "expected"),
    [
        (Request("1+1"), False, Route.RUN),
        (Request("1+1"), True, Route.RUN),
        (Request("x", silent=True), False, Route.DEFER),
        (Request("x", silent=True), True, Route.RUN),
        (Request("x", store_history=False), False, Route.DEFER),
        (Request("x", store_history=False), True, Route.RUN),
        (Request(""), False, Route.NOTHING),
        (Request(" \n "), True, Route.NOTHING),
        (Request("", expressions={"0": "x"}), False, Route.RUN),
        (Request("", silent=True, expressions={"0": "x"}), False, Route.DEFER),
    ],
)
def test_route(request_, live, expected):
    assert route(request_, live=live, magic=False) is expected


def test_a_kernel_command_needs_no_interpreter():
    assert route(Request("%dbk"), live=False, magic=True) is Route.MAGIC


@pytest.mark.parametrize(
    ("request_", "counted"),
    [
        (Request("1"), True),
        (Request(""), False),
        (Request("", expressions={"0": "x"}), False),
        (Request("1", silent=True), False),
        (Request("1", store_history=False), False),
    ],
)
def test_only_a_cell_with_code_takes_a_number(request_, counted):
    assert request_.counted is counted


@pytest.mark.parametrize(
    "request_", [Request("1"), Request("1", silent=True, allow_stdin=True), Request("1", False, False, True)]
)
def test_headless_and_hidden_runs_are_not_watched(request_):
    assert not request_.watched


def test_expressions_of_a_request_that_is_not_run_say_why():
    answers = local_expressions(Request("", silent=True, expressions={"a": "1"}))

    assert answers["a"]["status"] == "error"
    assert answers["a"]["ename"] == "SessionNotStarted"
