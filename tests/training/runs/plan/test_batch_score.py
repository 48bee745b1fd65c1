"""What a batch scoring may be asked for. A client of the service reaches no file outside of its folder."""

from __future__ import annotations

import re
from typing import Any

import pytest

from training.errors import RequestError
from training.runs.plan.batch_score import BatchScore
from training.runs.plan.fork import check_fork
from training.runs.plan.step_names import step_names
from training.runs.plan.templates import check_request

ROWS: dict[str, Any] = {"model": "m", "spine": "rows.csv", "output": "day/out.parquet"}
SPAN = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z"}


def checked(**given: Any) -> Any:
    return check_request("batch-score", given)


def test_rows_of_a_file_or_of_a_span_of_time_are_asked_for() -> None:
    assert checked(**ROWS).spine == "rows.csv"
    assert checked(**ROWS, truth="event-time", lag=2.5, version=3).lag == 2.5
    assert checked(model="m", output="out.parquet", **SPAN).to.day == 8


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"model": None}, "$.parameters.model", "Expected `str`, got `null`"),
        ({"rows": 5}, "$.parameters.rows", "It takes model, output, version, spine, from, to, truth, lag."),
        ({"spine": None}, "$.parameters.spine", "No rows are given"),
        ({"spine": None, "from": SPAN["from"]}, "$.parameters.spine", "both from and to"),
        (SPAN, "$.parameters.spine", "Rows are given twice"),
        ({"spine": None, **SPAN, "lag": 5}, "$.parameters.truth", "Leave them out"),
        ({"spine": None, "from": SPAN["to"], "to": SPAN["from"]}, "$.parameters.to", "Give a later time"),
        ({"spine": None, **SPAN, "to": "2026-03-08T00:00:00"}, "$.parameters.to", "has no time zone"),
        ({"lag": -1}, "$.parameters.lag", "Give seconds, 0 or more"),
        ({"output": "out.csv"}, "$.parameters.output", "is not a name of a Parquet file"),
        ({"output": "/etc/out.parquet"}, "$.parameters.output", "is not a name of a file in the folder"),
        ({"output": "../out.parquet"}, "$.parameters.output", "without `..`"),
        ({"output": "a/../../out.parquet"}, "$.parameters.output", "without `..`"),
        ({"output": ".parquet"}, "$.parameters.output", "without a dot in front"),
        ({"spine": "../secret.csv"}, "$.parameters.spine", "is not a name of a file in the folder"),
        ({"spine": ""}, "$.parameters.spine", "is not a name of a file in the folder"),
        ({"spine": "a\0b"}, "$.parameters.spine", "is not a name of a file in the folder"),
    ],
)
def test_what_cannot_be_scored_is_refused_where_it_is_wrong(changed: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(RequestError, match=re.escape(said)) as raised:
        checked(**{**ROWS, **changed})
    assert raised.value.path == path


def test_a_fork_writes_another_file_and_reads_the_same() -> None:
    before, names = BatchScore(**ROWS), step_names("batch-score")
    check_fork("score", before, BatchScore(**{**ROWS, "output": "again.parquet"}), names)
    with pytest.raises(RequestError, match="Parameter spine is used when the run begins"):
        check_fork("score", before, BatchScore(**{**ROWS, "spine": "others.csv"}), names)
    with pytest.raises(RequestError, match="There is no step 'fit'"):
        check_fork("fit", before, before, names)
