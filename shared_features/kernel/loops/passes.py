"""Passes: from the newest event or tile of an entity back to where a window begins, merged on the way.

The registers that add (counts, sums, squares) are added eight words at a time while the pass looks for the end: the
processor guesses the end of a loop wrong, which costs as much as several tiles, and so there is one loop where there
were one to look and one for each register.
"""

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.events import TIME, VALUES
from shared_features.kernel.loops.lanes import LANES, add_lanes, carries, lanes_at, no_lanes, put_lanes, signs
from shared_features.kernel.loops.machine_words import one_by_one, put_word, word_at
from shared_features.kernel.loops.registers import Register
from shared_features.kernel.loops.rows import merge_extremes, prepare_rest
from shared_features.kernel.loops.wide_integers import add_wide

_SUMS, _SQUARES, _EXTREMES = int(Register.SUM), int(Register.SQUARES), int(Register.MIN)


@inlined
def pass_tiles(tables, starts, rows, first, tile, start_us, room):
    """Merge those of the tiles `first .. tile` of the pool that do not start before a window; returns the next one."""
    newest, total, high = tile, no_lanes(), no_lanes()
    while tile >= first and word_at(starts, tile) >= start_us:
        words = lanes_at(rows, tile, 0)
        total = add_lanes(total, words)
        high = add_lanes(high, carries(total, words))
        tile -= 1
    if tile == newest:
        return tile
    bounds, row = tables.word_bounds, room.row
    put_lanes(room.totals, 0, total)
    put_lanes(room.highs, 0, high)
    for word in range(LANES, word_at(bounds, _EXTREMES), LANES):
        total, high = no_lanes(), no_lanes()
        for at in range(tile + 1, newest + 1):
            words = lanes_at(rows, at, word)
            total = add_lanes(total, words)
            high = add_lanes(high, carries(total, words))
        put_lanes(room.totals, word, total)
        put_lanes(room.highs, word, high)
    for at in range(word_at(bounds, 0), word_at(bounds, _SUMS)):
        one_by_one()
        put_word(row, at, word_at(row, at) + word_at(room.totals, at))
    for at in range(word_at(bounds, _SUMS), word_at(bounds, _EXTREMES), 2):
        one_by_one()
        more = word_at(room.totals, at) + word_at(room.highs, at + 1)
        _add_at(row, at, more, word_at(room.totals, at + 1))
    if word_at(bounds, _EXTREMES) < word_at(bounds, bounds.size - 1):
        merge_extremes(bounds, row, rows, tile + 1, newest + 1)
    return tile


@inlined
def pass_events(tables, events, first, stop, start_us, room):
    """Merge those of the events `first .. stop` of the pool that are not before a window; returns where they begin."""
    event, total, high = stop, no_lanes(), no_lanes()
    while event > first and word_at(events, event - 1, TIME) >= start_us:
        event -= 1
        words = lanes_at(events, event, 0)
        total = add_lanes(total, words)
        high = add_lanes(high, add_lanes(carries(total, words), signs(words)))
    if event == stop:
        return event
    put_lanes(room.totals, 0, total)
    put_lanes(room.highs, 0, high)
    for word in range(LANES, events.shape[1], LANES):
        total, high = no_lanes(), no_lanes()
        for at in range(event, stop):
            words = lanes_at(events, at, word)
            total = add_lanes(total, words)
            high = add_lanes(high, add_lanes(carries(total, words), signs(words)))
        put_lanes(room.totals, word, total)
        put_lanes(room.highs, word, high)
    bounds, row, columns = tables.kind_bounds, room.row, (events.shape[1] - VALUES) >> 1
    at = word_at(tables.word_bounds, 0)
    for register in range(word_at(bounds, 0), word_at(bounds, _SUMS)):
        one_by_one()
        column = word_at(tables.register_columns, register)
        more = stop - event if column < 0 else word_at(room.totals, VALUES + columns + column)
        put_word(row, at, word_at(row, at) + more)
        at += 1
    for register in range(word_at(bounds, _SUMS), word_at(bounds, _SQUARES)):
        one_by_one()
        column = word_at(tables.register_columns, register)
        word = TIME if column < 0 else VALUES + column
        _add_at(row, at, word_at(room.highs, word), word_at(room.totals, word))
        at += 2
    if word_at(bounds, _SQUARES) < word_at(bounds, bounds.size - 1):
        prepare_rest(bounds, tables.word_bounds, tables.register_columns, row, events, event, stop)
    return event


@inlined
def _add_at(row, at, more_high, more):
    """Add 128 bits to the sum at a place of the row."""
    high, low = add_wide(word_at(row, at), word_at(row, at + 1), more_high, more)
    put_word(row, at, high)
    put_word(row, at + 1, low)
