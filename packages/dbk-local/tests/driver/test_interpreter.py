"""What a command's result is."""

import pytest


def test_stdout_loses_its_last_newline_only(context):
    assert context.text("print(1)") == "1"
    assert context.text("print('a\\n')") == "a\n"


def test_a_command_without_output_gives_empty_text(context):
    assert context.text("x = 1") == ""
    assert context.text("") == ""


def test_names_live_from_command_to_command(context):
    context.text("x = 41")

    assert context.text("x + 1") == "42"


def test_the_value_of_a_last_expression_follows_what_was_printed(context):
    assert context.text("print('a')\n'b'") == "a\n'b'"


def test_the_value_has_a_prefix_where_the_runtime_adds_one(context):
    assert context.text("print('a')\n3", out_prefix=True) == "a\nOut[1]: 3"


def test_stderr_and_child_processes_write_into_the_same_text_in_order(context):
    code = "import os, sys\nprint('a')\nprint('b', file=sys.stderr)\nos.system('echo c; echo d >&2')\nprint('e')"

    assert context.text(code) == "a\nb\nc\nd\ne"


def test_an_error_drops_what_was_printed(context):
    results = context.run("print('lo' + 'st')\n1/0")

    assert results["resultType"] == "error"
    assert results["summary"] == "<span class='ansi-red-fg'>ZeroDivisionError</span>: division by zero"
    assert "data" not in results
    assert "lost" not in results["cause"]


def test_the_cause_is_a_traceback_with_colours_and_command_names(context):
    cause = context.run("def f():\n    return 1/0\nf()")["cause"]

    assert "\x1b[" in cause
    assert "<command--1>" in cause
    assert "Traceback (most recent call last)" in cause


def test_a_message_is_escaped_in_the_summary(context):
    assert context.run("raise ValueError('<b> & c')")["summary"].endswith(": &lt;b&gt; &amp; c")


def test_a_syntax_error_is_an_error_result(context):
    assert "SyntaxError" in context.run("def f(:")["summary"]


def test_a_command_may_be_indented_as_a_whole(context):
    assert context.text("    x = 1\n    print(x)") == "1"


def test_top_level_await_works_and_background_tasks_go_on_between_commands(context, wait_until):
    context.text(
        "import asyncio\nticks = []\nasync def tick():\n"
        "    while True:\n        ticks.append(1)\n        await asyncio.sleep(0.01)"
    )
    context.text("task = asyncio.get_running_loop().create_task(tick())")
    assert context.text("await asyncio.sleep(0, 'here')") == "'here'"

    wait_until(lambda: int(context.text("len(ticks)")) > 3)


def test_the_event_loop_runs_as_in_a_kernel(context):
    assert (
        "cannot be called from a running event loop"
        in context.run("import asyncio\nasyncio.run(asyncio.sleep(0))")["summary"]
    )


def test_cell_magics_work(context):
    assert context.text("%%sh\necho hi\necho err >&2") == "hi\nerr"
    assert context.text("%%time\nprint(5)").startswith("5\nCPU times: ")


def test_the_object_has_its_html_as_text(context):
    context.text("class Page:\n    def _repr_html_(self):\n        return '<div>page</div>'")

    assert context.text("print('lost')\nPage()") == "<div>page</div>"


def test_pandas_frames_come_as_html_text(context):
    pytest.importorskip("pandas")

    assert "</table>" in context.text("import pandas as pd\npd.DataFrame({'a': [1]})")


def test_input_is_refused(context):
    assert "StdinNotImplementedError" in context.run("input('name? ')")["summary"]


def test_invalid_utf8_and_lone_surrogates_do_not_break_the_text(context):
    assert context.text("import os\n_ = os.write(1, b'a\\xffb\\n')\nprint('\\ud800')") == "a�b\n\\ud800"


def test_much_output_is_complete_and_in_order(context):
    lines = context.text("for i in range(100_000): print(i)").split("\n")

    assert lines == [str(i) for i in range(100_000)]


def test_output_of_one_command_never_shows_in_another(context):
    for i in range(50):
        assert context.text(f"print({i})") == str(i)


