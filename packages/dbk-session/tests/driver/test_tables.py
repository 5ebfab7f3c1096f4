"""`display` of frames and records: text, HTML, and a table resource."""

import pytest
from dbk_session.driver.agent.frames import table_of
from dbk_session.driver.agent.tables import RESOURCE, Table

pandas = pytest.importorskip("pandas")


def test_a_table_is_text_html_and_a_resource():
    table = Table(["n", "name"], ["integer", "string"], [[1, "a"], [22, None]], limit=10, more=False)

    assert table.text() == " n  name\n 1  a\n22  null"
    assert table.resource() == {
        "schema": {"fields": [{"name": "n", "type": "integer"}, {"name": "name", "type": "string"}]},
        "data": [{"n": 1, "name": "a"}, {"n": 22, "name": None}],
        "truncated": False,
    }
    assert table.html().count("<tr>") == 3


def test_values_are_escaped_and_no_colour_is_set():
    html = Table(["<b>"], ["string"], [["<script>alert('x')</script>"]], limit=1, more=False).html()

    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert "color:inherit" in html
    assert "background:transparent" in html


def test_rows_beyond_the_limit_are_counted_out_loud():
    table = table_of(pandas.DataFrame({"a": range(50)}), limit=30)

    assert len(table.rows) == 30
    assert "Only the first 30 rows are shown." in table.text()
    assert "... 10 more rows" in table.text()
    assert "Only the first 30 rows are shown." in table.html()
    assert table.resource()["truncated"] is True


def test_columns_of_one_name_are_told_apart():
    frame = pandas.DataFrame([[1, 2]], columns=["a", "a"])

    assert table_of(frame, 5).resource()["data"] == [{"a": 1, "a_2": 2}]


def test_pandas_types_missing_values_and_an_index_are_kept():
    frame = pandas.DataFrame(
        {"f": [1.5, None], "b": [True, False], "s": ["x", None], "d": pandas.to_datetime(["2024-01-02", None])},
        index=pandas.Index(["r1", "r2"], name="row"),
    )

    table = table_of(frame, 5)

    assert list(table.columns) == ["row", "f", "b", "s", "d"]
    assert list(table.types) == ["string", "number", "boolean", "string", "datetime"]
    assert table.rows[1] == ["r2", None, False, None, None]
    assert table.resource()["data"][0]["d"] == "2024-01-02T00:00:00"


def test_a_frame_with_several_indexes_and_column_levels_is_a_table():
    frame = pandas.DataFrame({("a", "x"): [1], ("a", "y"): [2]})
    frame.index = pandas.MultiIndex.from_tuples([("i", "j")])

    assert list(table_of(frame, 5).columns) == ["level_0, ", "level_1, ", "a, x", "a, y"]


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        ([{"a": 1, "b": "x"}, {"a": 2, "b": None}], ["a", "b"]),
        ([], None),
        ([1, 2], None),
        ("text", None),
        ({"a": 1}, None),
        ([{"a": 1}, "x"], None),
    ],
)
def test_lists_of_records_are_tables_and_other_values_are_not(value, columns):
    table = table_of(value, 10)

    assert (list(table.columns) if table else None) == columns


def test_named_tuples_are_records():
    from collections import namedtuple

    FileInfo = namedtuple("FileInfo", ["path", "size"])

    table = table_of([FileInfo("dbfs:/a", 3)], 10)

    assert (list(table.columns), table.types, table.rows) == (["path", "size"], ["string", "integer"], [["dbfs:/a", 3]])


def test_display_shows_a_frame_as_a_table_and_other_things_as_ipython_does(driver):
    if "pandas" not in driver.hello["capabilities"]:
        pytest.skip("the driver's interpreter has no pandas")

    outcome = driver.run("import pandas\ndisplay(pandas.DataFrame({'a': [1]}), streamName='x')\ndisplay('text')")

    first, second = outcome.of("display")
    assert first["data"][RESOURCE]["data"] == [{"a": 1}]
    assert "<table" in first["data"]["text/html"]
    assert second["data"] == {"text/plain": "'text'"}


def test_display_html_shows_html(driver):
    assert driver.run("displayHTML('<p>x</p>')").of("display")[0]["data"]["text/html"] == "<p>x</p>"


def test_display_takes_the_row_limit_of_the_session(make_driver):
    driver = make_driver(agent={"display_rows": 2})

    outcome = driver.run("display([{'a': n} for n in range(5)])")

    assert len(outcome.of("display")[0]["data"][RESOURCE]["data"]) == 2
