"""What tells the outcome before it is known: a file that has such columns must not become a model that has them."""

import random

import pytest

from deploy.project.project import write_project
from deploy.project.proposal import propose
from deploy.project.wishes import Wishes

ROWS = 400
DAY_S = 86_400


def parcels(**more):
    """One parcel an hour, of which a third is returned. more: column -> its value, by number and by outcome."""
    drawn = random.Random(5)
    rows = []
    for number in range(ROWS):
        returned = drawn.random() < 0.33
        row = {"parcel_id": f"p{number}", "at": f"2026-03-{1 + number // 24:02}T{number % 24:02}:00:00Z",
               "shop": f"s{number % 7}", "weight_kg": round(drawn.uniform(0, 9), 2),
               "coupon": drawn.choice([None, None, "SPRING"]), "returned": returned}  # fmt: skip
        rows.append(row | {name: value(number, returned) for name, value in more.items()})
    return rows


def proposed(rows, **wishes):
    return propose("parcels", "parcels.jsonl", rows, wishes=Wishes(**wishes))


def test_a_file_without_such_a_column_gets_no_doubt():
    """A coupon that most rows lack says nothing of the outcome."""
    made = proposed(parcels(noise=lambda number, returned: number % 5))
    assert (made.doubts, made.left) == ({}, ())
    assert [each.name for each in made.numbers] == ["weight_kg", "noise"]


@pytest.mark.parametrize("there", [True, False], ids=["there where returned", "missing where returned"])
def test_a_column_that_only_one_outcome_has_is_left_out_with_the_reason(there):
    made = proposed(parcels(refund=lambda number, returned: number % 9 if returned is there else None))
    (left,) = made.left
    assert left.name == "refund"
    share, others = ("0%", "100%") if there else ("100%", "0%")
    assert left.why.startswith(
        f"it is missing in {share} of the rows where returned is true and in {others} of the others"
    )
    assert "refund" not in [each.name for each in made.spine]


def test_a_column_whose_missing_values_go_along_with_the_outcome_is_doubted():
    """Each row that lacks it is returned; not each that is returned lacks it."""
    made = proposed(parcels(score=lambda number, returned: None if returned and number % 3 == 0 else number % 9))
    assert list(made.doubts) == ["score"]
    assert made.doubts["score"].startswith("it is missing in 3")
    assert made.doubts["score"].endswith("of the rows where returned is true and in 0% of the others")


@pytest.mark.parametrize(
    "value",
    [
        lambda number, returned: number + (1_000 if returned else 0),
        lambda number, returned: (number % 3) * 2 + returned,
        lambda number, returned: "back" if returned else ["done", "sold"][number % 2],
    ],
    ids=["by a threshold", "by values that repeat", "by a text"],
)
def test_a_column_that_alone_separates_the_outcomes_is_doubted(value):
    made = proposed(parcels(state=value))
    assert made.doubts == {"state": "it alone tells nearly every row where returned is true from the others"}


def test_a_class_of_a_text_label_is_told_as_well():
    rows = parcels(result=lambda number, returned: "lost" if returned else ["home", "shop"][number % 2])
    for row in rows:
        row["days_sought"] = 30 if row["result"] == "lost" else None
        del row["returned"]
    (left,) = proposed(rows).left
    assert (left.name, "where result is home" in left.why or "where result is lost" in left.why) == (
        "days_sought",
        True,
    )


def test_a_member_beside_the_label_is_doubted_unless_the_whole_event_is_in_that_object():
    rows = parcels(bytes=lambda number, returned: number % 11)
    nested = [
        {**{name: value for name, value in row.items() if name not in ("bytes", "returned")},
         "response.bytes": row["bytes"], "response.failed": row["returned"]}
        for row in rows
    ]  # fmt: skip
    assert proposed(nested).doubts == {"response.bytes": "it stands beside the label response.failed"}
    within = [{f"payload.{name}": value for name, value in row.items()} for row in rows]
    assert proposed(within).doubts == {}


def test_a_few_rows_say_nothing():
    assert proposed(parcels(state=lambda number, returned: int(returned))[:25], label="returned").left == ()


def test_features_and_readme_ask_what_is_known_before_the_outcome(tmp_path):
    file = tmp_path / "parcels.csv"
    rows = parcels(
        refund=lambda number, returned: number % 9 if returned else None,
        hours_away=lambda number, returned: number % 50 + (100 if returned else 0),
    )
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    file.write_text("\n".join([",".join(rows[0]), *lines]))
    said = write_project("leaky_parcels", file, tmp_path, "utf-8-sig")
    asked = (
        "The view takes `weight_kg`, `hours_away` from the request. Is each of these known before the outcome? Remove "
        "what is not."
    )
    told = (
        "Column `hours_away` may be known only after the outcome: it alone tells nearly every row where returned is "
        "true from the others. If so, remove it."
    )
    readme, module = ((tmp_path / "leaky_parcels" / name).read_text() for name in ("README.md", "features.py"))
    assert all(line in said and f"- {line}" in readme for line in (asked, told))
    assert any(line.startswith("Column `refund` is left out: it is missing in 0% of the rows") for line in said)
    view = module[module.index("PARCELS_VIEW = ") :]
    assert "# TO DO: is each of these known before the outcome? Remove what is not." in view
    assert view.index("# TO DO: it may be known only after the outcome") < view.index('"hours_away",')
    assert view.index('"weight_kg",') < view.index("# TO DO: it may be known only after the outcome")
    assert "refund" not in view
