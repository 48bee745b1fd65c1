"""Laws of the registers, over rows that hold every kind: in any order, in any grouping, the same bits."""

import numpy as np
from hypothesis import given
from numpy.typing import NDArray

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.events import event_words, lay_out
from shared_features.kernel.loops.registers import KINDS, Register
from shared_features.kernel.loops.rows import merge_rows, prepare_event, prepare_events
from shared_features.kernel.step_order import Updates
from tests.oracle import Event
from tests.shared_features.kernel.engine import columns
from tests.strategies import event_streams, layout

TABLES = layout().tables


@compiled
def _prepare(tables, row, one_by_one, room, events):
    for i in range(room.shape[0]):
        lay_out(room[i], events, i)
        prepare_event(tables.kind_bounds, tables.word_bounds, tables.register_columns, one_by_one, room, i, i + 1)
    count = room.shape[0]
    prepare_events(tables.kind_bounds, tables.word_bounds, tables.register_columns, row, room, 0, count)


@compiled
def _merge(tables, into, rows):
    merge_rows(tables.word_bounds, into, rows, 0, rows.shape[0])


def prepared(events: list[Event]) -> NDArray[np.int64]:
    given = Updates(np.zeros(len(events), np.int64), *columns(events))
    row, one_by_one = TABLES.empty_row.copy(), TABLES.empty_row.copy()
    _prepare(TABLES, row, one_by_one, np.empty((len(events), event_words(2)), np.int64), given)
    assert row.tolist() == one_by_one.tolist()
    return row


def merged(*rows: NDArray[np.int64]) -> list[int]:
    into = rows[0].copy()
    _merge(TABLES, into, np.array(rows[1:]))
    words: list[int] = into.tolist()
    return words


def test_a_row_of_the_tests_holds_every_kind() -> None:
    assert set(KINDS) == set(Register) - {Register.DISTINCT}
    assert all(TABLES.kind_bounds[kind] < TABLES.kind_bounds[kind + 1] for kind in KINDS)


@given(event_streams(max_size=12), event_streams(max_size=12), event_streams(max_size=12))
def test_merging_in_any_order_and_grouping_gives_the_same_bits(one, two, three) -> None:
    a, b, c = prepared(one), prepared(two), prepared(three)
    assert merged(a, b) == merged(b, a)
    assert merged(np.array(merged(a, b)), c) == merged(a, np.array(merged(b, c))) == merged(a, b, c)


@given(event_streams(max_size=12), event_streams(max_size=12))
def test_merging_what_was_prepared_apart_is_preparing_it_together(one, two) -> None:
    assert merged(prepared(one), prepared(two)) == prepared(one + two).tolist()


@given(event_streams(max_size=12))
def test_an_empty_row_changes_nothing(events) -> None:
    row = prepared(events)
    assert merged(row, TABLES.empty_row) == merged(TABLES.empty_row, row) == row.tolist()
