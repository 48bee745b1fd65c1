"""A spine of a user's: what it may hold, and what is said of what it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shared_features import Boolean, FeatureView, Field, Integer, Timestamp
from tests.domains.machines import BREAKDOWN, READINGS
from training.datasets.given_spine import check_spine, read_spine_file
from training.errors import DatasetError

AT = datetime(2024, 10, 5, 12, 30, 0, 250, UTC)
AT_US = 1_728_131_400_000_250
ROW: dict[str, Any] = {"plant": "p", "machine": "m", "as_of": AT, "celsius": 21.25, "humidity": 0.5, "firmware": "v1"}


NIGHT = Field("night", Boolean(), optional=True)
NIGHTS = FeatureView("nights", 1, replace(READINGS, fields=(*READINGS.fields, NIGHT)), ("night",))


def spine(**columns: list[Any]) -> pl.DataFrame:
    count = max(map(len, columns.values()), default=1)
    return pl.DataFrame({name: columns.get(name, [value] * count) for name, value in ROW.items()})


def refusal(given: pl.DataFrame) -> str:
    with pytest.raises(DatasetError) as refused:
        check_spine(BREAKDOWN, given)
    return str(refused.value)


@pytest.mark.parametrize(
    "as_of",
    [
        AT,
        AT.replace(tzinfo=None),
        AT.astimezone(timezone(timedelta(hours=9))),
        AT.isoformat(),
        "2024-10-05T14:30:00.000250+02:00",
        AT_US,
    ],
)
def test_an_instant_is_a_time_a_text_or_microseconds(as_of: Any) -> None:
    assert check_spine(BREAKDOWN, spine(as_of=[as_of])).as_of_us.tolist() == [AT_US]


def test_values_are_those_of_a_request(tmp_path: Path) -> None:
    """Half a step goes to even, as of a request and an event; whole numbers and decimals are numbers."""
    found = check_spine(BREAKDOWN, spine(celsius=[0.25, 0.35, -3.0], humidity=[None, float("nan"), 1.0]))
    assert found.columns["celsius"].tolist() == [2, 4, -30]
    assert found.valid["humidity"].tolist() == [False, False, True]
    assert found.columns["plant"].tolist() == ["p"] * 3
    assert check_spine(BREAKDOWN, spine(celsius=[7])).columns["celsius"].tolist() == [70]
    assert check_spine(BREAKDOWN, spine(celsius=[Decimal("7.35")])).columns["celsius"].tolist() == [74]


def test_an_optional_field_may_be_left_out() -> None:
    found = check_spine(BREAKDOWN, spine().drop("humidity", "firmware"))
    assert found.valid["humidity"].tolist() == found.valid["firmware"].tolist() == [False]


def test_a_time_of_1970_is_refused_only_where_its_unit_was_not_said() -> None:
    early = datetime(1970, 1, 20, tzinfo=UTC)
    assert check_spine(BREAKDOWN, spine(as_of=[early])).as_of_us.tolist() == [19 * 86_400 * 10**6]


def test_a_request_field_may_be_a_time_or_nothing() -> None:
    """Of any year, as in a request: a date of birth is one."""
    source = replace(READINGS, fields=(*READINGS.fields, Field("born", Timestamp("rfc3339"), optional=True)))
    view = FeatureView("birth", 1, source, ("celsius", age))
    given = pl.DataFrame({"as_of": [AT] * 2, "celsius": [1.0] * 2, "born": [datetime(1970, 1, 20, tzinfo=UTC), None]})
    found = check_spine(view, given)
    assert (found.columns["born"].tolist(), found.valid["born"].tolist()) == ([19 * 86_400 * 10**6, 0], [True, False])


def test_a_whole_number_may_be_a_float_as_pandas_has_it_beside_a_missing_one() -> None:
    source = replace(READINGS, fields=(*READINGS.fields, Field("shift", Integer(low=0, high=9), optional=True)))
    view = FeatureView("shifts", 1, source, ("shift",))
    found = check_spine(view, pl.DataFrame({"as_of": [AT] * 3, "shift": [5.0, float("nan"), None]}))
    assert (found.columns["shift"].tolist(), found.valid["shift"].tolist()) == ([5, 0, 0], [True, False, False])
    with pytest.raises(DatasetError, match="'shift' of the spine has a wrong value in row 1: it is 5"):
        check_spine(view, pl.DataFrame({"as_of": [AT] * 2, "shift": [5.0, 5.5]}))
    with pytest.raises(DatasetError, match="in row 0: it is 1e"):
        check_spine(view, pl.DataFrame({"as_of": [AT], "shift": [1e300]}))


@pytest.mark.parametrize("given", [[True, False, None], [1, 0, None], [1.0, 0.0, float("nan")]])
def test_a_truth_may_be_1_or_0_as_files_have_it(given: list[Any]) -> None:
    """`produce` takes them, so a file that was sent as events may be a spine."""
    found = check_spine(NIGHTS, pl.DataFrame({"as_of": [AT] * 3, "night": given}))
    assert (found.columns["night"].tolist()[:2], found.valid["night"].tolist()) == ([1, 0], [True, True, False])


@pytest.mark.parametrize("given", [2, -1, 0.5, "1", "yes"])
def test_no_other_number_and_no_text_is_a_truth(given: Any) -> None:
    with pytest.raises(
        DatasetError, match=f"'night' of the spine has a wrong value in row 0: it is {given!r}. Write t"
    ):
        check_spine(NIGHTS, pl.DataFrame({"as_of": [AT], "night": [given]}))


def age(born: Any, as_of_us: Any) -> Any:
    return as_of_us - born


def test_a_column_that_is_lacking_is_named_with_the_one_that_may_be_meant() -> None:
    assert refusal(spine().rename({"as_of": "asof", "machine": "Machine"})) == (
        "The spine lacks 2 columns: as_of, machine. View breakdown:v1 needs as_of, plant, machine, celsius. The spine "
        "has plant, Machine, asof, celsius, humidity, firmware. Rename 'asof' as 'as_of' and 'Machine' as 'machine', "
        "if that is meant."
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"celsius": [1.0, 501.0]},
            "'celsius' of the spine has a wrong value in row 1: out of bounds -80 to 500: 501.0",
        ),
        ({"celsius": [1.0, None]}, "'celsius' of the spine has a wrong value in row 1: there is no value"),
        ({"celsius": ["warm"]}, "'celsius' of the spine has a wrong value in row 0: it is 'warm'. Write a number from"),
        ({"plant": [1]}, "'plant' of the spine has a wrong value in row 0: it is 1. Write a text"),
        ({"machine": ["m", None]}, "'machine' of the spine has a wrong value in row 1: there is no value"),
        ({"machine": ["m", "x" * 21]}, "'machine' of the spine has a wrong value in row 1: it is 'xxx"),
        (
            {"as_of": ["2024-10-05T12:30:00Z", "yesterday"]},
            "has a text that is not a time in row 1: 'yesterday'. Write",
        ),
        (
            {"as_of": ["03/04/2024"]},
            "has a text that is not a time in row 0: '03/04/2024'. Write RFC 3339",
        ),
        ({"as_of": [AT, None]}, "'as_of' of the spine is empty in row 1. Every row needs it"),
        ({"as_of": [1.5]}, "'as_of' of the spine holds Float64. Give times"),
        ({"as_of": [AT_US // 1_000_000]}, "has 1728131400 in row 0: in seconds it is 2024-10-05"),
        ({"as_of": [AT_US, AT_US // 1_000]}, "has 1728131400000 in row 1: in milliseconds it is 2024"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(columns: dict[str, list[Any]], said: str) -> None:
    assert said in refusal(spine(**columns))


@pytest.mark.parametrize("text", ["2024/10/05 12:30:00", "2024-10-5 12:30:00", "2024-10-05T12:30:00"])
def test_a_time_may_be_written_in_each_way_that_begins_with_the_year(text: str) -> None:
    instants = check_spine(BREAKDOWN, spine(as_of=[text])).as_of_us
    assert instants.tolist() == [datetime(2024, 10, 5, 12, 30, tzinfo=UTC).timestamp() * 1_000_000]


def test_a_row_is_told_by_its_keys_its_instant_and_its_request_fields() -> None:
    """A number alone says nothing of a table that is sorted otherwise, or is in a database."""
    named = "The row has plant='p', machine='m', as_of=2024-10-05T12:30:00.000250Z"
    others = "humidity=0.5, firmware='v1'."
    assert refusal(spine(celsius=[1.0, 501.0])).endswith(f"bounds -80 to 500: 501.0. Write a number from -80 to 500, "
        f"rounded to 1 decimal (half to even). {named}, {others}")  # fmt: skip
    assert refusal(spine(celsius=[1.0, None])).endswith(f"{named}, {others}")
    without = "The row has plant='p', machine='m', celsius=21.25, humidity=0.5, firmware='v1'."
    assert refusal(spine(as_of=[AT, None])).endswith(f"is empty in row 1. Every row needs it. {without}")
    assert refusal(spine(as_of=["2024-10-05T12:30:00Z", "yesterday"])).endswith(without)
    assert refusal(spine(as_of=[AT_US, AT_US // 1_000], machine=["m", "n"])).endswith(without.replace("'m'", "'n'"))
    assert "as_of=1728131400000250, celsius=1.0, firmware=null." in refusal(
        spine(as_of=[AT_US], celsius=[1.0], humidity=["wet"], firmware=[None])
    )


def test_what_is_told_of_a_row_has_a_bounded_length() -> None:
    long = refusal(spine(plant=["p" * 10**6], machine=["m" * 10**6], firmware=["f" * 10**6]))
    assert "machine='" + "m" * 36 + "..., as_of=" in long
    assert 300 < len(long) < 600
    names = [f"f{number}" for number in range(50)]
    source = replace(READINGS, fields=(*READINGS.fields, *(replace(READINGS.field("celsius"), name=n) for n in names)))
    given = pl.DataFrame({"as_of": [AT], "celsius": [None], **{name: [1.5] for name in names}})
    with pytest.raises(DatasetError, match=r"The row has as_of=.*, f0=1.5, .*, f7=1.5, and more\.$"):
        check_spine(FeatureView("wide", 1, source, ("celsius", *names)), given)


@pytest.mark.parametrize(
    "columns",
    [
        {"celsius": [1.0, 501.0]},
        {"celsius": [1.0, None]},
        {"machine": ["m", "x" * 21]},
        {"plant": ["p", None]},
        {"as_of": [AT, None]},
        {"as_of": [AT.isoformat(), "yesterday"]},
        {"as_of": [AT_US, AT_US // 1_000]},
    ],
)
def test_of_a_part_no_row_number_is_told_and_of_a_slice_the_one_in_the_whole(columns: dict[str, list[Any]]) -> None:
    """A number that counts within a part leads to another row of the table."""
    for first, said in ((None, " in a row"), (40, " in row 41")):
        with pytest.raises(DatasetError, match=rf"{said}[.:] .*The row has ") as refused:
            check_spine(BREAKDOWN, spine(**columns), first_row=first)
        assert "row 1" not in str(refused.value)


@pytest.mark.parametrize("name", ["spine.parquet", "spine.csv", "spine.jsonl", "SPINE.CSV"])
def test_a_file_of_each_kind_is_read(tmp_path: Path, name: str) -> None:
    given, file = spine(as_of=[AT.isoformat()]), tmp_path / name
    kind = name.lower().rpartition(".")[2]
    write: Any = {"parquet": given.write_parquet, "csv": given.write_csv, "jsonl": given.write_ndjson}[kind]
    write(file)
    found = check_spine(BREAKDOWN, read_spine_file(file))
    assert (found.as_of_us.tolist(), found.columns["celsius"].tolist()) == ([AT_US], [212])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"spine\.xlsx cannot be read: its kind is unknown.*\.parquet, \.csv"):
        read_spine_file(tmp_path / "spine.xlsx")
    with pytest.raises(DatasetError, match=r"spine\.csv cannot be read"):
        read_spine_file(tmp_path / "spine.csv")
    (tmp_path / "spine.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"spine\.parquet cannot be read"):
        read_spine_file(tmp_path / "spine.parquet")
