from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.domains.machines import BREAKDOWN, HOT_PLANT
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import START_US, end_us
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.rows.group_rows import GroupRows, group_rows
from training.datasets.rows.joined_spine import join_spine


@pytest.fixture
def pinned(machine_lake: Path) -> PinnedView:
    return pin_view(OfflineStore(machine_lake), BREAKDOWN, LATENESS_US)


def columns(rows: GroupRows) -> list[list[object]]:
    return [each.tolist() for each in (rows.line, rows.partition, rows.offset, rows.event_time_us, rows.copy)]


def test_rows_within_a_span_are_those_that_are_read_of_it(pinned: PinnedView) -> None:
    every = group_rows(pinned, BREAKDOWN.groups[0])
    middle_us = int(np.median(every.event_time_us))
    span = (START_US, middle_us)
    some = every.within(span)
    assert 0 < len(some) < len(every)
    assert columns(some) == columns(group_rows(pinned, BREAKDOWN.groups[0], span))
    assert every.within((START_US, end_us())) is every


def test_rows_that_were_read_before_are_joined_as_those_that_are_read(pinned: PinnedView) -> None:
    every = group_rows(pinned, BREAKDOWN.groups[0])
    span = (START_US, int(np.median(every.event_time_us)))
    found, again = join_spine(pinned, *span, known=every), join_spine(pinned, *span)
    assert found.offset.tolist() == again.offset.tolist()
    assert found.copies == again.copies
    for name, lines in again.lines.items():
        np.testing.assert_array_equal(found.lines[name], lines, strict=True)


def test_rows_lie_alike_only_where_each_has_the_same_position(pinned: PinnedView) -> None:
    rows = group_rows(pinned, BREAKDOWN.groups[0])
    assert rows.lies_as(replace(rows, line=rows.line[::-1]))
    assert not rows.lies_as(replace(rows, offset=rows.offset[::-1]))
    assert not rows.lies_as(replace(rows, partition=rows.partition + np.int32(1)))


def test_groups_whose_rows_lie_otherwise_are_joined_alike(pinned: PinnedView, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = join_spine(pinned, START_US, end_us())
    monkeypatch.setattr(GroupRows, "lies_as", lambda self, other: False)
    looked_up = join_spine(pinned, START_US, end_us())
    for name in (BREAKDOWN.groups[0].part_name, HOT_PLANT.part_name):
        np.testing.assert_array_equal(alike.lines[name], looked_up.lines[name], strict=True)
