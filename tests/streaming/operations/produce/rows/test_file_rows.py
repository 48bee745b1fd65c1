"""Each kind of file gives the same rows, and a file that cannot be read says what to do."""

import gzip
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streaming.errors import RefusedError
from streaming.operations.produce.rows.file_rows import UNREADABLE, file_rows


def rows_of(path, content, encoding="utf-8-sig"):
    path.write_bytes(content)
    return list(file_rows(path, encoding))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_file_has_texts_whatever_its_delimiter(tmp_path, delimiter):
    text = '\ufeffid;price;note\r\na;0.57500;"x;\ny"\r\n\r\nb;;\r\n'.replace(";", delimiter)
    wanted = [{"id": "a", "price": "0.57500", "note": f"x{delimiter}\ny"}, {"id": "b", "price": None, "note": None}]
    assert rows_of(tmp_path / "a.csv", text.encode()) == wanted


def test_an_empty_file_and_a_file_of_one_column_are_read(tmp_path):
    assert rows_of(tmp_path / "none.csv", b"") == []
    assert rows_of(tmp_path / "head.csv", b"id,at\n") == []
    assert rows_of(tmp_path / "one.csv", b"id\n1\n2\n") == [{"id": "1"}, {"id": "2"}]


def test_another_encoding_is_named_in_the_error_and_read_when_given(tmp_path):
    content = "id\nM\u00fcller\n".encode("cp1252")
    with pytest.raises(RefusedError, match="--encoding cp1252"):
        rows_of(tmp_path / "a.csv", content)
    assert rows_of(tmp_path / "a.csv", content, "cp1252") == [{"id": "M\u00fcller"}]


def test_a_line_with_another_count_of_values_is_refused_by_its_number(tmp_path):
    with pytest.raises(RefusedError, match="line 3, has 3 values; the first line names 2"):
        rows_of(tmp_path / "a.csv", b"id,at\n1,2\n1,2,3\n")


def test_json_keeps_digits_flattens_objects_and_keeps_what_is_no_object(tmp_path):
    lines = b'{"a":{"b":{"c":0.57499999999999999999}},"n":9007199254740993,"x":NaN}\n\n{"a":\n7\n'
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines))
    assert list(file_rows(path)) == [
        {"a.b.c": Decimal("0.57499999999999999999"), "n": 9007199254740993, "x": None},
        {UNREADABLE: '{"a":'},
        {UNREADABLE: "7"},
    ]


def test_a_json_array_is_refused_with_what_to_run(tmp_path):
    with pytest.raises(RefusedError, match=r"jq -c '\.\[\]'"):
        rows_of(tmp_path / "a.json", b"[{}]")


def test_parquet_keeps_decimals_short_floats_and_instants(tmp_path):
    table = pa.table(
        {
            "short": pa.array([0.1, float("nan")], pa.float32()),
            "exact": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
            "at": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns", "UTC")),
            "user": pa.array([{"id": "u"}, None], pa.struct([("id", pa.string())])),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = file_rows(tmp_path / "a.parquet")
    assert (first["short"], first["exact"], first["user.id"]) == (0.1, Decimal("1.50"), "u")
    assert first["at"].isoformat() == "2023-11-14T22:13:20.123456+00:00"
    assert second["short"] is None
    assert second["exact"] is None


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="cannot be read"):
        rows_of(tmp_path / "a.parquet", b"not parquet")
    with pytest.raises(RefusedError, match=r"ends in \.parquet"):
        rows_of(tmp_path / "a.xlsx", b"")
    with pytest.raises(RefusedError, match="There is no file"):
        list(file_rows(tmp_path / "absent.csv"))


def test_two_columns_of_one_name_are_refused_in_every_kind_of_file(tmp_path):
    file = tmp_path / "twice.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), file)
    with pytest.raises(RefusedError, match="has more than one column a"):
        next(file_rows(file))
    file = tmp_path / "twice.csv"
    file.write_text("a,a\n1,2\n")
    with pytest.raises(RefusedError, match="has more than one column a"):
        next(file_rows(file))


def test_a_column_without_a_name_is_called_by_its_place(tmp_path):
    """As the index that pandas writes first."""
    file = tmp_path / "frame.csv"
    file.write_text(",at,\n0,x,1\n")
    assert list(file_rows(file)) == [{"column_1": "0", "at": "x", "column_3": "1"}]
