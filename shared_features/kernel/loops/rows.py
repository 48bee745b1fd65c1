"""Rows: all registers of a tile side by side, kind after kind. The loops over them are made of the table of kinds."""

from collections.abc import Callable
from typing import Any

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.registers import KINDS, Kind

Loop = Callable[..., Any]


def _one_after_another(each: Callable[[int, Kind, Loop], Loop], last: Loop) -> Loop:
    """One loop per kind, each of which calls the next: compiled, they stand in a row, with no branch on a kind."""
    loop = last
    for kind in sorted(KINDS, reverse=True):
        loop = each(int(kind), KINDS[kind], loop)
    return loop


def _preparing(kind: int, of: Kind, following: Loop) -> Loop:
    prepare, words = of.prepare, of.words

    @inlined
    def loop(tables, row, event_time_us, digest, values, valid):
        at = tables.word_bounds[kind]
        for register in range(tables.kind_bounds[kind], tables.kind_bounds[kind + 1]):
            column = tables.register_columns[register]
            if column < 0:
                prepare(row, at, event_time_us, event_time_us, digest)
            elif valid[column]:
                prepare(row, at, values[column], event_time_us, digest)
            at += words
        following(tables, row, event_time_us, digest, values, valid)

    return loop


def _merging(kind: int, of: Kind, following: Loop) -> Loop:
    merge, words = of.merge, of.words

    @inlined
    def loop(places, into, row):
        for at in range(places[kind], places[kind + 1], words):
            merge(into, row, at)
        following(places, into, row)

    return loop


def _putting(kind: int, of: Kind, following: Loop) -> Loop:
    put, words = of.put, of.words

    @inlined
    def loop(tables, row, tile, buffer, place):
        at = tables.word_bounds[kind]
        for register in range(tables.kind_bounds[kind], tables.kind_bounds[kind + 1]):
            place = put(row, at, tile, tables.register_columns[register] < 0, buffer, place)
            at += words
        return following(tables, row, tile, buffer, place)

    return loop


def _getting(kind: int, of: Kind, following: Loop) -> Loop:
    get, words = of.get, of.words

    @inlined
    def loop(tables, row, tile, buffer, place, end):
        at = tables.word_bounds[kind]
        for register in range(tables.kind_bounds[kind], tables.kind_bounds[kind + 1]):
            place = get(row, at, tile, tables.register_columns[register] < 0, buffer, place, end)
            at += words
        return following(tables, row, tile, buffer, place, end)

    return loop


@inlined
def _prepared(tables, row, event_time_us, digest, values, valid):
    pass


@inlined
def _merged(places, into, row):
    pass


@inlined
def _put(tables, row, tile, buffer, place):
    return place


@inlined
def _got(tables, row, tile, buffer, place, end):
    return place


prepare_row = _one_after_another(_preparing, _prepared)
"""(tables, row, event time, digest, values, valid): put one event in; a missing value leaves its registers alone."""
merge_rows = _one_after_another(_merging, _merged)
"""(places, into, row): merge the registers of a row into those of another; `places` are the table's `word_bounds`."""
put_row = _one_after_another(_putting, _put)
"""(tables, row, tile, buffer, place) -> next place: write the registers of a tile of more than one event."""
get_row = _one_after_another(_getting, _got)
"""(tables, row, tile, buffer, place, end) -> next place, beyond `end` when bytes are missing or wrong."""
