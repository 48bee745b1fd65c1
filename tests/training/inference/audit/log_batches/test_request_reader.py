"""Bodies that compiled loops read have the columns that a parser gives them, and are refused where it refuses them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.formats.logged_columns import as_texts
from tests.domains.machines import BREAKDOWN
from training.inference.audit.log_batches.request_reader import RequestReader, Requests

READER = RequestReader(BREAKDOWN)
MACHINE = {"plant": "p", "machine": "m", "celsius": 20.5}
CELSIUS = st.integers(-1000, 30_000).map(lambda each: each / 100) | st.floats(-12, 300) | st.just(71.35)
INSTANCES = st.fixed_dictionaries(
    {"plant": st.text(max_size=9), "machine": st.sampled_from(["m1", "é\n\\", '"']), "celsius": CELSIUS},
    optional={
        "humidity": st.none() | st.floats(0, 1),
        "firmware": st.none() | st.text(max_size=3),
        "at": st.none() | st.just("2026-01-05T12:30:00+01:00"),
        "other": st.none() | st.integers() | st.text(),
    },
)


def bodies(lists: list[list[dict[str, Any]]]) -> list[bytes]:
    return [json.dumps({"instances": each}).encode() for each in lists]


def as_parsed(found: Requests) -> tuple[Any, ...]:
    columns = {name: each.tolist() for name, each in found.columns.items()}
    return found.counts.tolist(), columns, {name: each.tolist() for name, each in found.valid.items()}


@given(st.lists(st.lists(INSTANCES, min_size=1, max_size=3), max_size=3))
def test_columns_are_those_that_a_parser_gives_however_the_bodies_are_spelled(
    lists: list[list[dict[str, Any]]],
) -> None:
    ours, theirs = READER.read(as_texts(bodies(lists))), READER._parsed(as_texts(bodies(lists)))
    assert as_parsed(ours) == as_parsed(theirs)
    assert ours.named_us.tolist() == theirs.named_us.tolist()
    nested = [[each | {"other": [1]} for each in some] for some in lists]
    assert as_parsed(READER.read(as_texts(bodies(nested)))) == as_parsed(theirs)


@pytest.mark.parametrize(
    "changed",
    [{"celsius": None}, {"celsius": "20"}, {"celsius": 10**9}, {"humidity": "a"}, {"plant": 1}, {"at": "now"}],
)
def test_a_body_that_the_endpoint_refuses_is_refused(changed: dict[str, Any]) -> None:
    texts = as_texts(bodies([[MACHINE], [MACHINE | changed]]))
    with pytest.raises((msgspec.MsgspecError, ValueError, TypeError)):
        READER.read(texts)


def test_many_plain_bodies_make_no_object_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestReader, "_parsed", None)
    found = READER.read(as_texts(bodies([[MACHINE]] * 5)))
    assert found.columns["celsius"].tolist() == [205] * 5