def test_a_process_left_running_in_the_background_does_not_hold_the_command(context):
    assert context.text("import subprocess\np = subprocess.Popen(['sleep', '1000'])\nprint('on')") == "on"


@pytest.mark.parametrize(
    "name", ["spark", "sc", "sqlContext", "dbutils", "display", "displayHTML", "table", "sql", "udf"]
)
def test_the_notebook_names_are_there(context, name):
    assert context.text(f"{name!r} in globals()") == "True"


def test_without_spark_its_use_says_why(context):
    results = context.run("spark.range(1)")

    assert "switched off" in results["summary"]


def test_the_environment_marks_a_driver_and_keeps_the_login_of_the_host_out(context, monkeypatch):
    assert context.text("import os\nprint(os.environ['DATABRICKS_RUNTIME_VERSION'])") == "17.3"
    assert context.text("print([n for n in os.environ if n.startswith('DATABRICKS_') and 'RUNTIME' not in n])") == "[]"


def test_a_client_that_replaces_showtraceback_decides_what_an_error_is(context):
    context.text("shell = get_ipython()\nseen = []\nshell._showtraceback = lambda t, v, stb: seen.append(t.__name__)")

    assert context.text("print('kept')\n1/0") == "kept"
    assert context.text("seen") == "['ZeroDivisionError']"


def test_a_client_that_replaces_the_display_seams_gets_everything(context):
    context.text(
        "shell = get_ipython()\nseen = []\n"
        "class Pub(type(shell.display_pub)):\n"
        "    def publish(self, data, **kwargs): seen.append(sorted(data))\n"
        "shell.display_pub = Pub(shell=shell)\n"
    )

    assert context.text("displayHTML('<b>x</b>')") == ""
    assert context.text("seen") == "[['text/html', 'text/plain']]"


def test_input_transformers_and_events_see_each_command(context):
    context.text(
        "shell = get_ipython()\nevents = []\n"
        "shell.input_transformers_cleanup.append(lambda lines: [line.replace('ONE', '1') for line in lines])\n"
        "shell.events.register('pre_run_cell', lambda info: events.append(info.raw_cell))\n"
        "shell.events.register('post_run_cell', lambda result: events.append(result.success))"
    )

    assert context.text("ONE") == "1"
    assert context.text("events[-3:]") == "['ONE', True, 'events[-3:]']"


class TestEndings:
    def test_notebook_exit_gives_its_value_alone(self, context):
        assert context.text("print('lost')\ndbutils.notebook.exit('done')\nprint('never')") == "done"

    def test_notebook_exit_passes_through_broad_handlers(self, context):
        assert context.text("try:\n    dbutils.notebook.exit('x')\nexcept Exception:\n    print('no')") == "x"

    def test_restart_python_gives_a_fresh_interpreter_in_the_same_context(self, context):
        pid = context.pid
        context.text("x = 1")

        assert context.text("print('before')\ndbutils.library.restartPython()\nprint('never')") == "before"

        assert context.pid != pid
        assert "NameError" in context.run("x")["summary"]
        assert not context.deaths

    def test_the_first_command_after_a_restart_fails_where_the_runtime_does_so(self, context):
        context.text("dbutils.library.restartPython()")

        results = context.run("print(1)", restart_error_once=True)

        assert results["cause"].startswith("java.lang.IllegalStateException: jupyter client is not available")
        assert context.text("print(1)", restart_error_once=True) == "1"


def test_code_that_stops_the_event_loop_it_runs_in_keeps_its_interpreter(context):
    context.text("import asyncio\nasync def one(): return 1\nkept = 5")
    context.text("asyncio.get_running_loop().stop()")

    assert context.text("kept") == "5"
    assert context.text("await one()") == "1"


def test_nest_asyncio_may_be_applied_and_used_in_one_cell(context):
    pytest.importorskip("nest_asyncio2")
    context.text("import asyncio, nest_asyncio2\nasync def one():\n    await asyncio.sleep(0.01)\n    return 1")

    assert context.text("nest_asyncio2.apply(); asyncio.run(one())") == "1"
    assert context.text("asyncio.get_event_loop().run_until_complete(one())") == "1"
    assert context.text("await one()") == "1"
